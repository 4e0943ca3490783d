// A proxy that makes a server look newer than the OpenAPI document: events, members, reasons and problem codes that no client knows.
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'

type Members = Record<string, unknown>

const REFUSAL = {
  type: '/problems/newer',
  title: 'Not yet',
  status: 503,
  code: 'newer',
  detail: 'Try again.',
  instance: '/newer',
  retryable: true,
  newer: true
}

/** Resolves to its URL. The first request to create or to accept a call is refused by a problem that a repeat solves. */
export async function proxyAsNewer(t: Test, url: string): Promise<string> {
  const refused = new Set<string>()
  const server = createServer((incoming, reply) => {
    const { method, url: path = '' } = incoming
    const what = /^\/v1\/calls$|\/accept$/.exec(path)?.[0]
    if (method !== 'POST' || !what || refused.has(what)) return pass(url, incoming, reply)
    refused.add(what)
    incoming.resume()
    reply.writeHead(REFUSAL.status, { 'content-type': 'application/problem+json' }).end(JSON.stringify(REFUSAL))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function pass(url: string, incoming: IncomingMessage, reply: ServerResponse): void {
  const { method, url: path, headers } = incoming
  const outgoing = request(`${url}${path}`, { method, headers }, response => {
    const { 'content-length': _, connection: __, 'transfer-encoding': ___, ...kept } = response.headers
    const isStream = kept['content-type']?.startsWith('text/event-stream')
    if (isStream) reply.writeHead(response.statusCode ?? 502, kept).flushHeaders()
    let text = ''
    response.setEncoding('utf8').on('data', chunk => {
      text += chunk
      if (!isStream) return
      const end = text.lastIndexOf('\n\n') + 2
      if (end > 1) reply.write(text.slice(0, end).split('\n\n').map(newerFrame).join('\n\n'))
      text = end > 1 ? text.slice(end) : text
    })
    response.on('error', () => reply.destroy())
    response.on('end', () => {
      if (isStream) return reply.end(text)
      const body = Buffer.from(
        kept['content-type']?.includes('json') ? JSON.stringify(newerBody(JSON.parse(text))) : text
      )
      reply.writeHead(response.statusCode ?? 502, { ...kept, 'content-length': body.length }).end(body)
    })
  })
  // Also when the other end is gone: each end closes with the other.
  outgoing.on('error', () => reply.destroy())
  reply.on('close', () => outgoing.destroy())
  incoming.pipe(outgoing)
}

const EVENT = { type: 'call.newer', timestamp: '2030-01-01T00:00:00.000Z', data: { callId: 'newer', newer: true } }

/** An event of the mailbox follows one that is new. */
function newerFrame(frame: string): string {
  if (!/^id: /m.test(frame)) return frame
  const changed = frame.replace(/^data: (.*)$/m, (_, data) => `data: ${JSON.stringify(newer(JSON.parse(data)))}`)
  return `event: ${EVENT.type}\ndata: ${JSON.stringify(EVENT)}\n\n${changed}`
}

function newerBody(body: Members): Members {
  const { events } = body
  const changed = newer(body) as Members
  return Array.isArray(events) && events.length > 0
    ? { ...changed, events: [EVENT, ...(changed.events as object[])] }
    : changed
}

/** With another reason and code, and a member more in each object but those that requests take, too. */
function newer(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) return value.map(each => newer(each))
  if (typeof value !== 'object' || value === null) return value
  const members = Object.fromEntries(Object.entries(value).map(([name, member]) => [name, newer(member, name)]))
  if (members.reason === 'hangup') members.reason = 'newer'
  if (members.code === 'callee_unreachable') members.code = 'newer'
  return /^(|call|data)$/.test(key) ? { ...members, newer: true } : members
}
