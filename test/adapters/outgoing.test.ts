// Requests of all adapters to outside services that misbehave.
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { sendRequest } from '../../src/adapters/outgoing.js'

const LIMITS = { timeoutMs: 10_000, maxBytes: 1000 }

interface Service {
  readonly url: string
  /** Bytes written until the connection was closed. */
  readonly written: () => number
  readonly closed: Promise<unknown>
}

async function service(t: Test, answer: RequestListener): Promise<Service> {
  let written = 0
  let close = () => {}
  const closed = new Promise<void>(resolve => {
    close = resolve
  })
  const server = createServer((request, reply) => {
    request.socket.once('close', () => {
      written = request.socket.bytesWritten
      close()
    })
    answer(request, reply)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, written: () => written, closed }
}

/** Writes until the connection is closed. */
const flood: RequestListener = (_request, reply) => {
  const chunk = Buffer.alloc(64 * 1024, 'x')
  const write = () => {
    while (!reply.destroyed && reply.write(chunk));
  }
  reply.on('drain', write)
  write()
}

t.test('a reply within the limits is read whole', async t => {
  const { url } = await service(t, (request, reply) => reply.end(`${request.method} ${'ü'.repeat(400)}`))
  t.strictSame(await sendRequest(url, LIMITS), { status: 200, text: `GET ${'ü'.repeat(400)}` })
})

t.test('a reply larger than the limit is refused, and its connection is closed', async t => {
  const { url, written, closed } = await service(t, flood)
  await t.rejects(sendRequest(url, LIMITS), { message: 'replied with more than 1000 bytes' })
  await closed
  t.ok(written() < 20 * 1024 * 1024, `${written()} bytes`)
})

t.test('a body is not read when its status is not 200 or `maxBytes` is 0', async t => {
  for (const status of [200, 404, 500]) {
    const { url, written, closed } = await service(t, (request, reply) => {
      reply.writeHead(status)
      flood(request, reply)
    })
    t.strictSame(await sendRequest(url, { ...LIMITS, maxBytes: status === 200 ? 0 : 1000 }), { status, text: '' })
    await closed
    t.ok(written() < 20 * 1024 * 1024, `${written()} bytes`)
  }
})

t.test('a reply that does not end in time is refused', async t => {
  const { url, closed } = await service(t, (_request, reply) => {
    const timer = setInterval(() => reply.write('x'), 5)
    reply.once('close', () => clearInterval(timer))
  })
  await t.rejects(sendRequest(url, { timeoutMs: 100, maxBytes: 1_000_000 }), { name: 'TimeoutError' })
  await closed
})

t.test('a redirect is refused and not followed', async t => {
  let followed = false
  const { url } = await service(t, (request, reply) => {
    if (request.url !== '/') followed = true
    reply.writeHead(302, { location: '/elsewhere' }).end()
  })
  await t.rejects(sendRequest(`${url}/`, LIMITS))
  t.equal(followed, false)
})

t.test('the signal aborts the request', async t => {
  const controller = new AbortController()
  const { url } = await service(t, () => controller.abort())
  await t.rejects(sendRequest(url, { ...LIMITS, signal: controller.signal }), { name: 'AbortError' })
})

t.test('a connection is kept for the next request when the body was read or there is none', async t => {
  const sockets = new Set<unknown>()
  const { url } = await service(t, (request, reply) => {
    sockets.add(request.socket)
    reply.statusCode = request.method === 'DELETE' ? 204 : 200
    reply.end(request.method === 'GET' ? 'text' : undefined)
  })
  for (const method of ['GET', 'DELETE', 'POST', 'GET'] as const) await sendRequest(url, { ...LIMITS, method })
  t.equal(sockets.size, 1)
})

/** Answers the first request. From then on `next` decides. */
async function answeringOnce(t: Test, next: RequestListener): Promise<{ url: string; count: () => number }> {
  let count = 0
  const { url } = await service(t, (request, reply) => {
    if (++count === 2) next(request, reply)
    else reply.end('text')
  })
  t.equal((await sendRequest(url, LIMITS)).text, 'text')
  return { url, count: () => count }
}

t.test('a request is sent once more when its idle connection is closed', async t => {
  const { url, count } = await answeringOnce(t, request => request.socket.destroy())
  t.strictSame(await sendRequest(url, { ...LIMITS, method: 'POST', body: '{}' }), { status: 200, text: 'text' })
  t.equal(count(), 3)
})

t.test('a request is not repeated when its reply was cut short', async t => {
  const { url, count } = await answeringOnce(t, (_request, reply) => {
    reply.writeHead(200, { 'content-length': '10' })
    reply.write('text', () => reply.destroy())
  })
  await t.rejects(sendRequest(url, LIMITS), { code: 'ECONNRESET' })
  t.equal(count(), 2)
})

t.test('a request is not repeated when a new connection is closed', async t => {
  let count = 0
  const { url } = await service(t, request => {
    count++
    request.socket.destroy()
  })
  await t.rejects(sendRequest(url, LIMITS), { code: 'ECONNRESET' })
  t.equal(count, 1)
})

t.test('a request whose signal is aborted already is not sent', async t => {
  let count = 0
  const { url } = await service(t, () => count++)
  await t.rejects(sendRequest(url, { ...LIMITS, signal: AbortSignal.abort() }), { name: 'AbortError' })
  t.equal(count, 0)
})

t.test('a switch to another protocol is refused', async t => {
  const { url } = await service(t, request =>
    request.socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n')
  )
  await t.rejects(sendRequest(url, LIMITS), { message: 'the connection was closed without a reply' })
})
