// Users of the SDK in this process, on servers of this process. Their WebRTC is that of @roamhq/wrtc.
import { createRequire } from 'node:module'
import type { Test } from 'tap'
import type { CallEvents } from '../../packages/client/src/call-events.js'
import { type Call, type Options, Signalpost } from '../../packages/client/src/index.js'
import { type Layout, type Server, startServers, tokenOf } from '../helpers/servers.js'

export const wrtc = createRequire(import.meta.url)('@roamhq/wrtc') as {
  readonly RTCPeerConnection: typeof RTCPeerConnection
  readonly MediaStream: typeof MediaStream
}

interface PersonOptions extends Partial<Options> {
  /** Listens for calls that an earlier page was in. */
  readonly resumable?: (call: Call) => void
  /** Listens for calls that ring already. */
  readonly incoming?: (call: Call) => void
}

export type Connect = (user: string, options?: PersonOptions) => Promise<Signalpost>

/** Tests act faster than people do. */
const UNLIMITED = {
  RATE_LIMIT_CALLS: '100000',
  RATE_LIMIT_CALLS_PER_PAIR: '100000',
  RATE_LIMIT_SIGNALS: '100000',
  CALL_BACKOFF_MS: '0',
  AWAY_AFTER_MS: '1000'
}

/** Returns what connects a user to the next node. Everything is closed after the test. */
export async function startPeople(t: Test, layout: Layout, env: Record<string, string> = {}): Promise<Connect> {
  return connectTo(t, await startServers(t, layout, { ...UNLIMITED, ...env }))
}

/** The same for servers that run. */
export function connectTo(t: Test, servers: readonly Server[]): Connect {
  let next = 0
  return async (user, { resumable, incoming, ...options } = {}) => {
    const { url = '' } = servers[next++ % servers.length] ?? {}
    const client = new Signalpost({
      url,
      token: () => tokenOf(user),
      RTCPeerConnection: wrtc.RTCPeerConnection,
      ...options
    })
    t.teardown(async () => {
      await Promise.all([...client.calls.values()].map(call => call.hangup()))
      await client.close()
    })
    if (resumable) client.on('resumable', resumable)
    if (incoming) client.on('incoming', incoming)
    await client.connect()
    return client
  }
}

/** Resolves to the value of the next event of this type. */
export function next<Type extends keyof CallEvents>(call: Call, type: Type): Promise<CallEvents[Type]> {
  return new Promise(resolve => call.once(type, resolve))
}

/** Resolves to the next call that rings. */
export const incoming = (client: Signalpost): Promise<Call> => new Promise(resolve => client.once('incoming', resolve))

/** A data channel, so that the connection has something to negotiate. */
export const withChannel = { setup: (connection: RTCPeerConnection) => void connection.createDataChannel('data') }

// @roamhq/wrtc 0.10 crashes if a process that had connections ends by itself.
process.once('beforeExit', () => process.exit())
