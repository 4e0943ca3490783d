// Signalpost as a media service sees it: a server that takes pushed events, and refuses those that it is told to refuse.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import type { Test } from 'tap'

export interface Pushed {
  readonly sessionId: string
  readonly roomId: string
  readonly seq: number
  readonly events: readonly Readonly<Record<string, unknown>>[]
  readonly notices: readonly Readonly<Record<string, unknown>>[]
}

export interface ReceivedPush {
  readonly path: string
  readonly authorization: string | undefined
  readonly body: Pushed
  /** The status that it was answered with. */
  readonly status: number
}

export interface MediaReceiver {
  readonly url: string
  /** Oldest first. */
  readonly received: readonly ReceivedPush[]
  /** The statuses of the next replies to the session. After these it is 204. */
  readonly refuse: (sessionId: string, statuses: readonly number[]) => void
}

/** It is closed after the test. */
export async function startMediaReceiver(t: Test): Promise<MediaReceiver> {
  const received: ReceivedPush[] = []
  const refusals = new Map<string, number[]>()
  const server = createServer(async (request, reply) => {
    const body = (await json(request)) as Pushed
    const status = refusals.get(body.sessionId)?.shift() ?? 204
    received.push({ path: request.url ?? '', authorization: request.headers.authorization, body, status })
    if (status === 204) return reply.writeHead(204).end()
    const code = { 400: 'invalid_request', 413: 'too_large', 404: 'session_not_found' }[status] ?? 'store_unavailable'
    reply.writeHead(status, { 'content-type': 'application/problem+json' }).end(JSON.stringify({ status, code }))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(async () => {
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    refuse: (sessionId, statuses) => void refusals.set(sessionId, [...statuses])
  }
}
