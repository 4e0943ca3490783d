// The rules of a room: what anybody may do to anybody, who hears of it, and what joining, leaving and being gone come to.
import t from 'tap'
import { UNUSED_ROOM_MS } from '../../src/domain/room/lifecycle.js'
import { participantIdOf, type RoomDecision } from '../../src/domain/room/state.js'
import type { AppError } from '../../src/errors.js'
import type { Actor, RoomClaim } from '../../src/schemas/claims.js'
import { GRANTS } from '../../src/schemas/claims.js'
import { ROLES } from '../../src/schemas/room.js'
import { LINGER_MS, outcomeOf, RoomFixture, somebody } from '../helpers/room-fixture.js'

const alice = somebody('alice')
const mia = somebody('mia')
const sam = somebody('sam')
const lena = somebody('lena')
const eve = somebody('eve')
const CAST = [alice, mia, sam, lena]

/** Alice, who made it, hosts; mia moderates, sam speaks, lena listens. p1 to p4, in this order. */
function meeting(): RoomFixture {
  const fixture = new RoomFixture()
  for (const who of CAST) fixture.join(who)
  fixture.change(alice, mia, { role: 'moderator' })
  fixture.change(alice, lena, { role: 'listener' })
  return fixture
}

type Act = (fixture: RoomFixture, actor: Actor) => RoomDecision | AppError

/** [what is done, by the host, by the moderator, by the speaker, by the listener, by eve, who stands outside] */
const ACTIONS: [string, Act, ...outcomes: [string, string, string, string, string]][] = [
  ['join', (w, a) => w.join(a), 'nothing', 'nothing', 'nothing', 'nothing', 'all but p5 joined; eve but phone joined'],
  [
    'join anew',
    (w, a) => w.join(a, { replace: true }),
    'all but p5 left(replaced); all but p5 joined; alice but phone joined',
    'all but p5 left(replaced); all but p5 joined; mia but phone joined',
    'all but p5 left(replaced); all but p5 joined; sam but phone joined',
    'all but p5 left(replaced); all but p5 joined; lena but phone joined',
    'all but p5 joined; eve but phone joined'
  ],
  [
    'put the speaker out',
    (w, a) => w.remove(a, sam),
    'all but p1 left(removed); sam/phone left(removed)',
    'all but p2 left(removed); sam/phone left(removed)',
    'all left(left)',
    'not_permitted',
    'room_not_found'
  ],
  [
    'put the host out',
    (w, a) => w.remove(a, alice),
    'all left(left)',
    'not_permitted',
    'not_permitted',
    'not_permitted',
    'room_not_found'
  ],
  [
    'put the moderator out',
    (w, a) => w.remove(a, mia),
    'all but p1 left(removed); mia/phone left(removed)',
    'all left(left)',
    'not_permitted',
    'not_permitted',
    'room_not_found'
  ],
  [
    'ban the speaker',
    (w, a) => w.ban(a, 'sam'),
    'all but p1 left(removed); sam/phone left(removed)',
    'all but p2 left(removed); sam/phone left(removed)',
    'not_permitted',
    'not_permitted',
    'room_not_found'
  ],
  [
    'ban the host',
    (w, a) => w.ban(a, 'alice'),
    'not_permitted',
    'not_permitted',
    'not_permitted',
    'not_permitted',
    'room_not_found'
  ],
  ['ban a stranger', (w, a) => w.ban(a, 'eve'), 'quiet', 'quiet', 'not_permitted', 'not_permitted', 'room_not_found'],
  [
    'unban nobody',
    (w, a) => w.unban(a, 'sam'),
    'nothing',
    'nothing',
    'not_permitted',
    'not_permitted',
    'room_not_found'
  ],
  [
    'let the speaker listen',
    (w, a) => w.change(a, sam, { role: 'listener' }),
    'all but p1 updated',
    'all but p2 updated',
    'not_permitted',
    'not_permitted',
    'room_not_found'
  ],
  [
    'let the listener moderate',
    (w, a) => w.change(a, lena, { role: 'moderator' }),
    'all but p1 updated',
    'all but p2 updated',
    'not_permitted',
    'not_permitted',
    'room_not_found'
  ],
  [
    'make the speaker a host',
    (w, a) => w.change(a, sam, { role: 'host' }),
    'all but p1 updated',
    'not_permitted',
    'not_permitted',
    'not_permitted',
    'room_not_found'
  ],
  [
    'unmake the host',
    (w, a) => w.change(a, alice, { role: 'speaker' }),
    'all but p1 updated',
    'not_permitted',
    'not_permitted',
    'not_permitted',
    'room_not_found'
  ],
  [
    'ask the speaker to mute',
    (w, a) => w.change(a, sam, { mute: ['audio'] }),
    'sam/phone mute_requested',
    'sam/phone mute_requested',
    'sam/phone mute_requested',
    'not_permitted',
    'room_not_found'
  ],
  [
    'rename the speaker',
    (w, a) => w.change(a, sam, { metadata: { name: 'Sam' } }),
    'not_permitted',
    'not_permitted',
    'all but p3 updated',
    'not_permitted',
    'room_not_found'
  ],
  [
    'give a role and ask to mute',
    (w, a) => w.change(a, sam, { role: 'listener', mute: ['audio', 'video'] }),
    'all but p1 updated; sam/phone mute_requested',
    'all but p2 updated; sam/phone mute_requested',
    'not_permitted',
    'not_permitted',
    'room_not_found'
  ],
  [
    'lock it',
    (w, a) => w.configure(a, { locked: true }),
    'all but p1 updated',
    'not_permitted',
    'not_permitted',
    'not_permitted',
    'room_not_found'
  ],
  [
    'close it',
    (w, a) => w.close(a),
    'all but p1 closed(closed)',
    'not_permitted',
    'not_permitted',
    'not_permitted',
    'room_not_found'
  ]
]

t.test('what each role may do, and who hears of it', async t => {
  for (const [name, act, ...outcomes] of ACTIONS) {
    const found = [...CAST, eve].map(actor => outcomeOf(act(meeting(), actor)))
    t.strictSame(found, outcomes, name)
  }
})

t.test('a refusal changes nothing', async t => {
  for (const [name, act] of ACTIONS) {
    const fixture = meeting()
    const before = JSON.stringify([fixture.version, fixture.members(), [...fixture.participants]])
    const { settings } = fixture.parts
    if (!('code' in act(fixture, eve))) continue
    t.equal(JSON.stringify([fixture.version, fixture.members(), [...fixture.participants]]), before, name)
    t.equal(fixture.parts.settings, settings, name)
  }
})

t.test('a claim stands above the role in the room, and its grants above its role', async t => {
  const CLAIMS: [RoomClaim, remove: string, close: string][] = [
    [{}, 'not_permitted', 'not_permitted'],
    [{ role: 'listener' }, 'not_permitted', 'not_permitted'],
    [{ role: 'moderator' }, 'all left(removed); sam/phone left(removed)', 'not_permitted'],
    [{ role: 'host' }, 'all left(removed); sam/phone left(removed)', 'all closed(closed)'],
    [{ role: 'host', grants: ['join'] }, 'not_permitted', 'not_permitted'],
    [{ grants: ['moderate'] }, 'all left(removed); sam/phone left(removed)', 'not_permitted'],
    [{ role: 'listener', grants: ['manage'] }, 'not_permitted', 'all closed(closed)']
  ]
  for (const [claim, remove, close] of CLAIMS) {
    const clerk = somebody('clerk', 'desk', claim)
    t.equal(outcomeOf(meeting().remove(clerk, sam)), remove, JSON.stringify(claim))
    t.equal(outcomeOf(meeting().close(clerk)), close, JSON.stringify(claim))
  }
})

t.test('who joins has the role of the claim, of the maker, or of the room', async t => {
  for (const role of ROLES) {
    const fixture = meeting()
    fixture.join(somebody('eve', 'phone', { role }))
    t.equal(fixture.member(eve)?.role, role, 'of the claim')
    fixture.configure(alice, { defaultRole: role })
    fixture.join(somebody('zoe'))
    t.equal(fixture.member(somebody('zoe'))?.role, role, 'of the room')
  }
  const fixture = meeting()
  fixture.join(somebody('alice', 'tablet'))
  t.equal(fixture.member(somebody('alice', 'tablet'))?.role, 'host', 'of the maker, on every device')
})

t.test('joining takes the grant for it', async t => {
  for (const grant of GRANTS) {
    const outcome = outcomeOf(new RoomFixture().join(somebody('eve', 'phone', { grants: [grant] })))
    t.equal(outcome, grant === 'join' ? 'all but p1 joined; eve but phone joined' : 'not_permitted', grant)
  }
  const elsewhere: Actor = { ...eve, rooms: { r2: { role: 'host' } } }
  const anywhere: Actor = { ...eve, rooms: { r2: {}, '*': { role: 'listener' } } }
  t.equal(outcomeOf(meeting().join(elsewhere)), 'not_permitted', 'a token for other rooms')
  t.equal(outcomeOf(meeting().join(anywhere)), 'all but p5 joined; eve but phone joined', 'a token for any room')
  const specific: Actor = { ...eve, rooms: { '*': { role: 'host' }, r1: { grants: [] } } }
  t.equal(outcomeOf(meeting().join(specific)), 'not_permitted', 'what is said of this room counts')
})

t.test('a locked room lets in who may moderate it, and who is in already', async t => {
  const fixture = meeting()
  fixture.configure(alice, { locked: true })
  t.equal(outcomeOf(fixture.join(eve)), 'room_locked')
  t.equal(outcomeOf(fixture.join(sam)), 'nothing')
  t.equal(outcomeOf(fixture.join(sam, { replace: true })), 'room_locked', 'to take part anew is to join')
  t.match(outcomeOf(fixture.join(somebody('alice', 'tablet'))), 'joined', 'the host')
  t.match(outcomeOf(fixture.join(somebody('zoe', 'phone', { grants: ['join', 'moderate'] }))), 'joined')
})

t.test('a full room lets nobody in, but whoever is in may take part anew', async t => {
  const fixture = new RoomFixture(2)
  for (const who of [alice, sam]) fixture.join(who)
  t.equal(outcomeOf(fixture.join(eve)), 'room_full')
  t.match(outcomeOf(fixture.join(sam, { replace: true })), 'left(replaced)')
  fixture.configure(alice, { maxParticipants: 1 })
  fixture.remove(sam, sam)
  t.equal(outcomeOf(fixture.join(eve)), 'room_full', 'fewer places put nobody out, and let nobody in')
})

t.test('a ban holds for a user, for as long as it was made for', async t => {
  const fixture = meeting()
  fixture.ban(alice, 'sam', 60_000)
  t.equal(outcomeOf(fixture.join(sam)), 'banned', 'also for who is still in')
  t.equal(outcomeOf(fixture.join(somebody('sam', 'tablet'))), 'banned')
  fixture.now += 59_999
  t.equal(outcomeOf(fixture.join(somebody('sam', 'tablet'))), 'banned')
  fixture.now += 1
  t.match(outcomeOf(fixture.join(somebody('sam', 'tablet'))), 'joined')
  fixture.ban(mia, 'eve')
  fixture.now += 1e12
  t.equal(outcomeOf(fixture.join(eve)), 'banned', 'until somebody lifts it')
  t.equal(outcomeOf(fixture.unban(mia, 'eve')), 'quiet')
  t.match(outcomeOf(fixture.join(eve)), 'joined')
})

t.test('a user is a host if one of their devices is', async t => {
  const fixture = meeting()
  const tablet = somebody('sam', 'tablet')
  fixture.join(tablet)
  fixture.change(alice, tablet, { role: 'host' })
  t.equal(outcomeOf(fixture.ban(mia, 'sam')), 'not_permitted')
  const out = ['sam/phone', 'sam/tablet'].map(place => `all but p1 left(removed); ${place} left(removed)`)
  t.equal(outcomeOf(fixture.ban(alice, 'sam')), out.join('; '))
})

t.test('a ban overrides every role and claim, the creator’s and an operator’s too', t => {
  const fixture = meeting()
  fixture.change(alice, mia, { role: 'host' })
  fixture.remove(alice, alice)
  t.equal(outcomeOf(fixture.ban(sam, 'alice')), 'not_permitted')
  fixture.change(mia, sam, { role: 'moderator' })
  t.equal(outcomeOf(fixture.ban(sam, 'alice')), 'not_permitted', 'the creator is a host when they are out')
  t.equal(outcomeOf(fixture.ban(mia, 'alice', 60_000)), 'quiet')
  const acts: Act[] = [
    (w, a) => w.unban(a, 'alice'),
    (w, a) => w.ban(a, 'lena'),
    (w, a) => w.remove(a, lena),
    (w, a) => w.change(a, lena, { mute: ['audio'] }),
    (w, a) => w.configure(a, { locked: true }),
    (w, a) => w.close(a)
  ]
  const claims: (RoomClaim | undefined)[] = [
    undefined,
    { role: 'moderator' },
    { role: 'host' },
    { grants: [...GRANTS] }
  ]
  for (const claim of claims) {
    const banned = somebody('alice', 'phone', claim)
    for (const act of acts) t.equal(outcomeOf(act(fixture, banned)), 'banned', JSON.stringify(claim))
  }
  fixture.now += 60_000
  t.equal(outcomeOf(fixture.configure(alice, { locked: true })), 'all updated')
  t.end()
})

t.test('a banned user never makes the room anew', async t => {
  const fixture = meeting()
  fixture.ban(alice, 'sam')
  for (const who of CAST) fixture.remove(who, who)
  fixture.now += LINGER_MS
  fixture.closesIfEmpty()
  t.equal(outcomeOf(fixture.configure(sam, {})), 'banned')
  t.equal(outcomeOf(fixture.join(sam)), 'banned')
  t.equal(outcomeOf(fixture.configure(eve, {})), 'quiet')
  t.equal(fixture.parts.settings?.createdBy, 'eve')
})

t.test('one’s other device goes without a grant', async t => {
  const fixture = meeting()
  const tablet = somebody('lena', 'tablet')
  fixture.join(tablet)
  t.equal(outcomeOf(fixture.remove(lena, tablet)), 'all but p4 left(removed); lena/tablet left(removed)')
  t.equal(outcomeOf(fixture.remove(lena, tablet)), 'participant_not_found')
})

t.test('away, back and lost', async t => {
  const fixture = meeting()
  t.equal(outcomeOf(fixture.comesBack(sam)), 'nothing', 'it was not away')
  t.equal(outcomeOf(fixture.goesAway(sam)), 'all but p3 updated')
  t.equal(outcomeOf(fixture.goesAway(sam)), 'nothing', 'it is away already')
  t.equal(outcomeOf(fixture.join(sam)), 'all but p3 updated', 'joining again shows that it is back')
  t.equal(fixture.member(sam)?.awaySince, null)
  fixture.goesAway(sam)
  t.equal(outcomeOf(fixture.comesBack(sam)), 'all but p3 updated')
  t.equal(outcomeOf(fixture.isLost(sam)), 'all left(lost); sam/phone left(lost)')
  t.strictSame(fixture.heard.get('sam/phone')?.at(-1)?.data, {
    participantId: participantIdOf(sam, '.p3'),
    user: 'sam',
    reason: 'lost',
    by: null
  })
})

t.test('an empty room lingers, and is then gone until somebody makes it again', async t => {
  const fixture = new RoomFixture()
  t.equal(outcomeOf(fixture.closesIfEmpty()), 'nothing', 'there is none')
  fixture.join(sam)
  fixture.now += 2 * LINGER_MS
  t.equal(outcomeOf(fixture.closesIfEmpty()), 'nothing', 'somebody is in')
  fixture.remove(sam, sam)
  fixture.now += LINGER_MS - 1
  t.equal(outcomeOf(fixture.closesIfEmpty()), 'nothing', 'not yet')
  fixture.now += 1
  t.equal(outcomeOf(fixture.closesIfEmpty()), 'all closed(empty)')
  t.equal(outcomeOf(fixture.closesIfEmpty()), 'nothing', 'once')
  t.equal(outcomeOf(fixture.close(sam)), 'room_not_found')
  fixture.join(eve)
  t.match(fixture.parts.settings, { createdBy: 'eve', closed: null })
  t.equal(fixture.member(eve)?.role, 'host')
})

t.test('one that was made ahead of time waits for its first participant', async t => {
  const fixture = new RoomFixture()
  const made = fixture.configure(sam, { locked: true })
  t.match(made, { createsRoom: true, events: [] })
  t.match(fixture.parts.settings, { createdBy: 'sam', locked: true, mode: 'p2p' })
  fixture.now += UNUSED_ROOM_MS - 1
  t.equal(outcomeOf(fixture.closesIfEmpty()), 'nothing', 'not as short as after the last one has left')
  fixture.now += 1
  t.equal(outcomeOf(fixture.closesIfEmpty()), 'all closed(empty)')
})

t.test('the first device that joins a room made ahead of time makes it one as any other', async t => {
  const fixture = new RoomFixture()
  fixture.configure(sam, {})
  fixture.join(eve)
  fixture.now += UNUSED_ROOM_MS
  t.equal(outcomeOf(fixture.closesIfEmpty()), 'nothing')
  fixture.remove(eve, eve)
  fixture.now += LINGER_MS
  t.equal(outcomeOf(fixture.closesIfEmpty()), 'all closed(empty)')
})

t.test('what a host has closed stays closed', async t => {
  const fixture = meeting()
  fixture.close(alice)
  for (const [name, act] of ACTIONS) t.equal(outcomeOf(act(fixture, alice)), 'room_closed', name)
})
