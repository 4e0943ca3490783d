// A media service that misbehaves: every request is answered in time, and a repeat of it does no harm.
import t from 'tap'
import {
  addClients,
  closeMedia,
  connect,
  meetOnMedia,
  openedFor,
  passUntil,
  serviceWith,
  sessionIn,
  sessionOf,
  startMedia
} from '../helpers/media-fixture.js'
import type { Fault } from '../helpers/media-service.js'
import { flow, type Scenario } from '../helpers/scenario.js'
import type { TestClient } from '../helpers/test-client.js'
import { until } from '../helpers/until.js'

const TIMEOUT_MS = 400
const media = await startMedia(2, { timeoutMs: TIMEOUT_MS })
const { env, services } = media
const [first, second] = services
t.teardown(() => closeMedia(media))

const FAULTS: readonly Fault[] = ['hang', 'error', 'wrong_json', 'no_json', 'half', 'close', 'die', 'overloaded']

/** A room in mode sfu, and two services of which the first one is chosen. */
async function startOnFirst(scenario: Scenario): Promise<TestClient[]> {
  await connect(scenario, media)
  if (second) second.load = 0.5
  await scenario.advance(2000)
  const clients = await addClients(scenario, 2)
  await meetOnMedia(clients)
  return clients
}

/** In real milliseconds. */
async function timed<T>(work: Promise<T>): Promise<readonly [result: T, ms: number]> {
  const start = performance.now()
  return [await work, performance.now() - start]
}

for (const fault of FAULTS) {
  flow(
    `when a service answers the opening of a session with the fault ${fault}, the other service opens it in time`,
    async (t, scenario) => {
      const clients = await startOnFirst(scenario)
      const repair = first?.inject('openSession', fault)
      const [host, guest] = clients
      const [sessionId, ms] = await timed(sessionOf(host as TestClient))
      repair?.()
      t.ok(ms < 2 * TIMEOUT_MS, `${ms} ms`)
      t.equal(serviceWith(media, sessionId), second)
      for (const client of clients) t.equal((await client.expectEvent('sfu.reset')).sessionId, sessionId)
      t.equal(await scenario.advanceDuring(sessionOf(guest as TestClient)), sessionId)
      await until(
        'the first one has no session of the room',
        () => first?.sessionsOf(scenario.toWire('r1')).length === 0
      )
    },
    { env }
  )

  flow(
    `when both services answer the opening with the fault ${fault}, the request is refused in time and a later one succeeds`,
    async (t, scenario) => {
      const clients = await startOnFirst(scenario)
      const repairs = services.map(service => service.inject('openSession', fault))
      const [host] = clients
      const [reply, ms] = await timed((host as TestClient).request('GET', 'rooms/r1/sfu/capabilities'))
      for (const repair of repairs) repair()
      t.match(reply, { status: 503, body: { code: 'media_unavailable' } })
      t.ok(ms < 2 * TIMEOUT_MS, `${ms} ms`)
      for (const client of clients) await client.expectEvent('sfu.reset')
      // The opening that the first request waited for may still be failing.
      await until('a later one succeeds', async () => {
        const later = await (host as TestClient).request('GET', 'rooms/r1/sfu/capabilities')
        return later.status === 200
      })
      const sessionId = await sessionOf(host as TestClient)
      for (const client of clients) t.equal((await client.expectEvent('sfu.reset')).sessionId, sessionId)
    },
    { env }
  )

  flow(
    `when a service answers a request with the fault ${fault}, it is refused in time, and a repeat succeeds`,
    async (t, scenario) => {
      const [host] = await startOnFirst(scenario)
      const sessionId = await sessionOf(host as TestClient)
      const repair = first?.inject('create', fault)
      const create = () => (host as TestClient).request('POST', 'rooms/r1/sfu/transports', { transportId: 'send' })
      const [reply, ms] = await timed(create())
      repair?.()
      t.match(reply, { status: 503, body: { code: 'media_unavailable' } })
      t.ok(ms < 2 * TIMEOUT_MS, `${ms} ms`)
      t.equal((await create()).status, 201)
      t.equal(await sessionOf(host as TestClient), sessionId, 'the session stays')
    },
    { env }
  )
}

flow(
  'when a service is slow, but in time, nothing is refused',
  async (t, scenario) => {
    const [host] = await startOnFirst(scenario)
    const repair = first?.inject('openSession', { delayMs: TIMEOUT_MS / 4 })
    t.equal(serviceWith(media, await sessionOf(host as TestClient)), first)
    repair?.()
    t.equal(openedFor(scenario, media), 1)
  },
  { env }
)

flow(
  'when the node that opens a session dies, another one opens it after the time that the node had',
  async (t, scenario) => {
    const clients = await startOnFirst(scenario)
    const now = scenario.now()
    const placed = { sessionId: 'of-a-dead-node', service: first?.name, instance: first?.instance, placedAt: now }
    const opening = { ...placed, state: 'opening', openingBy: 'dead', openingUntil: now + TIMEOUT_MS }
    await scenario.store.rooms.commit(scenario.toWire('r1'), {
      ...{ reads: {}, writes: { sfu: JSON.stringify(opening) }, participantsMax: 9, items: [], tag: 'x' },
      ...{ deadlineAt: now + TIMEOUT_MS, emptyDeadlineAt: now + 1e6, expireInMs: null, node: 'dead', now }
    })
    const asked = await scenario.advanceDuring(
      Promise.all(clients.map(client => client.request('GET', 'rooms/r1/sfu/capabilities')))
    )
    t.ok(asked.every(({ status }) => status === 200 || status === 503))
    t.ok(scenario.now() - now <= 3 * TIMEOUT_MS, 'no request waits longer')
    const resets = await scenario.advanceDuring(Promise.all(clients.map(client => client.expectEvent('sfu.reset'))))
    const sessionId = resets[0]?.sessionId
    t.strictSame(new Set(await scenario.advanceDuring(Promise.all(clients.map(sessionOf)))), new Set([sessionId]))
    t.equal(openedFor(scenario, media), 1)
  },
  { env }
)

flow(
  'when no request comes after the node that opens a session has died, the check of the room opens it',
  async (t, scenario) => {
    const clients = await startOnFirst(scenario)
    const now = scenario.now()
    const placed = { sessionId: 'of-a-dead-node', service: first?.name, instance: first?.instance, placedAt: now }
    const opening = { ...placed, state: 'opening', openingBy: 'dead', openingUntil: now + TIMEOUT_MS }
    await scenario.store.rooms.commit(scenario.toWire('r1'), {
      ...{ reads: {}, writes: { sfu: JSON.stringify(opening) }, participantsMax: 9, items: [], tag: 'x' },
      ...{ deadlineAt: now + TIMEOUT_MS, emptyDeadlineAt: now + 1e6, expireInMs: null, node: 'dead', now }
    })
    const resets = await scenario.advanceDuring(Promise.all(clients.map(client => client.expectEvent('sfu.reset'))))
    const { sessionId } = resets[0] ?? {}
    await passUntil(scenario, 'it is open', () => first?.sessions.has(String(sessionId)))
    t.equal(sessionIn(serviceWith(media, String(sessionId)), String(sessionId)).roomId, scenario.toWire('r1'))
  },
  { env }
)
