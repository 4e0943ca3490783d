// The policy service is asked before a room is made or joined, and for each invited user.
import t from 'tap'
import type { PolicyQuestion } from '../../src/schemas/policy.js'
import { PolicyService } from '../helpers/policy-service.js'
import { flow, type Scenario } from '../helpers/scenario.js'
import type { TestClient } from '../helpers/test-client.js'

const NAME = { name: 'Alice of Accounting' }

/** mallory may do nothing, guests make no rooms, and pupils listen. */
function decide(question: PolicyQuestion): object {
  const { action, caller } = question
  if (caller.user === 'mallory') return { allow: false, reason: 'Suspended' }
  if (action === 'room' && caller.user === 'guest') return { allow: false, reason: 'Guests make no rooms' }
  if (action === 'join' && caller.user === 'pupil') return { allow: true, role: 'listener' }
  if (action !== 'invitation') return { allow: true }
  if (question.to === 'sleeper') return { allow: false, reason: 'Not at night' }
  return question.to === 'radio' ? { allow: true, metadata: NAME, ringTimeoutMs: 5000 } : { allow: true }
}

const service = await PolicyService.start(decide)
t.teardown(() => service.close())

const env = { POLICY_URL: service.url, POLICY_TIMEOUT_MS: '10000' }

/** What was asked in this scenario on behalf of a user, by action. */
const askedBy = (scenario: Scenario, user: string) =>
  scenario.fromWire(service.received).filter(({ caller }) => caller.user === user)

const actionsBy = (scenario: Scenario, user: string) => askedBy(scenario, user).map(({ action }) => action)

const join = (who: TestClient, roomId: string, body = {}) => who.request('POST', `rooms/${roomId}/participants`, body)

const invite = (who: TestClient, scenario: Scenario, users: string[], more = {}) =>
  who.request('POST', 'rooms/r1/invitations', { users: users.map(user => scenario.toWire(user)), ...more })

const SETTINGS = {
  mode: 'p2p',
  p2pFallback: true,
  callType: 'audio',
  locked: false,
  maxParticipants: 5,
  defaultRole: 'speaker',
  metadata: { topic: 'lunch' }
}

flow(
  'it is asked before a room is made, with its settings, and not when settings change',
  async (t, scenario) => {
    const [alice, guest] = [await scenario.addClient('alice', 'phone'), await scenario.addClient('guest', 'phone')]
    const { callType, maxParticipants, metadata } = SETTINGS
    const make = (who: TestClient, roomId: string) =>
      who.request('PUT', `rooms/${roomId}`, { callType, maxParticipants, metadata })
    t.equal((await make(alice, 'r1')).status, 201)
    t.equal((await make(alice, 'r1')).status, 200)
    t.strictSame(askedBy(scenario, 'alice'), [
      { action: 'room', caller: alice.endpoint, roomId: 'r1', settings: SETTINGS }
    ])
    t.match(await make(guest, 'r2'), { status: 403, body: { code: 'policy_denied', detail: 'Guests make no rooms' } })
    t.equal((await alice.request('PUT', 'rooms/r2', {})).status, 201, 'the denied room does not exist')
  },
  { env }
)

flow(
  'it is asked before a device joins, and also about the room that it would make',
  async (t, scenario) => {
    const [alice, bob] = await scenario.addAliceAndBob()
    const guest = await scenario.addClient('guest', 'phone')
    const mallory = await scenario.addClient('mallory', 'phone')
    t.match(await join(guest, 'r1'), { status: 403, body: { code: 'policy_denied', detail: 'Guests make no rooms' } })
    t.equal((await guest.request('GET', 'rooms/r1')).status, 404, 'no room was made')
    t.equal((await join(alice, 'r1', { metadata: { seat: 1 } })).status, 201)
    t.same(actionsBy(scenario, 'alice').sort(), ['join', 'room'])
    t.match(
      askedBy(scenario, 'alice').find(({ action }) => action === 'join'),
      { caller: alice.endpoint, roomId: 'r1', role: 'host', metadata: { seat: 1 } }
    )
    t.equal((await join(alice, 'r1')).status, 200)
    t.equal(askedBy(scenario, 'alice').length, 2, 'a repeat is not asked about')
    t.equal((await join(guest, 'r1')).status, 201, 'the room exists now')
    await alice.expectEvent('room.participant_joined')
    t.match(await join(mallory, 'r1'), { status: 403, body: { code: 'policy_denied', detail: 'Suspended' } })
    t.equal((await join(bob, 'r1')).status, 201)
    for (const who of [alice, guest]) await who.expectEvent('room.participant_joined')
    t.match((await alice.request('GET', 'rooms/r1')).body, { room: { participantCount: 3 } }, 'mallory left no trace')
    t.same(actionsBy(scenario, 'bob'), ['join'])
  },
  { env }
)

flow(
  'a user who may not join is refused without a question',
  async (t, scenario) => {
    const alice = await scenario.addClient('alice', 'phone')
    const bob = await scenario.addClient('bob', 'laptop', { node: scenario.lastNode, rooms: { other: {} } })
    const eve = await scenario.addClient('eve', 'phone', { node: scenario.lastNode })
    await alice.request('PUT', 'rooms/r1', { defaultRole: 'none' })
    t.match(await join(bob, 'r1'), { body: { code: 'not_permitted' } })
    t.match(await join(eve, 'r1'), { body: { code: 'room_not_found' } })
    for (const user of ['bob', 'eve']) t.equal(askedBy(scenario, user).length, 0, user)
  },
  { env }
)

flow(
  'a role that it gives counts as that of the token',
  async (t, scenario) => {
    const alice = await scenario.addClient('alice', 'phone')
    const pupil = await scenario.addClient('pupil', 'phone', { node: scenario.lastNode, silent: true })
    const claimed = await scenario.addClient('pupil', 'tablet', { rooms: { r1: { role: 'host' } }, silent: true })
    await join(alice, 'r1')
    const { status, body } = await join(pupil, 'r1')
    t.equal(status, 201)
    const joined = async () => (await alice.expectEvent('room.participant_joined')).participant
    t.match(await joined(), { participantId: body.participantId, role: 'listener' })
    t.match(await pupil.request('PUT', 'rooms/r1', { locked: true }), { body: { code: 'not_permitted' } })
    t.equal((await join(claimed, 'r1')).status, 201, 'also in place of the role of the token')
    t.match(await joined(), { device: 'tablet', role: 'listener' })
    await alice.request('PATCH', `rooms/r1/participants/${body.participantId}`, { role: 'speaker' })
    t.equal((await pupil.request('DELETE', `rooms/r1/participants/${body.participantId}`)).status, 204)
    await alice.expectEvent('room.participant_left')
    t.equal((await join(pupil, 'r1')).status, 201)
    t.match(await joined(), { device: 'phone', role: 'speaker' }, 'a role that a moderator assigned stays')
  },
  { env }
)

flow(
  'users whom it allows ring, the others are listed in `refused`, and it is asked once about each',
  async (t, scenario) => {
    const [alice, bob] = await scenario.addAliceAndBob()
    const sleeper = await scenario.addClient('sleeper', 'phone')
    await alice.request('PUT', 'rooms/r1', { callType: 'audio' })
    await join(alice, 'r1')
    const metadata = { topic: 'lunch' }
    const { status, body } = await invite(alice, scenario, ['bob', 'sleeper', 'alice'], { metadata })
    t.equal(status, 201)
    t.match(body, {
      invitations: [{ user: 'bob', state: 'ringing' }],
      refused: [
        { user: 'sleeper', reason: 'policy', detail: 'Not at night' },
        { user: 'alice', reason: 'self' }
      ]
    })
    const { invitationId } = await bob.expectEvent('room.invitation')
    const about = (to: string) => askedBy(scenario, 'alice').filter(each => 'to' in each && each.to === to)
    const of = { roomId: 'r1', invitationId, caller: alice.endpoint, to: 'bob' }
    t.strictSame(about('bob'), [{ action: 'invitation', ...of, media: 'audio', metadata, ringTimeoutMs: 30_000 }])
    t.match(await invite(alice, scenario, ['bob']), { status: 200, body: { invitations: [{ invitationId }] } })
    t.equal(about('bob').length, 1, 'not again while the invitation rings')
    t.equal(about('alice').length, 0, 'not about a user who cannot be invited')
    t.match(await sleeper.request('GET', 'snapshot'), { body: { invitations: [] } })
    const outside = await scenario.addClient('eve', 'phone')
    t.match(await invite(outside, scenario, ['sleeper']), { body: { code: 'room_not_found' } })
    t.equal(askedBy(scenario, 'eve').length, 0, 'not on behalf of a user who may not invite')
  },
  { env }
)

flow(
  'it changes the metadata and ring time of one invitation, and the others stay as they are',
  async (t, scenario) => {
    const [alice, bob] = await scenario.addAliceAndBob()
    const radio = await scenario.addClient('radio', 'phone', { node: scenario.lastNode })
    await join(alice, 'r1')
    const metadata = { name: 'The bank' }
    const { body } = await invite(alice, scenario, ['bob', 'radio'], { metadata, ringTimeoutMs: 20_000 })
    t.match(body.invitations, [
      { user: 'bob', expiresInMs: 20_000 },
      { user: 'radio', expiresInMs: 5000 }
    ])
    t.match(await bob.expectEvent('room.invitation'), { metadata, expiresInMs: 20_000 })
    const incoming = await radio.expectEvent('room.invitation')
    t.match(incoming, { expiresInMs: 5000 })
    t.strictSame(incoming.metadata, NAME)
    await scenario.advance(6500)
    t.match(await radio.expectEvent('room.invitation_ended'), { reason: 'expired' })
    t.match(await alice.expectEvent('room.invitation_ended'), { reason: 'expired' })
    t.match((await bob.request('GET', 'snapshot')).body.invitations, [{ roomId: 'r1' }], 'the other one rings on')
    await scenario.advance(15_000)
    for (const who of [bob, alice]) t.match(await who.expectEvent('room.invitation_ended'), { reason: 'expired' })
  },
  { env }
)

flow(
  'it is asked before a device joins as a hidden participant, once',
  async (t, scenario) => {
    await join(await scenario.addClient('alice', 'phone'), 'r1')
    const rooms = () => ({ r1: { grants: ['join' as const, 'hidden' as const] } })
    const mallory = await scenario.addClient('mallory', 'recorder', { rooms: rooms() })
    t.match(await join(mallory, 'r1'), { status: 403, body: { code: 'policy_denied', detail: 'Suspended' } })
    const recorder = await scenario.addClient('pupil', 'recorder', { rooms: rooms(), node: scenario.lastNode })
    t.equal((await join(recorder, 'r1')).status, 201)
    t.equal((await join(recorder, 'r1')).status, 200)
    t.match(askedBy(scenario, 'pupil'), [{ action: 'join', roomId: 'r1', role: 'speaker' }])
  },
  { env }
)
