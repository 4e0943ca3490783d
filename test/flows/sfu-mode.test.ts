// The mode of a room: from the host, the token and the room service, also while participants are in it.
import t from 'tap'
import {
  addClients,
  closeMedia,
  connect,
  meetOnMedia,
  passUntil,
  sessionOf,
  startMedia
} from '../helpers/media-fixture.js'
import { RoomService } from '../helpers/room-service.js'
import { join } from '../helpers/rooms.js'
import { flow } from '../helpers/scenario.js'
import { until } from '../helpers/until.js'

const media = await startMedia(1)
const [service] = media.services
const SECRET = 'the-secret-of-the-room-service-is-long'
const rooms = await RoomService.start(SECRET)
t.teardown(async () => {
  await closeMedia(media)
  await rooms.close()
})

flow(
  'when a host switches to sfu and back while people are in, a session is opened and deleted',
  async (t, scenario) => {
    await connect(scenario, media)
    const joined = await meetOnMedia(await addClients(scenario, 3), { mode: 'p2p' })
    const [host, ...others] = joined
    if (!host || !service) return
    const toSfu = await host.who.request('PUT', 'rooms/r1', { mode: 'sfu' })
    t.match(toSfu, { status: 200, body: { room: { mode: 'sfu' } } })
    t.strictSame(Object.keys(toSfu.body), ['room'])
    for (const { who } of others) {
      const data = await who.expectEvent('room.updated')
      t.match(data, { changes: { mode: 'sfu' }, by: host.who.endpoint })
      t.notOk('offerOrder' in data)
    }
    await until(
      'the session is opened before anyone asks',
      () => service.sessionsOf(scenario.toWire('r1')).length === 1
    )
    const sessionId = await scenario.advanceDuring(sessionOf(host.who))
    const offerOrder = joined.map(({ id }) => id)
    const reply = await host.who.request('PUT', 'rooms/r1', { mode: 'p2p' })
    t.match(reply, { status: 200, body: { room: { mode: 'p2p' }, offerOrder } }, 'the host gets no event')
    for (const { who } of others) {
      const data = await who.expectEvent('room.updated')
      t.match(data, { changes: { mode: 'p2p' }, by: host.who.endpoint, offerOrder })
      t.equal(data.version, (reply.body.room as { version: number }).version)
    }
    t.match(await host.who.request('PUT', 'rooms/r1', { mode: 'p2p' }), { body: { offerOrder } }, 'also to a retry')
    t.notOk('offerOrder' in (await host.who.request('PUT', 'rooms/r1', { locked: false })).body)
    for (const { who } of others) await who.expectEvents('room.updated', 'room.updated')
    await until('the session is deleted', () => !service.sessions.has(sessionId))
    t.match(await host.who.request('GET', 'rooms/r1/sfu/capabilities'), { status: 409, body: { code: 'not_sfu' } })
    await host.who.request('PUT', 'rooms/r1', { mode: 'sfu' })
    for (const { who } of others) await who.expectEvent('room.updated')
    t.not(await scenario.advanceDuring(sessionOf(host.who)), sessionId)
  },
  { env: media.env }
)

flow(
  'a participant who is no host cannot switch the mode',
  async (t, scenario) => {
    await connect(scenario, media)
    const [, guest] = await meetOnMedia(await addClients(scenario, 2))
    const refused = await guest?.who.request('PUT', 'rooms/r1', { mode: 'p2p' })
    t.match(refused, { status: 403, body: { code: 'not_permitted' } })
  },
  { env: media.env }
)

flow(
  'a room that a user creates has the mode of the token, and an existing one keeps its own',
  async (t, scenario) => {
    await connect(scenario, media)
    const alice = await scenario.addClient('alice', 'phone', { rooms: { r1: { role: 'host', mode: 'sfu' } } })
    await join(alice, 'r1')
    t.match(await alice.request('GET', 'rooms/r1'), { body: { room: { mode: 'sfu' } } })
    t.ok(await sessionOf(alice))
    const bob = await scenario.addClient('bob', 'laptop', { rooms: { r1: { role: 'speaker', mode: 'p2p' } } })
    await join(bob, 'r1')
    await alice.expectEvent('room.participant_joined')
    t.match(await bob.request('GET', 'rooms/r1'), { body: { room: { mode: 'sfu' } } })
  },
  { env: media.env }
)

flow(
  'a room has the mode that the room service gives it, also when the service changes it',
  async (t, scenario) => {
    await connect(scenario, media)
    const roomId = scenario.toWire('r1')
    rooms.rooms.set(roomId, { mode: 'sfu', defaultRole: 'speaker' })
    const [alice, bob] = await addClients(scenario, 2)
    if (!alice || !bob) return
    const ids = [(await join(alice, 'r1')).id, (await join(bob, 'r1')).id]
    await alice.expectEvent('room.participant_joined')
    const sessionId = await sessionOf(alice)
    const pushed = await fetch(`${scenario.urlOf(0)}/internal/rooms/${scenario.toPath('r1')}`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${SECRET}`, 'content-type': 'application/json' },
      body: JSON.stringify({ mode: 'p2p', defaultRole: 'speaker' })
    })
    t.equal(pushed.status, 204)
    for (const who of [alice, bob]) {
      t.match(await who.expectEvent('room.updated'), { changes: { mode: 'p2p' }, by: null, offerOrder: ids })
    }
    await until('the session is deleted', () => !service?.sessions.has(sessionId))
  },
  { env: { ...media.env, ROOM_SERVICE_URL: rooms.url, ROOM_SERVICE_SECRET: SECRET } }
)

flow(
  'when a node starts while the service of a room is down, it has the room moved, and recovers it',
  async (t, scenario) => {
    await connect(scenario, media)
    const clients = await addClients(scenario, 2)
    await meetOnMedia(clients, { p2pFallback: false })
    const [host] = clients
    if (!host || !service) return
    await sessionOf(host)
    service.kill()
    const started = await scenario.cluster.addNode()
    for (let node = 0; node < started; node++) await scenario.cluster.closeNode(node)
    for (const client of clients) {
      client.useNode(started)
      await client.openStream()
    }
    await scenario.advanceDuring(Promise.all(clients.map(client => client.expectEvent('sfu.unavailable'))))
    const { status, body } = await host.request('GET', 'rooms/r1/sfu/capabilities')
    t.match({ status, code: body.code }, { status: 503, code: 'media_unavailable' })
    service.restart()
    const available = await scenario.advanceDuring(
      Promise.all(clients.map(client => client.expectEvent('sfu.available')))
    )
    t.equal(await scenario.advanceDuring(sessionOf(host)), available[0]?.sessionId)
  },
  { env: media.env, ownCluster: true }
)

flow(
  'a service that is not configured any more is left: its rooms move',
  async (t, scenario) => {
    await connect(scenario, media)
    const clients = await addClients(scenario, 2)
    await meetOnMedia(clients)
    const now = scenario.now()
    const session = { state: 'open', sessionId: 'old', service: 'removed.example:1', instance: 'i', placedAt: now }
    await scenario.store.rooms.commit(scenario.toWire('r1'), {
      ...{ reads: {}, writes: { sfu: JSON.stringify(session) }, participantsMax: 9, items: [], tag: 'x' },
      ...{ deadlineAt: null, emptyDeadlineAt: now + 1e6, expireInMs: null, node: 'dead', now }
    })
    const [host] = clients
    t.match(await host?.request('GET', 'rooms/r1/sfu/capabilities'), { status: 503 })
    const resets = await scenario.advanceDuring(Promise.all(clients.map(client => client.expectEvent('sfu.reset'))))
    await passUntil(scenario, 'the session is open', () => service?.sessions.has(String(resets[0]?.sessionId)))
  },
  { env: media.env }
)
