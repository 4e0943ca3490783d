// Devices that are signed out: their tokens, requests, streams and tickets, and what operators do to them.
import { SignJWT } from 'jose'
import type { Scenario } from './scenario.js'
import { openSse, type SseClient } from './sse.js'
import type { Environment } from './test-cluster.js'

export const OPERATOR = 'the-secret-of-operators-is-32-bytes-long'
export const WITH_ADMIN: Environment = { ADMIN_PORT: '0', ADMIN_SECRET: OPERATOR }

export interface Answer {
  readonly status: number
  readonly body: ReturnType<typeof JSON.parse>
}

/** A token of the identity provider, with these claims besides `sub` and `exp`. */
export function signToken(
  nodes: { readonly config: Scenario['config']; now(): number },
  user: string,
  claims: Readonly<Record<string, unknown>> = {}
): Promise<string> {
  return new SignJWT({ sub: user, exp: Math.floor(nodes.now() / 1000) + 3600, ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(nodes.config.jwtSecret[0]))
}

/** A device with one token. */
export class Session {
  readonly #scenario: Scenario
  readonly headers: Readonly<Record<string, string>>

  private constructor(scenario: Scenario, device: string, token: string) {
    this.#scenario = scenario
    this.headers = { authorization: `Bearer ${token}`, 'x-device-id': encodeURIComponent(device) }
  }

  /** `issuedAt` in seconds; by default now. Null: the token does not say. */
  static async open(
    scenario: Scenario,
    [user, device]: readonly [string, string],
    issuedAt: number | null = Math.floor(scenario.now() / 1000)
  ): Promise<Session> {
    const claims = issuedAt === null ? {} : { iat: issuedAt }
    return new Session(scenario, device, await signToken(scenario, scenario.toWire(user), claims))
  }

  async request(node: number, path: string, { method = 'GET', body }: { method?: string; body?: object } = {}) {
    const json = body === undefined ? {} : { 'content-type': 'application/json' }
    const reply = await fetch(`${this.#scenario.urlOf(node)}/v1/${path}`, {
      method,
      headers: { ...this.headers, ...json },
      ...(body === undefined ? {} : { body: JSON.stringify(body) })
    })
    return answerOf(reply.status, await reply.text())
  }

  /** `200`, or the status and the code of the problem. */
  async outcome(node: number, path = 'calls'): Promise<string> {
    const { status, body } = await this.request(node, path)
    return status < 300 ? `${status}` : `${status} ${body.code}`
  }

  async ticket(node: number): Promise<string> {
    const { body } = await this.request(node, 'events/tickets', { method: 'POST' })
    return body.ticket
  }

  /** A stream that has begun. */
  async stream(node: number): Promise<SseClient> {
    const stream = await openSse(`${this.#scenario.urlOf(node)}/v1/events`, { headers: this.headers })
    await stream.next('hello')
    return stream
  }
}

/** A request to the admin API of a node, below `/users/{user}`. */
export async function operate(
  scenario: Scenario,
  [method, path, body]: readonly ['GET' | 'POST' | 'PUT' | 'DELETE', string, object?],
  { node = 0, user = 'alice' } = {}
): Promise<Answer> {
  const reply = await scenario.cluster.adminOf(node).inject({
    method,
    url: `/v1/admin/users/${scenario.toPath(user)}${path}`,
    headers: { authorization: `Bearer ${OPERATOR}` },
    ...(body === undefined ? {} : { payload: body })
  })
  return answerOf(reply.statusCode, reply.body)
}

const answerOf = (status: number, text: string): Answer => ({ status, body: text === '' ? null : JSON.parse(text) })
