// The media session of a room: opened once however many ask, on one service, and by another one when a service fails.
import t from 'tap'
import {
  addClients,
  closeMedia,
  connect,
  meetOnMedia,
  openedFor,
  serviceWith,
  sessionIn,
  sessionOf,
  startMedia
} from '../helpers/media-fixture.js'
import { flow } from '../helpers/scenario.js'
import { until } from '../helpers/until.js'

// All requests together take longer than one may by default.
const media = await startMedia(2, { timeoutMs: 30_000 })
const { env, services } = media
t.teardown(() => closeMedia(media))

flow(
  'when 100 participants join and ask at once, over all nodes, the service gets one request for the session',
  async (t, scenario) => {
    await connect(scenario, media)
    const clients = await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        scenario.addClient(`user${i}`, 'phone', { node: i % (scenario.lastNode + 1), silent: true })
      )
    )
    await clients[0]?.request('PUT', 'rooms/r1', { mode: 'sfu' })
    // Until all have joined no request for the capabilities can be answered.
    const releases = services.map(service => service.inject('openSession', 'hold'))
    const joined = clients.map(client => client.request('POST', 'rooms/r1/participants'))
    const asked = clients.map(async (client, i) => {
      await joined[i]
      return sessionOf(client)
    })
    t.ok((await Promise.all(joined)).every(({ status }) => status === 201))
    await until('the session is asked for', () => openedFor(scenario, media) > 0)
    for (const release of releases) release()
    const sessions = new Set(await scenario.advanceDuring(Promise.all(asked)))
    t.equal(sessions.size, 1)
    t.equal(openedFor(scenario, media), 1)
    const [sessionId = ''] = sessions
    const session = sessionIn(serviceWith(media, sessionId), sessionId)
    t.equal(scenario.fromWire([session.roomId])[0], 'r1')
    t.equal(session.service, serviceWith(media, sessionId).name)
    t.equal(services.flatMap(service => service.sessionsOf(scenario.toWire('r1'))).length, 1)
  },
  { env }
)

flow(
  'when rooms are opened one after the other, each goes to the service with the least load',
  async (t, scenario) => {
    await connect(scenario, media)
    const [alice] = await addClients(scenario, 1)
    if (!alice) return
    const [busy, idle] = services
    if (!busy || !idle) return
    busy.load = 0.9
    idle.load = 0.1
    await scenario.advance(2000)
    await meetOnMedia([alice])
    t.equal(serviceWith(media, await sessionOf(alice)), idle)
  },
  { env }
)

flow(
  'in mode p2p there is no session, and for a stranger no room',
  async (t, scenario) => {
    await connect(scenario, media)
    const [alice, bob] = await addClients(scenario, 2)
    if (!alice || !bob) return
    await meetOnMedia([alice], { mode: 'p2p' })
    t.match(await alice.request('GET', 'rooms/r1/sfu/capabilities'), { status: 409, body: { code: 'not_sfu' } })
    t.match(await bob.request('GET', 'rooms/r1/sfu/capabilities'), { status: 404, body: { code: 'room_not_found' } })
    t.equal(openedFor(scenario, media), 0)
  },
  { env }
)
