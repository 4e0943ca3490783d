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

t.test('the service gets the message, under its id', async t => {
  let heard = ''
  let asked: { url?: string | undefined; method?: string | undefined; headers?: IncomingHttpHeaders } = {}
  const url = await chatService(t, async (request, reply) => {
    asked = request
    for await (const chunk of request) heard += chunk
    reply.writeHead(201).end('{}')
  })
  for (const base of [url, `${url}/`]) t.equal(await deliver(base), null)
  t.match(asked, { method: 'POST', url: '/messages', headers: { 'idempotency-key': 'm1' } })
  t.equal(heard, JSON.stringify(message).repeat(2))
})

for (const status of [400, 403, 409, 413, 422]) {
  t.test(`${status} is a refusal of the message`, async t => {
    t.equal(await deliver(await chatService(t, (_, reply) => reply.writeHead(status).end('no'))), status)
  })
}

const TROUBLES: Record<string, RequestListener> = {
  'says nothing': () => {},
  'hangs up': (_, reply) => reply.destroy(),
  'sends us elsewhere': (_, reply) => reply.writeHead(307, { location: 'http://127.0.0.1:1/' }).end()
}
for (const status of [401, 404, 405, 407, 408, 425, 429, 500, 503]) {
  TROUBLES[`answers ${status}`] = (_, reply) => reply.writeHead(status).end()
}

for (const [name, answer] of Object.entries(TROUBLES)) {
  t.test(`a service that ${name} is to be asked again`, async t => {
    await t.rejects(deliver(await chatService(t, answer), open, name === 'says nothing' ? 50 : 10_000))
  })
}

t.test('a node that closes waits for nobody', async t => {
  const closing = new AbortController()
  const url = await chatService(t, () => closing.abort())
  await t.rejects(deliver(url, closing.signal), { name: 'AbortError' })
})
