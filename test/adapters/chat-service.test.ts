import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { deliverMessage } from '../../src/adapters/chat-service.js'

const message = {
  roomId: 'r1',
  messageId: 'm1',
  from: { user: 'alice', device: 'phone', participantId: 'p1' },
  content: 'Grüße',
  sentAt: '2026-11-21T10:00:00.000Z',
  version: 4
}
const open = new AbortController().signal

async function chatService(t: Test, answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const deliver = (chatServiceUrl: string, closing = open, chatServiceTimeoutMs = 10_000) =>
  deliverMessage({ chatServiceUrl, chatServiceTimeoutMs }, message, closing)

t.test('the service receives the message, with its id as Idempotency-Key', async t => {
  let body = ''
  let received: { url?: string | undefined; method?: string | undefined; headers?: IncomingHttpHeaders } = {}
  const url = await chatService(t, async (request, reply) => {
    received = request
    for await (const chunk of request) body += chunk
    reply.writeHead(201).end('{}')
  })
  for (const base of [url, `${url}/`]) t.equal(await deliver(base), null)
  t.match(received, { method: 'POST', url: '/messages', headers: { 'idempotency-key': 'm1' } })
  t.equal(body, JSON.stringify(message).repeat(2))
})

for (const status of [400, 403, 409, 413, 422]) {
  t.test(`a ${status} refuses the message for good`, async t => {
    t.equal(await deliver(await chatService(t, (_, reply) => reply.writeHead(status).end('no'))), status)
  })
}

const FAILURES: Record<string, RequestListener> = {
  'does not reply': () => {},
  'closes the connection': (_, reply) => reply.destroy(),
  redirects: (_, reply) => reply.writeHead(307, { location: 'http://127.0.0.1:1/' }).end()
}
for (const status of [401, 404, 405, 407, 408, 425, 429, 500, 503]) {
  FAILURES[`replies ${status}`] = (_, reply) => reply.writeHead(status).end()
}

for (const [name, answer] of Object.entries(FAILURES)) {
  t.test(`the message has to be sent again when the service ${name}`, async t => {
    await t.rejects(deliver(await chatService(t, answer), open, name === 'does not reply' ? 50 : 10_000))
  })
}

t.test('a node that closes aborts the request', async t => {
  const closing = new AbortController()
  const url = await chatService(t, () => closing.abort())
  await t.rejects(deliver(url, closing.signal), { name: 'AbortError' })
})
