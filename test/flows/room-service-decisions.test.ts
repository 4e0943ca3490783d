// Answers of the room service about rooms that it has deleted and users whom it does not let in, and invalid answers.
import t from 'tap'
import { createToken } from '../../src/development.js'
import { sendBytes } from '../helpers/fuzz-target.js'
import { RoomService } from '../helpers/room-service.js'
import { flow, type Scenario } from '../helpers/scenario.js'

const SECRET = 'shared-with-the-room-service-of-these-flows'
const service = await RoomService.start(SECRET)
t.teardown(() => service.close())

const env = { ROOM_SERVICE_URL: service.url, ROOM_SERVICE_SECRET: SECRET, ROOM_SERVICE_TIMEOUT_MS: '1000' }
const JOIN = 'rooms/r1/participants'

const push = (scenario: Scenario, method: 'PUT' | 'DELETE', body?: object): Promise<Response> =>
  fetch(`${scenario.urlOf(scenario.lastNode)}/internal/rooms/${scenario.toPath('r1')}`, {
    method,
    headers: { authorization: `Bearer ${SECRET}`, ...(body ? { 'content-type': 'application/json' } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {})
  })

/** A request with the user id and path as given. */
async function askAs(scenario: Scenario, user: string, [method, path]: readonly [method: string, path: string]) {
  const authorization = `Bearer ${await createToken(scenario.config, { user })}`
  const reply = await fetch(`${scenario.urlOf(0)}/v1/${path}`, { method, headers: { authorization } })
  return { status: reply.status, body: (await reply.json()) as Record<string, unknown> }
}

flow(
  'when the service deletes and drops a room, it is closed and no user can read, join or create it',
  async (t, scenario) => {
    const [alice, bob] = await scenario.addAliceAndBob()
    const carol = await scenario.addClient('carol', 'tablet', { silent: true })
    service.rooms.set(scenario.toWire('r1'), { defaultRole: 'none', roles: { [scenario.toWire('alice')]: 'host' } })
    await alice.post(JOIN)
    await bob.expectRefusal('room_not_found', JOIN)
    service.rooms.delete(scenario.toWire('r1'))
    t.equal((await push(scenario, 'DELETE')).status, 204)
    t.match(await alice.expectEvent('room.closed'), { reason: 'closed', by: null })
    for (const who of [alice, bob, carol]) {
      await who.expectRefusal('room_not_found', JOIN)
      t.match(await who.request('GET', 'rooms/r1'), { body: { code: 'room_not_found' } })
      t.match(await who.request('GET', 'rooms/r1/messages'), { body: { code: 'room_not_found' } })
      t.match(await who.request('PUT', 'rooms/r1', {}), { body: { code: 'room_not_found' } })
    }
  },
  { env }
)

flow(
  'when the service deletes a room without dropping it, the room is closed once the answer is an hour old',
  async (t, scenario) => {
    const [alice, bob] = [
      await scenario.addClient('alice', 'phone', { silent: true }),
      await scenario.addClient('bob', 'phone', { node: scenario.lastNode, silent: true })
    ]
    service.rooms.set(scenario.toWire('r1'), { callType: 'audio' })
    await alice.post(JOIN)
    service.rooms.delete(scenario.toWire('r1'))
    t.match(await bob.post(JOIN), { room: { callType: 'audio' } }, 'until then the cached answer is used')
    scenario.cluster.clock.advance(3_600_001)
    await bob.expectRefusal('room_not_found', JOIN)
    const room = await scenario.store.rooms.load(scenario.toWire('r1'), ['settings'])
    t.match(JSON.parse(room?.fields.get('settings')?.value ?? '{}'), { closed: /closed|empty/ })
  },
  { env, ownCluster: true }
)

flow(
  'when the service no longer lets a participant in, it is removed and others stay',
  async (t, scenario) => {
    const [alice, bob] = await scenario.addAliceAndBob()
    const roles = { [scenario.toWire('alice')]: 'moderator' }
    service.rooms.set(scenario.toWire('r1'), { roles })
    await alice.post(JOIN)
    await bob.post(JOIN)
    await alice.expectEvent('room.participant_joined')
    const membersOnly = { defaultRole: 'none', roles }
    service.rooms.set(scenario.toWire('r1'), membersOnly)
    t.equal((await push(scenario, 'PUT', membersOnly)).status, 204)
    await alice.expectEvents('room.updated', 'room.participant_left')
    await bob.expectEvent('room.updated')
    t.match(await bob.expectEvent('room.participant_left'), { reason: 'removed', by: null })
    await bob.expectRefusal('room_not_found', 'rooms/r1/messages', { content: 'x' })
    await alice.post('rooms/r1/messages', { content: 'x' })
  },
  { env }
)

flow(
  'when a user id is the name of a property of every object, the user gets the default role',
  async (t, scenario) => {
    service.rooms.set('members', { defaultRole: 'none', grants: { alice: ['join'] }, roles: { alice: 'host' } })
    for (const name of ['constructor', 'toString', 'hasOwnProperty', '__proto__']) {
      const reply = await askAs(scenario, name, ['POST', 'rooms/members/participants'])
      t.match(reply, { status: 404, body: { code: 'room_not_found' } }, name)
    }
  },
  { env }
)

flow(
  'when the answer of the service is no valid room, the request is refused with room_service_unavailable',
  async (t, scenario) => {
    const alice = await scenario.addClient('alice', 'phone', { silent: true })
    for (const [i, answer] of [{}, { error: 'no such room' }, { locked: 'no' }, { roles: [] }, []].entries()) {
      service.rooms.set(scenario.toWire(`bad${i}`), answer)
      await alice.expectRefusal('room_service_unavailable', `rooms/bad${i}/participants`)
      t.equal(await scenario.store.rooms.load(scenario.toWire(`bad${i}`), 'all'), null)
    }
    t.equal((await push(scenario, 'PUT', {})).status, 400)
    t.equal((await push(scenario, 'PUT', { title: 'x' })).status, 400)
  },
  { env }
)

flow(
  'when a user looks up unknown rooms, each lookup is charged, and the answer is cached for ten seconds',
  async (t, scenario) => {
    const [eve, alice] = await scenario.addAliceAndBob()
    for (const room of ['x1', 'x2']) {
      t.match(await eve.request('GET', `rooms/${room}`), { body: { code: 'room_not_found' } })
    }
    t.match(await eve.request('GET', 'rooms/x3'), { status: 429, body: { code: 'rate_limited' } })
    t.equal(service.askedFor(scenario.toWire('x1')), 1)
    t.equal(service.askedFor(scenario.toWire('x3')), 0)
    service.rooms.set(scenario.toWire('r1'), { callType: 'audio' })
    await alice.post(JOIN)
    t.match(
      await eve.request('GET', 'rooms/r1'),
      { body: { code: 'room_not_found' } },
      'a cached answer that lets the user in is not charged'
    )
  },
  { env: { ...env, RATE_LIMIT_LOOKUPS: '2' } }
)

flow(
  'when a user is not let in, they are charged alike, whether the room exists and whether the answer is cached',
  async (t, scenario) => {
    const membersOnly = { roles: { [scenario.toWire('alice')]: 'host' }, defaultRole: 'none' }
    for (const room of ['r1', 'r2', 'r3']) service.rooms.set(scenario.toWire(room), membersOnly)
    const alice = await scenario.addClient('alice', 'phone', { silent: true })
    for (const room of ['r1', 'r2', 'r3']) await alice.post(`rooms/${room}/participants`)
    service.rooms.set(scenario.toWire('n1'), membersOnly)
    const lookups = {
      'a room that is open': ['r1', 'r1', 'r1', 'r1'],
      'rooms that are open': ['r1', 'r2', 'r3', 'r1'],
      'a room that was not asked for before': ['n1', 'n1', 'n1', 'n1'],
      'a room that does not exist': ['x1', 'x1', 'x1', 'x1'],
      'rooms that do not exist': ['x2', 'x3', 'x4', 'x5'],
      both: ['x6', 'r1', 'x6', 'r2']
    }
    for (const [i, [name, rooms]] of Object.entries(lookups).entries()) {
      for (const [path, method] of [
        ['', 'GET'],
        ['/participants', 'POST']
      ] as const) {
        const eve = await scenario.addClient(`eve${i}${method}`, 'phone', {
          silent: true,
          node: i % 2 ? 0 : scenario.lastNode
        })
        const codes: unknown[] = []
        for (const room of rooms) codes.push((await eve.request(method, `rooms/${room}${path}`)).body.code)
        t.strictSame(codes, [...Array(3).fill('room_not_found'), 'rate_limited'], `${method} of ${name}`)
      }
    }
    for (let n = 0; n < 9; n++)
      t.equal((await alice.request('GET', 'rooms/r1')).status, 200, 'a participant is not charged')
  },
  { env: { ...env, RATE_LIMIT_LOOKUPS: '3' } }
)

flow('when a room id is no path segment, it is refused', async (t, scenario) => {
  const authorization = `Bearer ${await createToken(scenario.config, { user: 'alice' })}`
  // As bytes: a URL resolves these names.
  for (const id of ['.', '..', '%2e', '%2e%2e', '.%2e']) {
    const head = [`GET /v1/rooms/${id} HTTP/1.1`, 'host: x', `authorization: ${authorization}`, 'connection: close']
    const reply = await sendBytes(scenario.urlOf(0), `${head.join('\r\n')}\r\n\r\n`)
    t.match({ status: reply.status, body: await reply.json() }, { status: 400, body: { code: 'invalid_request' } }, id)
  }
})
