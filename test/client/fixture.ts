// Clients of the SDK's core, and a caller whose numbered messages show whether one of them misses or repeats an event.
import { SignJWT } from 'jose'
import type { Test } from 'tap'
import { type CoreOptions, SignalpostCore } from '../../packages/client/src/core.js'
import { type Server, startServers, tokenOf } from '../helpers/servers.js'
import { until } from '../helpers/until.js'
import { type ClientProxy, startClientProxy } from './proxy.js'

/** The secret of servers in development mode is public. */
export { tokenOf } from '../helpers/servers.js'

/** Tests do not wait as long as people do. */
export const TIMES = { firstMs: 500, streamMs: 500, sleepMs: 200, leaderMs: 1000 }
const UNLIMITED = { RATE_LIMIT_SIGNALS: '1000000', RATE_LIMIT_READS: '1000000', RING_TIMEOUT_MS: '600000' }

/** One node in this process. */
export async function startNode(t: Test, env: Record<string, string> = {}): Promise<Server> {
  const [server] = await startServers(t, { engine: 'memory' }, { ...UNLIMITED, ...env })
  return server as Server
}

export interface Setup {
  readonly node: Server
  readonly proxy: ClientProxy
}

/** One node behind a proxy. */
export async function startProxiedNode(t: Test, env: Record<string, string> = {}): Promise<Setup> {
  const node = await startNode(t, env)
  return { node, proxy: await startClientProxy(t, node.url) }
}

export function createClient(
  t: Test,
  url: string,
  options: Partial<CoreOptions> & { user?: string } = {}
): SignalpostCore {
  const { user = 'bob', ...rest } = options
  const client = new SignalpostCore({ url, token: () => tokenOf(user), device: 'laptop', times: TIMES, ...rest })
  t.teardown(() => client.close())
  return client
}

/** A token that expires `ms` from now, in whole seconds. */
export function tokenFor(user: string, ms: number, secret: string): Promise<string> {
  return new SignJWT({ sub: user, exp: Math.ceil((Date.now() + ms) / 1000) })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(secret))
}

/** Alice's call to bob, which rings: her messages reach all devices that bob has now. */
export class Caller {
  readonly callId: string
  readonly #client: SignalpostCore
  #sent = 0

  private constructor(client: SignalpostCore, callId: string) {
    this.#client = client
    this.callId = callId
  }

  static async call(t: Test, url: string, token?: () => Promise<string>): Promise<Caller> {
    const client = createClient(t, url, { user: 'alice', ...(token && { token }) })
    const { call } = await client.request('POST', '/calls', { to: 'bob' })
    return new Caller(client, call.callId)
  }

  get sent(): number {
    return this.#sent
  }

  async cancel(): Promise<void> {
    await this.#client.request('POST', `/calls/${this.callId}/cancel`)
  }

  async send(count = 1): Promise<void> {
    for (let i = 0; i < count; i++)
      await this.#client.request('POST', `/calls/${this.callId}/messages`, { content: String(++this.#sent) })
  }
}

/** The numbers of the messages that a client received, in this order. */
export function messagesOf(client: SignalpostCore): number[] {
  const numbers: number[] = []
  client.on('call.message', ({ content }) => numbers.push(Number(content)))
  return numbers
}

/** Each message arrives once, in order. */
export async function receivesAll(t: Test, numbers: readonly number[], caller: Caller): Promise<void> {
  await until(`message ${caller.sent} arrives`, () => numbers.at(-1) === caller.sent)
  t.strictSame(
    numbers,
    Array.from({ length: caller.sent }, (_, i) => i + 1),
    'each message once, in order'
  )
}

/** Resolves when the connection has this state. */
export function reaches(client: SignalpostCore, state: string): Promise<void> {
  return until(`the connection is ${state}`, () => client.connection === state)
}

export const streamsIn = ({ heads }: ClientProxy): string[] => heads.filter(head => head.startsWith('get /v1/events?'))

export const cursorOf = (head: string): string | undefined =>
  /last-event-id: (\S+)/.exec(head)?.[1] ?? /[?&]cursor=([^& ]+)/.exec(head)?.[1]
