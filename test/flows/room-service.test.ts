// Rooms with a room service: its answers apply, it is asked rarely, and old answers are served while it is down.
import { SignJWT } from 'jose'
import t from 'tap'
import { RoomService } from '../helpers/room-service.js'
import { flow, type Scenario } from '../helpers/scenario.js'
import { sdp } from '../helpers/sdp.js'
import type { TestClient } from '../helpers/test-client.js'
import { until } from '../helpers/until.js'

const SECRET = 'shared-with-the-room-service-32-bytes'
const service = await RoomService.start(SECRET)
t.teardown(() => service.close())

const env = { ROOM_SERVICE_URL: service.url, ROOM_SERVICE_SECRET: SECRET, ROOM_SERVICE_TIMEOUT_MS: '1000' }
const JOIN = 'rooms/r1/participants'

/** Pushes or drops a room, as the service does. */
function push(scenario: Scenario, method: 'PUT' | 'DELETE', body?: object, secret = SECRET): Promise<Response> {
  return fetch(`${scenario.urlOf(scenario.lastNode)}/internal/rooms/${scenario.toPath('r1')}`, {
    method,
    headers: { authorization: `Bearer ${secret}`, ...(body ? { 'content-type': 'application/json' } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {})
  })
}

const join = (who: TestClient) => who.request('POST', JOIN)

flow(
  'when the service knows a room, its settings, roles and grants apply',
  async (t, scenario) => {
    const [alice, bob] = await scenario.addAliceAndBob()
    const carol = await scenario.addClient('carol', 'tablet')
    service.rooms.set(scenario.toWire('r1'), {
      callType: 'audio',
      maxParticipants: 3,
      defaultRole: 'listener',
      roles: { [scenario.toWire('alice')]: 'moderator' },
      grants: { [scenario.toWire('carol')]: ['join'] }
    })
    t.match(await join(bob), {
      status: 201,
      body: { room: { callType: 'audio', maxParticipants: 3, locked: false }, participants: [{ role: 'listener' }] }
    })
    const { participantId, participants } = await alice.post(JOIN)
    t.match(participants, [{ user: 'bob' }, { user: 'alice', role: 'moderator' }])
    await carol.post(JOIN)
    await bob.expectEvents('room.participant_joined', 'room.participant_joined')
    await alice.expectEvent('room.participant_joined')
    await carol.expectRefusal('not_permitted', 'rooms/r1/offer', { to: participantId, sdp: sdp('carolC') })
    t.match(await bob.request('PUT', 'rooms/r1', { locked: true }), { body: { code: 'not_permitted' } }, 'a listener')
  },
  { env }
)

flow(
  'when the service does not know a room, no user can create it, whatever their token',
  async (t, scenario) => {
    const [alice, bob] = await scenario.addAliceAndBob()
    await alice.expectRefusal('room_not_found', JOIN)
    t.match(await bob.request('GET', 'snapshot'), { body: { rooms: [] } })
    t.match(await alice.request('PUT', 'rooms/r1', {}), { status: 404, body: { code: 'room_not_found' } })
    const operator = await scenario.addClient('operator', 'desk', { rooms: { '*': { role: 'host' } } })
    t.match(await operator.request('PUT', 'rooms/r1', {}), { status: 404 })
    await operator.expectRefusal('room_not_found', JOIN)
    t.equal(await scenario.store.rooms.load(scenario.toWire('r1'), 'all'), null)
    service.rooms.set(scenario.toWire('r2'), { defaultRole: 'listener' })
    t.match(
      await bob.post('rooms/r2/participants'),
      { participants: [{ role: 'listener' }] },
      'the first user in a room is not its host'
    )
  },
  { env }
)

flow(
  'when many join at once, the service is asked once, and not again for an hour',
  async (t, scenario) => {
    const id = scenario.toWire('r1')
    service.rooms.set(id, { callType: 'video' })
    const names = Array.from({ length: 20 }, (_, i) => `guest${i}`)
    const guests = await Promise.all(names.map(name => scenario.addClient(name, 'phone', { silent: true })))
    const replies = await Promise.all(guests.map(join))
    t.ok(replies.every(({ status }) => status === 201))
    t.equal(service.askedFor(id), 1)
    const late = await scenario.addClient('late', 'phone', { node: scenario.lastNode, silent: true })
    t.match(await join(late), { status: 201 })
    t.equal(service.askedFor(id), 1, 'not by another node either')
    scenario.cluster.clock.advance(3_600_000)
    await scenario.cluster.settle()
    await late.request('GET', 'rooms/r1')
    t.equal(service.askedFor(id), 2)
  },
  { env, ownCluster: true }
)

flow(
  'when two nodes need an answer at once, one asks; a node that waits too long asks itself',
  async (t, scenario) => {
    const id = scenario.toWire('r1')
    service.rooms.set(id, { callType: 'video' })
    const names = Array.from({ length: 12 }, (_, i) => `guest${i}`)
    const guests = await Promise.all(
      names.map((name, i) => scenario.addClient(name, 'phone', { silent: true, node: i % 2 ? scenario.lastNode : 0 }))
    )
    const release = service.holdReplies()
    const joining = Promise.all(guests.map(join))
    await until('the service is asked', () => service.askedFor(id) === 1)
    // Both nodes look for the answer several times meanwhile.
    for (let n = 0; n < 20; n++) await scenario.advance(20)
    release()
    const replies = await scenario.advanceDuring(joining)
    t.ok(replies.every(({ status }) => status === 201))
    t.equal(service.askedFor(id), 1)

    const other = scenario.toWire('r2')
    service.rooms.set(other, { callType: 'video' })
    const lockOfDeadNode = { tag: 'dead', value: '' }
    await scenario.store.cachedAnswers.put(`asked:${other}`, lockOfDeadNode, { keepMs: 1_500, ifTag: null })
    const [guest] = guests as [TestClient]
    t.match(await scenario.advanceDuring(guest.request('POST', 'rooms/r2/participants')), { status: 201 })
    t.equal(service.askedFor(other), 1)
  },
  { env }
)

flow(
  'when the service is down, its last answer is served for a day and no longer',
  async (t, scenario) => {
    const alice = await scenario.addClient('alice', 'phone', { silent: true })
    const [hour, minute] = [3_600_000, 60_000]
    service.rooms.set(scenario.toWire('r1'), { roles: { [scenario.toWire('alice')]: 'moderator' } })
    await alice.post(JOIN)
    service.stop()
    t.teardown(() => service.restart())
    const key = new TextEncoder().encode(String(scenario.config.jwtSecret[0]))
    const token = new SignJWT().setSubject(scenario.toWire('alice')).setExpirationTime('3d')
    const authorization = `Bearer ${await token.setProtectedHeader({ alg: 'HS256' }).sign(key)}`
    const codeAfter = async (ms: number) => {
      scenario.cluster.clock.advance(ms)
      await scenario.cluster.settle()
      const reply = await fetch(`${scenario.urlOf(scenario.lastNode)}/v1/rooms/${scenario.toPath('r1')}`, {
        headers: { authorization }
      })
      return ((await reply.json()) as { code: string }).code
    }
    // Alice may have left by then and the room may be closed: only whether the old answer is served is checked.
    t.not(await codeAfter(24 * hour - minute), 'room_service_unavailable')
    t.equal(await codeAfter(2 * minute), 'room_service_unavailable')
    service.restart()
  },
  { env, ownCluster: true }
)

flow(
  'when the service did not know a room, it is asked again after ten seconds',
  async (t, scenario) => {
    const id = scenario.toWire('r1')
    const alice = await scenario.addClient('alice', 'phone')
    await alice.expectRefusal('room_not_found', JOIN)
    service.rooms.set(id, { callType: 'video' })
    await scenario.advance(9_000)
    await alice.expectRefusal('room_not_found', JOIN)
    t.equal(service.askedFor(id), 1)
    await scenario.advance(1_000)
    await alice.post(JOIN)
    t.equal(service.askedFor(id), 2)
  },
  { env }
)

flow(
  'when the service is down, known rooms go on, unknown ones are refused, and leaving is always possible',
  async (t, scenario) => {
    const [alice, bob] = [
      await scenario.addClient('alice', 'phone', { silent: true }),
      await scenario.addClient('bob', 'laptop', { node: scenario.lastNode, silent: true })
    ]
    service.rooms.set(scenario.toWire('r1'), { roles: { [scenario.toWire('bob')]: 'moderator' } })
    const { participantId } = await alice.post(JOIN)
    service.stop()
    t.teardown(() => service.restart())
    scenario.cluster.clock.advance(3_600_001)
    await scenario.cluster.settle()
    const { participants } = await bob.post(JOIN)
    const own = (participants as TestClient[]).find(({ user }) => user === 'bob')
    t.match(own, { role: 'moderator' }, 'the old answer is served')
    await alice.expectRefusal('room_service_unavailable', 'rooms/r2/participants')
    await push(scenario, 'DELETE')
    await bob.expectRefusal('room_service_unavailable', JOIN)
    t.equal((await alice.request('DELETE', `rooms/r1/participants/${participantId}`)).status, 204)
    service.restart()
    await alice.post(JOIN)
  },
  { env, ownCluster: true }
)

flow(
  'when the service does not reply in time, the request is refused',
  async (t, scenario) => {
    const alice = await scenario.addClient('alice', 'phone')
    const release = service.holdReplies()
    await alice.expectRefusal('room_service_unavailable', JOIN)
    release()
    service.rooms.set(scenario.toWire('r1'), { callType: 'video' })
    await alice.post(JOIN)
    const metrics = await (await fetch(`${scenario.urlOf(0)}/metrics`)).text()
    t.match(metrics, /room_service_answers_total\{outcome="failed"\} [1-9]/)
  },
  { env }
)

flow(
  'when the service pushes a change, participants receive it and the service is not asked',
  async (t, scenario) => {
    const id = scenario.toWire('r1')
    const [alice, bob] = await scenario.addAliceAndBob()
    const roles = { [scenario.toWire('alice')]: 'host' }
    service.rooms.set(id, { roles })
    for (const who of [alice, bob]) await who.post(JOIN)
    await alice.expectEvent('room.participant_joined')
    const change = { roles, locked: true, metadata: { topic: 'late' }, mode: 'p2p' }
    t.equal((await push(scenario, 'PUT', change)).status, 204)
    for (const who of [alice, bob]) {
      t.strictSame((await who.expectEvent('room.updated')).changes, { locked: true, metadata: { topic: 'late' } })
    }
    const carol = await scenario.addClient('carol', 'tablet')
    await carol.expectRefusal('room_locked', JOIN)
    t.equal(service.askedFor(id), 1)
    t.equal((await push(scenario, 'PUT', { locked: 'yes' })).status, 400)
    t.equal((await push(scenario, 'PUT', { locked: false }, 'wrong-secret')).status, 401)
    t.equal((await push(scenario, 'DELETE', undefined, '')).status, 401)
  },
  { env }
)

flow(
  'when the service changes roles, participants have them at once, by a push and by the next answer',
  async (t, scenario) => {
    const id = scenario.toWire('r1')
    const [alice, bob] = await scenario.addAliceAndBob()
    const guest = await scenario.addClient('guest', 'tablet', { rooms: { r1: { role: 'speaker' } } })
    const roles = (a: string, b: string) => ({
      roles: { [scenario.toWire('alice')]: a, [scenario.toWire('bob')]: b, [scenario.toWire('guest')]: 'host' }
    })
    service.rooms.set(id, roles('host', 'listener'))
    await alice.post(JOIN)
    const { participantId } = await bob.post(JOIN)
    await guest.post(JOIN)
    await alice.expectEvents('room.participant_joined', 'room.participant_joined')
    await bob.expectEvent('room.participant_joined')
    t.match(await bob.request('PUT', 'rooms/r1', { locked: true }), { body: { code: 'not_permitted' } })
    const expectRole = async (user: string, role: string) => {
      for (const who of [alice, bob, guest]) {
        t.match(await who.expectEvent('room.participant_updated'), { participant: { user, role }, by: null })
      }
    }
    t.equal((await push(scenario, 'PUT', roles('host', 'host'))).status, 204)
    await expectRole('bob', 'host')
    t.equal((await push(scenario, 'PUT', roles('host', 'host'))).status, 204)
    t.match(await bob.request('PUT', 'rooms/r1', { locked: true }), { status: 200 })
    for (const who of [alice, guest]) await who.expectEvent('room.updated')

    t.match(await bob.request('PATCH', `rooms/r1/participants/${participantId}`, { role: 'speaker' }), { status: 200 })
    for (const who of [alice, guest]) await who.expectEvent('room.participant_updated')
    service.rooms.set(id, roles('listener', 'host'))
    scenario.cluster.clock.advance(3_600_000)
    await scenario.cluster.settle()
    const { body } = await guest.request('GET', 'rooms/r1')
    t.match(
      body,
      { participants: [{ role: 'host' }, { role: 'speaker' }, { role: 'speaker' }] },
      'a user with claims in the token causes no request to the service'
    )
    const late = await alice.request('PUT', 'rooms/r1', { locked: false })
    t.match(late, { body: { code: 'not_permitted' } }, 'the service is asked before the action')
    await expectRole('alice', 'listener')
  },
  { env, ownCluster: true }
)

flow(
  'when the service drops a room, it is asked again',
  async (t, scenario) => {
    const id = scenario.toWire('r1')
    const [alice, bob] = await scenario.addAliceAndBob()
    await alice.expectRefusal('room_not_found', JOIN)
    service.rooms.set(id, { callType: 'video' })
    t.equal((await push(scenario, 'DELETE')).status, 204)
    await bob.post(JOIN)
    t.equal(service.askedFor(id), 2)
  },
  { env }
)

flow(
  'when a room is pushed during a lookup, the pushed room is kept',
  async (t, scenario) => {
    const id = scenario.toWire('r1')
    const alice = await scenario.addClient('alice', 'phone')
    service.rooms.set(id, { maxParticipants: 9 })
    const release = service.holdReplies()
    const joining = alice.post(JOIN)
    await until('the service is asked', () => service.askedFor(id) === 1)
    await push(scenario, 'PUT', { maxParticipants: 5 })
    release()
    t.match(await joining, { room: { maxParticipants: 5 } })
  },
  { env }
)

flow('when no room service is configured, the push routes do not exist', async (t, scenario) => {
  for (const method of ['PUT', 'DELETE'] as const) t.equal((await push(scenario, method)).status, 404)
})
