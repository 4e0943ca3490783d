// The rules of a room: what each role may do, which events result, and joining, leaving, being away and closing.
import t from 'tap'
import { UNUSED_ROOM_MS } from '../../src/domain/room/lifecycle.js'
import { participantIdOf, type RoomDecision } from '../../src/domain/room/state.js'
import type { AppError } from '../../src/errors.js'
import type { Actor, RoomClaim } from '../../src/schemas/claims.js'
import { GRANTS } from '../../src/schemas/claims.js'
import { ROLES } from '../../src/schemas/room.js'
import { actorOf, LINGER_MS, outcomeOf, RoomFixture } from '../helpers/room-fixture.js'

const alice = actorOf('alice')
const mia = actorOf('mia')
const sam = actorOf('sam')
const lena = actorOf('lena')
const eve = actorOf('eve')
const PARTICIPANTS = [alice, mia, sam, lena]

/** Participants p1 to p4: alice is the host and creator, mia moderator, sam speaker, lena listener. */
function fourRoles(): RoomFixture {
  const fixture = new RoomFixture()
  for (const who of PARTICIPANTS) fixture.join(who)
  fixture.change(alice, mia, { role: 'moderator' })
  fixture.change(alice, lena, { role: 'listener' })
  return fixture
}

type Act = (fixture: RoomFixture, actor: Actor) => RoomDecision | AppError

/** The outcomes of an action by the host, the moderator, the speaker, the listener, and eve, who is not in the room. */
const ACTIONS: [string, Act, ...outcomes: [string, string, string, string, string]][] = [
  [
    'join',
    (room, actor) => room.join(actor),
    'nothing',
    'nothing',
    'nothing',
    'nothing',
    'all but p5 joined; eve but phone joined'
  ],
  [
    'join anew',
    (room, actor) => room.join(actor, { replace: true }),
    'all but p5 left(replaced); all but p5 joined; alice but phone joined',
    'all but p5 left(replaced); all but p5 joined; mia but phone joined',
    'all but p5 left(replaced); all but p5 joined; sam but phone joined',
    'all but p5 left(replaced); all but p5 joined; lena but phone joined',
    'all but p5 joined; eve but phone joined'
  ],
  [
    'remove the speaker',
    (room, actor) => room.remove(actor, sam),
    'all but p1 left(removed); sam/phone left(removed)',
    'all but p2 left(removed); sam/phone left(removed)',
    'all left(left)',
    'not_permitted',
    'room_not_found'
  ],
  [
    'remove the host',
    (room, actor) => room.remove(actor, alice),
    'all left(left)',
    'not_permitted',
    'not_permitted',
    'not_permitted',
    'room_not_found'
  ],
  [
    'remove the moderator',
    (room, actor) => room.remove(actor, mia),
    'all but p1 left(removed); mia/phone left(removed)',
    'all left(left)',
    'not_permitted',
    'not_permitted',
    'room_not_found'
  ],
  [
    'ban the speaker',
    (room, actor) => room.ban(actor, 'sam'),
    'all but p1 left(removed); sam/phone left(removed)',
    'all but p2 left(removed); sam/phone left(removed)',
    'not_permitted',
    'not_permitted',
    'room_not_found'
  ],
  [
    'ban the host',
    (room, actor) => room.ban(actor, 'alice'),
    'not_permitted',
    'not_permitted',
    'not_permitted',
    'not_permitted',
    'room_not_found'
  ],
  [
    'ban a user who is not in the room',
    (room, actor) => room.ban(actor, 'eve'),
    'quiet',
    'quiet',
    'not_permitted',
    'not_permitted',
    'room_not_found'
  ],
  [
    'remove a ban that does not exist',
    (room, actor) => room.unban(actor, 'sam'),
    'nothing',
    'nothing',
    'not_permitted',
    'not_permitted',
    'room_not_found'
  ],
  [
    'make the speaker a listener',
    (room, actor) => room.change(actor, sam, { role: 'listener' }),
    'all but p1 updated',
    'all but p2 updated',
    'not_permitted',
    'not_permitted',
    'room_not_found'
  ],
  [
    'make the listener a moderator',
    (room, actor) => room.change(actor, lena, { role: 'moderator' }),
    'all but p1 updated',
    'all but p2 updated',
    'not_permitted',
    'not_permitted',
    'room_not_found'
  ],
  [
    'make the speaker a host',
    (room, actor) => room.change(actor, sam, { role: 'host' }),
    'all but p1 updated',
    'not_permitted',
    'not_permitted',
    'not_permitted',
    'room_not_found'
  ],
  [
    'make the host a speaker',
    (room, actor) => room.change(actor, alice, { role: 'speaker' }),
    'all but p1 updated',
    'not_permitted',
    'not_permitted',
    'not_permitted',
    'room_not_found'
  ],
  [
    'ask the speaker to mute',
    (room, actor) => room.change(actor, sam, { mute: ['audio'] }),
    'sam/phone mute_requested',
    'sam/phone mute_requested',
    'sam/phone mute_requested',
    'not_permitted',
    'room_not_found'
  ],
  [
    'change the metadata of the speaker',
    (room, actor) => room.change(actor, sam, { metadata: { name: 'Sam' } }),
    'not_permitted',
    'not_permitted',
    'all but p3 updated',
    'not_permitted',
    'room_not_found'
  ],
  [
    'change the role and ask to mute',
    (room, actor) => room.change(actor, sam, { role: 'listener', mute: ['audio', 'video'] }),
    'all but p1 updated; sam/phone mute_requested',
    'all but p2 updated; sam/phone mute_requested',
    'not_permitted',
    'not_permitted',
    'room_not_found'
  ],
  [
    'lock the room',
    (room, actor) => room.configure(actor, { locked: true }),
    'all but p1 updated',
    'not_permitted',
    'not_permitted',
    'not_permitted',
    'room_not_found'
  ],
  [
    'close the room',
    (room, actor) => room.close(actor),
    'all but p1 closed(closed)',
    'not_permitted',
    'not_permitted',
    'not_permitted',
    'room_not_found'
  ]
]

t.test('each role may do what the table says, and the events of the table result', async t => {
  for (const [name, act, ...outcomes] of ACTIONS) {
    const found = [...PARTICIPANTS, eve].map(actor => outcomeOf(act(fourRoles(), actor)))
    t.strictSame(found, outcomes, name)
  }
})

t.test('when an action is refused, the room does not change', async t => {
  for (const [name, act] of ACTIONS) {
    const fixture = fourRoles()
    const before = JSON.stringify([fixture.version, fixture.participants(), [...fixture.participantIds]])
    const { settings } = fixture.parts
    if (!('code' in act(fixture, eve))) continue
    t.equal(JSON.stringify([fixture.version, fixture.participants(), [...fixture.participantIds]]), before, name)
    t.equal(fixture.parts.settings, settings, name)
  }
})

t.test(
  'when a token has a claim, it decides instead of the default role, and its grants instead of its role',
  async t => {
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
      const clerk = actorOf('clerk', 'desk', claim)
      t.equal(outcomeOf(fourRoles().remove(clerk, sam)), remove, JSON.stringify(claim))
      t.equal(outcomeOf(fourRoles().close(clerk)), close, JSON.stringify(claim))
    }
  }
)

t.test('when a user joins, their role is that of the claim, of the creator, or the default role', async t => {
  for (const role of ROLES) {
    const fixture = fourRoles()
    fixture.join(actorOf('eve', 'phone', { role }))
    t.equal(fixture.participant(eve)?.role, role, 'from the claim')
    fixture.configure(alice, { defaultRole: role })
    fixture.join(actorOf('zoe'))
    t.equal(fixture.participant(actorOf('zoe'))?.role, role, 'the default role')
  }
  const fixture = fourRoles()
  fixture.join(actorOf('alice', 'tablet'))
  t.equal(fixture.participant(actorOf('alice', 'tablet'))?.role, 'host', 'host for the creator, on every device')
})

t.test('when a claim lacks the grant join, a join is refused', async t => {
  for (const grant of GRANTS) {
    const outcome = outcomeOf(new RoomFixture().join(actorOf('eve', 'phone', { grants: [grant] })))
    t.equal(outcome, grant === 'join' ? 'all but p1 joined; eve but phone joined' : 'not_permitted', grant)
  }
  const otherRooms: Actor = { ...eve, rooms: { r2: { role: 'host' } } }
  const anyRoom: Actor = { ...eve, rooms: { r2: {}, '*': { role: 'listener' } } }
  t.equal(outcomeOf(fourRoles().join(otherRooms)), 'not_permitted', 'a token for other rooms')
  t.equal(outcomeOf(fourRoles().join(anyRoom)), 'all but p5 joined; eve but phone joined', 'a token for any room')
  const specific: Actor = { ...eve, rooms: { '*': { role: 'host' }, r1: { grants: [] } } }
  t.equal(outcomeOf(fourRoles().join(specific)), 'not_permitted', 'the claim for this room decides')
})

t.test('when a room is locked, only moderators and hosts may join', async t => {
  const fixture = fourRoles()
  fixture.configure(alice, { locked: true })
  t.equal(outcomeOf(fixture.join(eve)), 'room_locked')
  t.equal(outcomeOf(fixture.join(sam)), 'nothing')
  t.equal(outcomeOf(fixture.join(sam, { replace: true })), 'room_locked', 'joining with replace is a join')
  t.match(outcomeOf(fixture.join(actorOf('alice', 'tablet'))), 'joined', 'the host')
  t.match(outcomeOf(fixture.join(actorOf('zoe', 'phone', { grants: ['join', 'moderate'] }))), 'joined')
})

t.test('when a room is full, a join is refused, but a participant may join anew', async t => {
  const fixture = new RoomFixture(2)
  for (const who of [alice, sam]) fixture.join(who)
  t.equal(outcomeOf(fixture.join(eve)), 'room_full')
  t.match(outcomeOf(fixture.join(sam, { replace: true })), 'left(replaced)')
  fixture.configure(alice, { maxParticipants: 1 })
  fixture.remove(sam, sam)
  t.equal(outcomeOf(fixture.join(eve)), 'room_full', 'a lower limit removes no participant, and lets none in')
})

t.test('when a user is banned, all their devices are refused until the ban lapses or is removed', async t => {
  const fixture = fourRoles()
  fixture.ban(alice, 'sam', 60_000)
  t.equal(outcomeOf(fixture.join(sam)), 'banned', 'the removed device')
  t.equal(outcomeOf(fixture.join(actorOf('sam', 'tablet'))), 'banned')
  fixture.now += 59_999
  t.equal(outcomeOf(fixture.join(actorOf('sam', 'tablet'))), 'banned')
  fixture.now += 1
  t.match(outcomeOf(fixture.join(actorOf('sam', 'tablet'))), 'joined')
  fixture.ban(mia, 'eve')
  fixture.now += 1e12
  t.equal(outcomeOf(fixture.join(eve)), 'banned', 'a ban without a duration does not lapse')
  t.equal(outcomeOf(fixture.unban(mia, 'eve')), 'quiet')
  t.match(outcomeOf(fixture.join(eve)), 'joined')
})

t.test('when one device of a user is a host, the user is protected as a host', async t => {
  const fixture = fourRoles()
  const tablet = actorOf('sam', 'tablet')
  fixture.join(tablet)
  fixture.change(alice, tablet, { role: 'host' })
  t.equal(outcomeOf(fixture.ban(mia, 'sam')), 'not_permitted')
  const out = ['sam/phone', 'sam/tablet'].map(place => `all but p1 left(removed); ${place} left(removed)`)
  t.equal(outcomeOf(fixture.ban(alice, 'sam')), out.join('; '))
})

t.test('when a user is banned, no role or claim allows them anything, even for the creator', t => {
  const fixture = fourRoles()
  fixture.change(alice, mia, { role: 'host' })
  fixture.remove(alice, alice)
  t.equal(outcomeOf(fixture.ban(sam, 'alice')), 'not_permitted')
  fixture.change(mia, sam, { role: 'moderator' })
  t.equal(outcomeOf(fixture.ban(sam, 'alice')), 'not_permitted', 'the creator counts as a host outside the room')
  t.equal(outcomeOf(fixture.ban(mia, 'alice', 60_000)), 'quiet')
  const acts: Act[] = [
    (room, actor) => room.unban(actor, 'alice'),
    (room, actor) => room.ban(actor, 'lena'),
    (room, actor) => room.remove(actor, lena),
    (room, actor) => room.change(actor, lena, { mute: ['audio'] }),
    (room, actor) => room.configure(actor, { locked: true }),
    (room, actor) => room.close(actor)
  ]
  const claims: (RoomClaim | undefined)[] = [
    undefined,
    { role: 'moderator' },
    { role: 'host' },
    { grants: [...GRANTS] }
  ]
  for (const claim of claims) {
    const banned = actorOf('alice', 'phone', claim)
    for (const act of acts) t.equal(outcomeOf(act(fixture, banned)), 'banned', JSON.stringify(claim))
  }
  fixture.now += 60_000
  t.equal(outcomeOf(fixture.configure(alice, { locked: true })), 'all updated')
  t.end()
})

t.test('when a banned user tries to create the closed room anew, it is refused', async t => {
  const fixture = fourRoles()
  fixture.ban(alice, 'sam')
  for (const who of PARTICIPANTS) fixture.remove(who, who)
  fixture.now += LINGER_MS
  fixture.closeIfEmpty()
  t.equal(outcomeOf(fixture.configure(sam, {})), 'banned')
  t.equal(outcomeOf(fixture.join(sam)), 'banned')
  t.equal(outcomeOf(fixture.configure(eve, {})), 'quiet')
  t.equal(fixture.parts.settings?.createdBy, 'eve')
})

t.test('when a user removes their own other device, no grant is required', async t => {
  const fixture = fourRoles()
  const tablet = actorOf('lena', 'tablet')
  fixture.join(tablet)
  t.equal(outcomeOf(fixture.remove(lena, tablet)), 'all but p4 left(removed); lena/tablet left(removed)')
  t.equal(outcomeOf(fixture.remove(lena, tablet)), 'participant_not_found')
})

t.test(
  'when a device goes away, comes back or is lost, the others receive one event; the device itself only the loss',
  async t => {
    const fixture = fourRoles()
    t.equal(outcomeOf(fixture.markReturned(sam)), 'nothing', 'it was not away')
    t.equal(outcomeOf(fixture.markAway(sam)), 'all but p3 updated')
    t.equal(outcomeOf(fixture.markAway(sam)), 'nothing', 'it is away already')
    t.equal(outcomeOf(fixture.join(sam)), 'all but p3 updated', 'joining again ends the away state')
    t.equal(fixture.participant(sam)?.awaySince, null)
    fixture.markAway(sam)
    t.equal(outcomeOf(fixture.markReturned(sam)), 'all but p3 updated')
    t.equal(outcomeOf(fixture.loseDevice(sam)), 'all left(lost); sam/phone left(lost)')
    t.strictSame(fixture.received.get('sam/phone')?.at(-1)?.data, {
      participantId: participantIdOf(sam, '.p3'),
      user: 'sam',
      reason: 'lost',
      by: null
    })
  }
)

t.test('when a room was empty for long enough, it closes and can be created anew', async t => {
  const fixture = new RoomFixture()
  t.equal(outcomeOf(fixture.closeIfEmpty()), 'nothing', 'there is no room')
  fixture.join(sam)
  fixture.now += 2 * LINGER_MS
  t.equal(outcomeOf(fixture.closeIfEmpty()), 'nothing', 'a device is in the room')
  fixture.remove(sam, sam)
  fixture.now += LINGER_MS - 1
  t.equal(outcomeOf(fixture.closeIfEmpty()), 'nothing', 'not yet')
  fixture.now += 1
  t.equal(outcomeOf(fixture.closeIfEmpty()), 'all closed(empty)')
  t.equal(outcomeOf(fixture.closeIfEmpty()), 'nothing', 'once')
  t.equal(outcomeOf(fixture.close(sam)), 'room_not_found')
  fixture.join(eve)
  t.match(fixture.parts.settings, { createdBy: 'eve', closed: null })
  t.equal(fixture.participant(eve)?.role, 'host')
})

t.test('when a room was created without joining it, it closes after an hour', async t => {
  const fixture = new RoomFixture()
  const created = fixture.configure(sam, { locked: true })
  t.match(created, { createsRoom: true, events: [] })
  t.match(fixture.parts.settings, { createdBy: 'sam', locked: true, mode: 'p2p' })
  fixture.now += UNUSED_ROOM_MS - 1
  t.equal(outcomeOf(fixture.closeIfEmpty()), 'nothing', 'not after the time of a room that was left')
  fixture.now += 1
  t.equal(outcomeOf(fixture.closeIfEmpty()), 'all closed(empty)')
})

t.test('when a device joins a room that was created without joining it, the room closes like any other', async t => {
  const fixture = new RoomFixture()
  fixture.configure(sam, {})
  fixture.join(eve)
  fixture.now += UNUSED_ROOM_MS
  t.equal(outcomeOf(fixture.closeIfEmpty()), 'nothing')
  fixture.remove(eve, eve)
  fixture.now += LINGER_MS
  t.equal(outcomeOf(fixture.closeIfEmpty()), 'all closed(empty)')
})

t.test('when a host has closed a room, every action is refused with room_closed', async t => {
  const fixture = fourRoles()
  fixture.close(alice)
  for (const [name, act] of ACTIONS) t.equal(outcomeOf(act(fixture, alice)), 'room_closed', name)
})
