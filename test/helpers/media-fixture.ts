// Media services for flows: started once for a test file, and connected to the nodes of each scenario.

import { TestMediaService } from './media-service.js'
import type { Session } from './media-sessions.js'
import { type JoinedClient, join } from './rooms.js'
import type { Scenario } from './scenario.js'
import type { TestClient } from './test-client.js'
import type { Environment } from './test-cluster.js'
import { until } from './until.js'

export const MEDIA_SECRET = 'the-secret-of-the-media-services-is-long'

export interface MediaFixture {
  readonly services: readonly TestMediaService[]
  readonly env: Environment
}

/** `timeoutMs`: what Signalpost waits for a reply, in real time. */
export async function startMedia(count: number, { timeoutMs = 1000 } = {}): Promise<MediaFixture> {
  const services = await Promise.all(Array.from({ length: count }, () => TestMediaService.start(MEDIA_SECRET)))
  const env = {
    MEDIA_SERVICE_URLS: services.map(({ url }) => url).join(','),
    MEDIA_SERVICE_SECRET: MEDIA_SECRET,
    MEDIA_SERVICE_TIMEOUT_MS: String(timeoutMs)
  }
  return { services, env }
}

export async function closeMedia({ services }: MediaFixture): Promise<void> {
  await Promise.all(services.map(service => service.close()))
}

/**
 * Events of the services go to the nodes of this scenario, in turn. Services that an earlier scenario has killed start again. Resolves when
 * all nodes find all services up.
 */
export async function connect(scenario: Scenario, { services }: MediaFixture): Promise<void> {
  const nodes = nodesOf(scenario)
  for (const service of services) {
    service.signalpost = nodes
    service.load = 0
    if (service.isDown) service.restart()
  }
  await allUp(scenario, services.length)
  for (const service of services) service.requests.length = 0
}

export const nodesOf = (scenario: Scenario): string[] =>
  Array.from({ length: scenario.lastNode + 1 }, (_, node) => scenario.urlOf(node))

/** Resolves when all nodes find as many services up. */
export function allUp(scenario: Scenario, count: number): Promise<void> {
  return passUntil(scenario, 'all services are up', async () => {
    const states = await Promise.all(nodesOf(scenario).map(url => servicesUp(url)))
    return states.every(up => up === count)
  })
}

/** How many services a node finds up. */
export async function servicesUp(nodeUrl: string): Promise<number> {
  const text = await (await fetch(`${nodeUrl}/metrics`)).text()
  return [...text.matchAll(/^signalpost_media_service_up\{.*\} 1$/gm)].length
}

/** The requests that opened a session of this room. */
export const openedFor = (scenario: Scenario, { services }: MediaFixture): number =>
  services
    .flatMap(({ requests }) => requests)
    .filter(({ operation, body }) => operation === 'openSession' && body.roomId === scenario.toWire('r1')).length

/** The user creates the room in mode sfu, and all join it. */
export async function meetOnMedia(clients: readonly TestClient[], settings: object = {}): Promise<JoinedClient[]> {
  const [host] = clients
  await host?.request('PUT', 'rooms/r1', { mode: 'sfu', ...settings })
  const joined: JoinedClient[] = []
  for (const client of clients) {
    joined.push(await join(client, 'r1'))
    for (const { who } of joined.slice(0, -1)) await who.expectEvent('room.participant_joined')
  }
  return joined
}

/** The id of the room's session, which is opened if there is none. */
export async function sessionOf(client: TestClient): Promise<string> {
  const { status, body } = await client.request('GET', 'rooms/r1/sfu/capabilities')
  if (status !== 200) throw new Error(`capabilities: ${status} ${body.code}`)
  return String(body.sessionId)
}

/** The service that has this session. */
export function serviceWith({ services }: MediaFixture, sessionId: string): TestMediaService {
  const found = services.find(({ sessions }) => sessions.has(sessionId))
  if (!found) throw new Error(`no service has the session ${sessionId}`)
  return found
}

export const sessionIn = (service: TestMediaService, sessionId: string): Session => {
  const session = service.sessions.get(sessionId)
  if (!session) throw new Error(`the service has no session ${sessionId}`)
  return session
}

/** Advances the clock until it holds. */
export function passUntil(scenario: Scenario, what: string, holds: () => unknown): Promise<void> {
  return until(what, async () => {
    await scenario.advance(125)
    return holds()
  })
}

/** One client of each of several users, on all nodes in turn. */
export const addClients = (scenario: Scenario, count: number): Promise<TestClient[]> =>
  Promise.all(
    Array.from({ length: count }, (_, i) =>
      scenario.addClient(`user${i}`, 'phone', { node: i % (scenario.lastNode + 1) })
    )
  )
