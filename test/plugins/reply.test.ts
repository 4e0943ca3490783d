import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { Reply } from '../../src/plugins/reply.js'

async function serve(t: Test, listener: RequestListener): Promise<Socket> {
  const server = createServer({ ServerResponse: Reply }, listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  t.teardown(() => {
    socket.destroy()
    server.close()
  })
  return socket
}

const request = (method: string, path: string, connection = 'keep-alive') =>
  `${method} ${path} HTTP/1.1\r\nhost: a\r\nconnection: ${connection}\r\n\r\n`

/** The bodies of the replies. */
const bodiesIn = (replies: string) => [...replies.matchAll(/\r\n\r\n([^H]*)/g)].map(([, body]) => body)

t.test('a reply is sent with one write, head and body together', async t => {
  const writes: string[] = []
  const socket = await serve(t, ({ socket }, reply) => {
    const captured = t.capture(socket, 'write', socket.write)
    reply.writeHead(200, { 'content-length': 2 }).end('é')
    writes.push(...captured().map(({ args }) => String(args[0])))
  })
  socket.write(request('GET', '/', 'close'))
  const received = await text(socket)
  t.strictSame(writes, [received])
  t.ok(received.startsWith('HTTP/1.1 200 OK\r\n'))
  t.strictSame(bodiesIn(received), ['é'])
})

t.test('pipelined requests get their replies in order', async t => {
  const socket = await serve(t, ({ url = '' }, reply) => {
    const answer = () => reply.writeHead(200, { 'content-length': url.length }).end(url)
    if (url === '/slow') setImmediate(() => setImmediate(answer))
    else answer()
  })
  socket.write(request('GET', '/slow') + request('HEAD', '/head') + request('GET', '/last', 'close'))
  t.strictSame(bodiesIn(await text(socket)), ['/slow', '', '/last'])
})

t.test('a body without a head before it gets Content-Length, and a body in another encoding is decoded', async t => {
  const bare = await serve(t, (_, reply) => reply.end('body'))
  bare.write(request('GET', '/', 'close'))
  t.match(await text(bare), /content-length: 4\r\n/i)
  const encoded = await serve(t, (_, reply) => reply.writeHead(200, { 'content-length': 2 }).end('6869', 'hex'))
  encoded.write(request('GET', '/', 'close'))
  t.strictSame(bodiesIn(await text(encoded)), ['hi'])
})

t.test('a body larger than the buffer of the kernel is sent whole, and its end is reported', async t => {
  const body = 'x'.repeat(20_000_000)
  let finished = false
  const socket = await serve(t, (_, reply) => {
    reply.on('finish', () => {
      finished = true
    })
    reply.writeHead(200, { 'content-length': body.length }).end(body)
  })
  socket.write(request('GET', '/', 'close'))
  await once(socket, 'readable')
  t.notOk(finished, 'while the client does not read')
  t.equal(bodiesIn(await text(socket))[0]?.length, body.length)
  t.ok(finished)
})
