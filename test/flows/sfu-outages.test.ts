// Media services that fail: rooms move, wait or fall back to p2p, and no request hangs.
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
import type { TestMediaService } from '../helpers/media-service.js'
import { flow, type Scenario } from '../helpers/scenario.js'
import type { TestClient } from '../helpers/test-client.js'

const media = await startMedia(2, { timeoutMs: 2000 })
const { env, services } = media
t.teardown(() => closeMedia(media))

/** All receive the event, with the same data. */
async function expectAll(scenario: Scenario, clients: readonly TestClient[], type: string) {
  const received = await scenario.advanceDuring(Promise.all(clients.map(client => client.expectEvent(type))))
  t.ok(
    received.every(data => JSON.stringify(data) === JSON.stringify(received[0])),
    type
  )
  return received[0] ?? {}
}

/** A room in mode sfu with a session, and the service that it is on. */
async function start(
  scenario: Scenario,
  count: number,
  settings?: object
): Promise<{ clients: TestClient[]; ids: string[]; sessionId: string; service: TestMediaService }> {
  await connect(scenario, media)
  const clients = await addClients(scenario, count)
  const joined = await meetOnMedia(clients, settings)
  const [host] = clients
  const sessionId = host ? await sessionOf(host) : ''
  return { clients, ids: joined.map(({ id }) => id), sessionId, service: serviceWith(media, sessionId) }
}

const other = (service: TestMediaService) => services.find(each => each !== service) as TestMediaService

/** All participants get the same session, with one request for it. */
async function expectSession(scenario: Scenario, clients: readonly TestClient[], sessionId: unknown): Promise<void> {
  const sessions = await scenario.advanceDuring(Promise.all(clients.map(sessionOf)))
  t.strictSame(new Set(sessions), new Set([sessionId]))
}

flow(
  'when the service of a room dies, the room moves to the other one with one request',
  async (t, scenario) => {
    const { clients, service } = await start(scenario, 4)
    service.kill()
    const reset = await expectAll(scenario, clients, 'sfu.reset')
    t.equal(reset.reason, 'service_lost')
    await expectSession(scenario, clients, reset.sessionId)
    t.equal(serviceWith(media, String(reset.sessionId)), other(service))
    t.equal(openedFor(scenario, media), 2, 'one for each session')
  },
  { env }
)

flow(
  'when the worker of a session dies, the room gets another session at once',
  async (t, scenario) => {
    const { clients, sessionId, service } = await start(scenario, 4)
    const session = sessionIn(service, sessionId)
    await service.loseSession(sessionId)
    const reset = await expectAll(scenario, clients, 'sfu.reset')
    t.equal(reset.reason, 'worker_died')
    await expectSession(scenario, clients, reset.sessionId)
    const again = { seq: 1, events: [{ type: 'session_lost', reason: 'worker_died' }], notices: [] }
    t.equal(await service.send(session, again), 404, 'the room is on another session')
    await expectSession(scenario, clients, reset.sessionId)
  },
  { env }
)

flow(
  'when the service starts again as another instance, its sessions are replaced',
  async (t, scenario) => {
    const { clients, service } = await start(scenario, 4)
    service.restart()
    const reset = await expectAll(scenario, clients, 'sfu.reset')
    t.equal(reset.reason, 'service_lost')
    await expectSession(scenario, clients, reset.sessionId)
    t.equal(openedFor(scenario, media), 2)
  },
  { env }
)

flow(
  'when all services are down, three participants fall back to p2p and return when one is up',
  async (t, scenario) => {
    const { clients, ids, service } = await start(scenario, 3)
    for (const each of services) each.kill()
    t.equal((await expectAll(scenario, clients, 'sfu.unavailable')).detail, 'Media server unavailable')
    t.match(await expectAll(scenario, clients, 'room.updated'), { changes: { mode: 'p2p' }, by: null, offerOrder: ids })
    const [host] = clients
    t.match(await host?.request('GET', 'rooms/r1'), { body: { room: { mode: 'p2p' } } })
    t.match(await host?.request('GET', 'rooms/r1/sfu/capabilities'), { status: 409, body: { code: 'not_sfu' } })
    other(service).restart()
    t.match(await expectAll(scenario, clients, 'room.updated'), { changes: { mode: 'sfu' }, by: null })
    const { sessionId } = await expectAll(scenario, clients, 'sfu.available')
    await expectSession(scenario, clients, sessionId)
    t.equal(serviceWith(media, String(sessionId)), other(service))
  },
  { env }
)

for (const [name, count, settings] of [
  ['four participants', 4, {}],
  ['participants who do not fall back', 2, { p2pFallback: false }]
] as const) {
  flow(
    `when all services are down, ${name} wait: no request reaches a service, and each is answered media_unavailable`,
    async (t, scenario) => {
      const { clients } = await start(scenario, count, settings)
      for (const each of services) each.kill()
      await expectAll(scenario, clients, 'sfu.unavailable')
      for (const each of services) each.requests.length = 0
      for (const client of clients) {
        const { status, body } = await client.request('GET', 'rooms/r1/sfu/capabilities')
        t.match({ status, code: body.code }, { status: 503, code: 'media_unavailable' })
      }
      t.strictSame(
        services.flatMap(({ requests }) => requests),
        []
      )
      for (const each of services) each.restart()
      const { sessionId } = await expectAll(scenario, clients, 'sfu.available')
      await expectSession(scenario, clients, sessionId)
    },
    { env }
  )
}

flow(
  'four participants who wait for a service fall back to p2p when one of them leaves',
  async (t, scenario) => {
    const { clients, ids } = await start(scenario, 4)
    for (const each of services) each.kill()
    await expectAll(scenario, clients, 'sfu.unavailable')
    const [leaver, ...others] = clients
    t.equal((await leaver?.request('DELETE', `rooms/r1/participants/${ids[0]}`))?.status, 204)
    await expectAll(scenario, others, 'room.participant_left')
    const changed = { changes: { mode: 'p2p' }, by: null, offerOrder: ids.slice(1) }
    t.match(await expectAll(scenario, others, 'room.updated'), changed)
    for (const each of services) each.restart()
    t.match(await expectAll(scenario, others, 'room.updated'), { changes: { mode: 'sfu' }, by: null })
    await expectAll(scenario, others, 'sfu.available')
  },
  { env }
)

flow(
  'when a host chooses p2p while the room has fallen back, it stays p2p',
  async (t, scenario) => {
    const { clients } = await start(scenario, 2)
    for (const each of services) each.kill()
    await expectAll(scenario, clients, 'sfu.unavailable')
    await expectAll(scenario, clients, 'room.updated')
    const [host, guest] = clients
    await host?.request('PUT', 'rooms/r1', { mode: 'sfu' })
    t.match(await guest?.expectEvent('room.updated'), { changes: { mode: 'p2p' } }, 'no service is up')
    await host?.request('PUT', 'rooms/r1', { mode: 'p2p' })
    await guest?.expectEvent('room.updated')
    for (const each of services) each.restart()
    await connect(scenario, media)
    await scenario.advance(12_000)
    t.match(await host?.request('GET', 'rooms/r1'), { body: { room: { mode: 'p2p' } } })
  },
  { env }
)
