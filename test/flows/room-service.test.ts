// Rooms that a service knows: what it says counts, it is asked seldom, and people hardly notice when it is gone.
import { SignJWT } from 'jose'
import t from 'tap'
import { RoomService } from '../helpers/room-service.js'
import { flow, type Scenario } from '../helpers/scenario.js'
import { sdp } from '../helpers/sdp.js'
import type { TestClient } from '../helpers/test-client.js'
import { until } from '../helpers/until.js'

const SECRET = 'shared-with-the-room-service-32-bytes'
const service = await RoomService.start(SECRET)
t.teardown(() => service.dies())

const env = { ROOM_SERVICE_URL: service.url, ROOM_SERVICE_SECRET: SECRET, ROOM_SERVICE_TIMEOUT_MS: '1000' }
const JOIN = 'rooms/r1/participants'

/** What the service does with its side of the contract. */
function tell(scenario: Scenario, method: 'PUT' | 'DELETE', body?: object, secret = SECRET): Promise<Response> {
  return fetch(`${scenario.urlOf(scenario.lastNode)}/internal/rooms/${scenario.toWire('r1')}`, {
    method,
    headers: { authorization: `Bearer ${secret}`, ...(body ? { 'content-type': 'application/json' } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {})
  })
}

const joins = (who: TestClient) => who.request('POST', JOIN)

flow(
  'settings, roles and grants are what the service says',
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
    t.match(await joins(bob), {
      status: 201,
      body: { room: { callType: 'audio', maxParticipants: 3, locked: false }, participants: [{ role: 'listener' }] }
    })
    const { participantId, participants } = await alice.post(JOIN)
    t.match(participants, [{ user: 'bob' }, { user: 'alice', role: 'moderator' }])
    await carol.post(JOIN)
    await bob.expectEvents('room.participant_joined', 'room.participant_joined')
    await alice.expectEvent('room.participant_joined')
    await carol.expectRefusal('not_permitted', 'rooms/r1/offer', { to: participantId, sdp: sdp('carolC') })
    t.match(await bob.request('PUT', 'rooms/r1', { locked: true }), { body: { code: 'not_permitted' } }, 'no host')
  },
  { env }
)

flow(
  'nobody makes a room that the service does not know, by joining or ahead of time, whatever their token',
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
    t.match(await bob.post('rooms/r2/participants'), { participants: [{ role: 'listener' }] }, 'nor is host in one')
  },
  { env }
)

flow(
  'however many come at once, the service is asked once, and then not for an hour',
  async (t, scenario) => {
    const id = scenario.toWire('r1')
    service.rooms.set(id, { callType: 'video' })
    const names = Array.from({ length: 20 }, (_, i) => `guest${i}`)
    const guests = await Promise.all(names.map(name => scenario.addClient(name, 'phone', { silent: true })))
    const replies = await Promise.all(guests.map(joins))
    t.ok(replies.every(({ status }) => status === 201))
    t.equal(service.askedFor(id), 1)
    const late = await scenario.addClient('late', 'phone', { node: scenario.lastNode, silent: true })
    t.match(await joins(late), { status: 201 })
    t.equal(service.askedFor(id), 1, 'nor by another node')
    scenario.cluster.clock.advance(3_600_000)
    await scenario.cluster.settle()
    await late.request('GET', 'rooms/r1')
    t.equal(service.askedFor(id), 2)
  },
  { env, ownCluster: true }
)

flow(
  'nodes that miss at once ask once, and one that waits in vain asks itself',
  async (t, scenario) => {
    const id = scenario.toWire('r1')
    service.rooms.set(id, { callType: 'video' })
    const names = Array.from({ length: 12 }, (_, i) => `guest${i}`)
    const guests = await Promise.all(
      names.map((name, i) => scenario.addClient(name, 'phone', { silent: true, node: i % 2 ? scenario.lastNode : 0 }))
    )
    const speak = service.fallsSilent()
    const joining = Promise.all(guests.map(joins))
    await until('the service is asked', () => service.askedFor(id) === 1)
    // Both nodes look again and again meanwhile.
    for (let n = 0; n < 20; n++) await scenario.advance(20)
    speak()
    const replies = await scenario.advanceDuring(joining)
    t.ok(replies.every(({ status }) => status === 201))
    t.equal(service.askedFor(id), 1)

    const other = scenario.toWire('r2')
    service.rooms.set(other, { callType: 'video' })
    const ofADeadNode = { tag: 'dead', value: '' }
    await scenario.store.cachedAnswers.put(`asked:${other}`, ofADeadNode, { keepMs: 1_500, ifTag: null })
    const [guest] = guests as [TestClient]
    t.match(await scenario.advanceDuring(guest.request('POST', 'rooms/r2/participants')), { status: 201 })
    t.equal(service.askedFor(other), 1)
  },
  { env }
)

flow(
  'when it is gone for good its word is believed for a day, and no longer',
  async (t, scenario) => {
    const alice = await scenario.addClient('alice', 'phone', { silent: true })
    const [hour, minute] = [3_600_000, 60_000]
    service.rooms.set(scenario.toWire('r1'), { roles: { [scenario.toWire('alice')]: 'moderator' } })
    await alice.post(JOIN)
    await service.dies()
    t.teardown(() => service.revive().catch(() => undefined))
    const key = new TextEncoder().encode(String(scenario.config.jwtSecret[0]))
    const token = new SignJWT().setSubject(scenario.toWire('alice')).setExpirationTime('3d')
    const authorization = `Bearer ${await token.setProtectedHeader({ alg: 'HS256' }).sign(key)}`
    const isAnsweredAfter = async (ms: number) => {
      scenario.cluster.clock.advance(ms)
      await scenario.cluster.settle()
      const reply = await fetch(`${scenario.urlOf(scenario.lastNode)}/v1/rooms/${scenario.toWire('r1')}`, {
        headers: { authorization }
      })
      return ((await reply.json()) as { code: string }).code
    }
    // She may have left by then, and the room with her: what counts is whether the service's word is still good.
    t.not(await isAnsweredAfter(24 * hour - minute), 'room_service_unavailable')
    t.equal(await isAnsweredAfter(2 * minute), 'room_service_unavailable')
    await service.revive()
  },
  { env, ownCluster: true }
)

flow(
  'what it does not know it is asked for again after ten seconds',
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
  'a dead service: what is known goes on, what is not has to wait, and anybody may leave',
  async (t, scenario) => {
    const [alice, bob] = [
      await scenario.addClient('alice', 'phone', { silent: true }),
      await scenario.addClient('bob', 'laptop', { node: scenario.lastNode, silent: true })
    ]
    service.rooms.set(scenario.toWire('r1'), { roles: { [scenario.toWire('bob')]: 'moderator' } })
    const { participantId } = await alice.post(JOIN)
    await service.dies()
    t.teardown(() => service.revive().catch(() => undefined))
    scenario.cluster.clock.advance(3_600_001)
    await scenario.cluster.settle()
    const { participants } = await bob.post(JOIN)
    const own = (participants as TestClient[]).find(({ user }) => user === 'bob')
    t.match(own, { role: 'moderator' }, 'an old copy is better than none')
    await alice.expectRefusal('room_service_unavailable', 'rooms/r2/participants')
    await tell(scenario, 'DELETE')
    await bob.expectRefusal('room_service_unavailable', JOIN)
    t.equal((await alice.request('DELETE', `rooms/r1/participants/${participantId}`)).status, 204)
    await service.revive()
    await alice.post(JOIN)
  },
  { env, ownCluster: true }
)

flow(
  'a service that is silent is not waited for',
  async (t, scenario) => {
    const alice = await scenario.addClient('alice', 'phone')
    const speak = service.fallsSilent()
    await alice.expectRefusal('room_service_unavailable', JOIN)
    speak()
    service.rooms.set(scenario.toWire('r1'), { callType: 'video' })
    await alice.post(JOIN)
    const metrics = await (await fetch(`${scenario.urlOf(0)}/metrics`)).text()
    t.match(metrics, /room_service_answers_total\{outcome="failed"\} [1-9]/)
  },
  { env }
)

flow(
  'the service pushes a change: people in the room hear of it, and nobody has to ask',
  async (t, scenario) => {
    const id = scenario.toWire('r1')
    const [alice, bob] = await scenario.addAliceAndBob()
    const roles = { [scenario.toWire('alice')]: 'host' }
    service.rooms.set(id, { roles })
    for (const who of [alice, bob]) await who.post(JOIN)
    await alice.expectEvent('room.participant_joined')
    const change = { roles, locked: true, metadata: { topic: 'late' }, mode: 'p2p' }
    t.equal((await tell(scenario, 'PUT', change)).status, 204)
    for (const who of [alice, bob]) {
      t.strictSame((await who.expectEvent('room.updated')).changes, { locked: true, metadata: { topic: 'late' } })
    }
    const carol = await scenario.addClient('carol', 'tablet')
    await carol.expectRefusal('room_locked', JOIN)
    t.equal(service.askedFor(id), 1)
    t.equal((await tell(scenario, 'PUT', { locked: 'yes' })).status, 400)
    t.equal((await tell(scenario, 'PUT', { locked: false }, 'a guess')).status, 401)
    t.equal((await tell(scenario, 'DELETE', undefined, '')).status, 401)
  },
  { env }
)

flow(
  'roles that the service changes count at once for those who are in, whether it says so or is asked again',
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
    const hear = async (user: string, role: string) => {
      for (const who of [alice, bob, guest]) {
        t.match(await who.expectEvent('room.participant_updated'), { participant: { user, role }, by: null })
      }
    }
    t.equal((await tell(scenario, 'PUT', roles('host', 'host'))).status, 204)
    await hear('bob', 'host')
    t.equal((await tell(scenario, 'PUT', roles('host', 'host'))).status, 204)
    t.match(await bob.request('PUT', 'rooms/r1', { locked: true }), { status: 200 })
    for (const who of [alice, guest]) await who.expectEvent('room.updated')

    t.match(await bob.request('PATCH', `rooms/r1/participants/${participantId}`, { role: 'speaker' }), { status: 200 })
    for (const who of [alice, guest]) await who.expectEvent('room.participant_updated')
    service.rooms.set(id, roles('listener', 'host'))
    scenario.cluster.clock.advance(3_600_000)
    await scenario.cluster.settle()
    const { body } = await guest.request('GET', 'rooms/r1')
    t.match(body, { participants: [{ role: 'host' }, { role: 'speaker' }, { role: 'speaker' }] }, 'a token asks nobody')
    const late = await alice.request('PUT', 'rooms/r1', { locked: false })
    t.match(late, { body: { code: 'not_permitted' } }, 'what somebody may do is asked before they do it')
    await hear('alice', 'listener')
  },
  { env, ownCluster: true }
)

flow(
  'the service drops a room: it is asked again',
  async (t, scenario) => {
    const id = scenario.toWire('r1')
    const [alice, bob] = await scenario.addAliceAndBob()
    await alice.expectRefusal('room_not_found', JOIN)
    service.rooms.set(id, { callType: 'video' })
    t.equal((await tell(scenario, 'DELETE')).status, 204)
    await bob.post(JOIN)
    t.equal(service.askedFor(id), 2)
  },
  { env }
)

flow(
  'an answer that was under way does not undo a push',
  async (t, scenario) => {
    const id = scenario.toWire('r1')
    const alice = await scenario.addClient('alice', 'phone')
    service.rooms.set(id, { maxParticipants: 9 })
    const speak = service.fallsSilent()
    const joining = alice.post(JOIN)
    await until('the service is asked', () => service.askedFor(id) === 1)
    await tell(scenario, 'PUT', { maxParticipants: 5 })
    speak()
    t.match(await joining, { room: { maxParticipants: 5 } })
  },
  { env }
)

flow('without a service there is nothing to push to', async (t, scenario) => {
  for (const method of ['PUT', 'DELETE'] as const) t.equal((await tell(scenario, method)).status, 404)
})
