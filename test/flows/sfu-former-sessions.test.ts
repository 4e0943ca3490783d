// A session that no room uses any more is closed on its media service, also if the service could not be asked to when the room left it.
import t from 'tap'
import {
  addClients,
  closeMedia,
  connect,
  MEDIA_SECRET,
  meetOnMedia,
  serviceWith,
  sessionOf,
  startMedia
} from '../helpers/media-fixture.js'
import { flow, type Scenario } from '../helpers/scenario.js'
import type { TestClient } from '../helpers/test-client.js'
import { until } from '../helpers/until.js'

const TIMEOUT_MS = 400
const media = await startMedia(2, { timeoutMs: TIMEOUT_MS })
const { env, services } = media
const [first] = services
if (!first) throw new Error('there is no service')
t.teardown(() => closeMedia(media))

async function start(scenario: Scenario): Promise<[host: TestClient, guest: TestClient]> {
  await connect(scenario, media)
  const clients = (await addClients(scenario, 2)) as [TestClient, TestClient]
  await meetOnMedia(clients)
  return clients
}

/** As a node does that opens the session. */
async function openOnFirst(roomId: string, sessionId: string): Promise<void> {
  const body = { roomId, service: first?.name, idleTimeoutMs: 300_000, confirmAfterMs: 90_000, limits: {} }
  const headers = { authorization: `Bearer ${MEDIA_SECRET}`, 'content-type': 'application/json' }
  await fetch(`${first?.url}/sessions/${sessionId}`, { method: 'PUT', headers, body: JSON.stringify(body) })
}

const expectBoth = (scenario: Scenario, clients: readonly TestClient[], type: string) =>
  scenario.advanceDuring(Promise.all(clients.map(client => client.expectEvent(type))))

/** What makes the room leave its session while its service cannot be reached. */
const CAUSES: Readonly<Record<string, (scenario: Scenario, clients: [TestClient, TestClient]) => Promise<unknown>>> = {
  'the room moves to the other service': (scenario, clients) => expectBoth(scenario, clients, 'sfu.reset'),
  'the room closes': async (_, [host, guest]) => {
    await host.request('DELETE', 'rooms/r1')
    await guest.expectEvent('room.closed')
  },
  'the room becomes p2p': async (_, [host, guest]) => {
    await host.request('PUT', 'rooms/r1', { mode: 'p2p' })
    await guest.expectEvent('room.updated')
  }
}

for (const [cause, leave] of Object.entries(CAUSES)) {
  flow(
    `when ${cause} while the service cannot be reached, the service closes the session when it asks`,
    async (t, scenario) => {
      const clients = await start(scenario)
      const sessionId = await sessionOf(clients[0])
      const service = serviceWith(media, sessionId)
      await service.confirm(sessionId)
      t.ok(service.sessions.has(sessionId), 'the room uses it')
      const reconnect = service.disconnect()
      await leave(scenario, clients)
      reconnect()
      t.ok(service.sessions.has(sessionId), 'it was not deleted')
      await service.confirm(sessionId)
      t.notOk(service.sessions.has(sessionId))
    },
    { env }
  )
}

flow(
  'a session of a room that the store has forgotten is closed when it asks',
  async (t, scenario) => {
    await connect(scenario, media)
    await openOnFirst('forgotten', 'of-a-forgotten-room')
    await first.confirm('of-a-forgotten-room')
    t.notOk(first.sessions.has('of-a-forgotten-room'))
  },
  { env }
)

flow(
  'when a node dies after the service has opened a session for it, the session is deleted as soon as the room has another one',
  async (t, scenario) => {
    const clients = await start(scenario)
    const [roomId, sessionId, now] = [scenario.toWire('r1'), 'of-a-dead-node', scenario.now()]
    await openOnFirst(roomId, sessionId)
    const placed = { sessionId, service: first.name, instance: first.instance, placedAt: now }
    const opening = { ...placed, state: 'opening', openingBy: 'dead', openingUntil: now + TIMEOUT_MS }
    await scenario.store.rooms.commit(roomId, {
      ...{ reads: {}, writes: { sfu: JSON.stringify(opening) }, participantsMax: 9, items: [], tag: 'x' },
      ...{ deadlineAt: now + TIMEOUT_MS, emptyDeadlineAt: now + 1e6, expireInMs: null, node: 'dead', now }
    })
    await first.confirm(sessionId)
    t.ok(first.sessions.has(sessionId), 'the room still has it')
    await expectBoth(scenario, clients, 'sfu.reset')
    await until('it is deleted', () => !first.sessions.has(sessionId))
  },
  { env }
)

flow(
  'a session asks only when the checks of its room have stopped, and closes long after that',
  async (t, scenario) => {
    const [host] = await start(scenario)
    const service = serviceWith(media, await sessionOf(host))
    const { body = {} } = service.requests.find(({ operation }) => operation === 'openSession') ?? {}
    const [confirmAfterMs, idleTimeoutMs] = [Number(body.confirmAfterMs), Number(body.idleTimeoutMs)]
    service.requests.length = 0
    const startedAt = scenario.now()
    await scenario.advance(60_000)
    await until('the room is checked', () => service.countOf('keepParticipants') > 0)
    t.ok(confirmAfterMs > scenario.now() - startedAt)
    t.ok(idleTimeoutMs > 2 * confirmAfterMs)
  },
  { env }
)
