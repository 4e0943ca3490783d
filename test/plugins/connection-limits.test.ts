// Limits of connections: clients that send slowly, do not read, or open many connections.

import { once } from 'node:events'
import { type AddressInfo, connect, type Socket } from 'node:net'
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { loadConfig } from '../../src/config.js'
import { createIds } from '../../src/ids.js'
import { createMetrics } from '../../src/metrics.js'
import { limitConnections } from '../../src/plugins/connection-limits.js'
import { handleErrors } from '../../src/plugins/errors.js'
import { networkOf } from '../../src/plugins/network.js'
import { checkRequestHeads } from '../../src/plugins/request-heads.js'
import { serverOptions } from '../../src/plugins/server-options.js'
import { ManualClock } from '../helpers/clock.js'
import { startServers, tokenOf } from '../helpers/servers.js'
import { openSse } from '../helpers/sse.js'
import { until } from '../helpers/until.js'

/** More than the kernel buffers for a client on the same machine. */
const LARGE = Buffer.alloc(32 * 1024 * 1024)

async function server(t: Test, env: Record<string, string> = {}) {
  const config = loadConfig({ LOG_LEVEL: 'silent', ...env })
  const app = Fastify(serverOptions(config))
  const clock = new ManualClock()
  handleErrors(app, { metrics: createMetrics(), ids: createIds(), clock })
  checkRequestHeads(app)
  limitConnections(app, { config, clock })
  app.get('/large', async () => LARGE)
  app.get('/small', async () => 'small')
  app.post('/refused', { onRequest: async (_, reply) => reply.code(401).send('no') }, async () => 'never')
  app.post('/taken', async () => 'taken')
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  const sockets: Socket[] = []
  t.teardown(async () => {
    for (const socket of sockets) socket.destroy()
    await app.close()
    if (clock.waiting > 0) throw new Error('a timer is left')
  })
  function open(): Socket {
    const socket = connect(port, '127.0.0.1').on('error', () => {})
    sockets.push(socket)
    return socket
  }
  return { app, clock, open }
}

/** Sends the head, then one byte every 20 ms, until the server closes. Resolves to the reply. */
async function sendSlowly(socket: Socket, head: string): Promise<string> {
  let answer = ''
  socket.setEncoding('latin1').on('data', text => {
    answer += text
  })
  socket.write(head)
  const timer = setInterval(() => socket.writable && socket.write('1'), 20)
  await once(socket, 'close')
  clearInterval(timer)
  return answer
}

t.test('a request that does not arrive in time gets request_timeout, and its connection is closed', async t => {
  const { open } = await server(t, { REQUEST_TIMEOUT_MS: '200' })
  const json = 'Host: x\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n'
  const cases = [
    ['slow headers', 'GET /small HTTP/1.1\r\nX-Slow: '],
    ['a slow body', `POST /taken HTTP/1.1\r\n${json}`],
    [
      'a slow body in chunks',
      'POST /taken HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\n'
    ],
    ['a body after 100 Continue', `POST /taken HTTP/1.1\r\nExpect: 100-continue\r\n${json}`]
  ] as const
  await Promise.all(
    cases.map(async ([name, head]) => {
      const answer = (await sendSlowly(open(), head)).replace('HTTP/1.1 100 Continue\r\n\r\n', '')
      t.match(answer, /^HTTP\/1\.1 408 Request Timeout\r\n.*"code":"request_timeout"/s, name)
    })
  )
})

t.test('the connection of a refused request is closed when its body does not arrive', async t => {
  const { open } = await server(t, { REQUEST_TIMEOUT_MS: '200' })
  const answer = await sendSlowly(open(), 'POST /refused HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n')
  t.match(answer, /^HTTP\/1\.1 401 /)
})

t.test('a connection that never carries a request is closed', async t => {
  const { open } = await server(t, { REQUEST_TIMEOUT_MS: '200' })
  await once(open().resume(), 'close')
})

t.test('streams and waiting polls are exempt from the request timeout', async t => {
  const env = { REQUEST_TIMEOUT_MS: '150', HEARTBEAT_MS: '100', PRESENCE_TTL_MS: '1000' }
  const [{ url } = { url: '' }] = await startServers(t, { engine: 'memory' }, env)
  const headersOf = async (user: string) => ({ authorization: `Bearer ${await tokenOf(user)}` })
  const alice = await headersOf('alice')
  const { cursor } = (await (await fetch(`${url}/v1/events/poll`, { headers: alice })).json()) as { cursor: string }
  const waiting = fetch(`${url}/v1/events/poll?cursor=${cursor}&wait=1`, { headers: alice })
  const stream = await openSse(`${url}/v1/events`, { headers: await headersOf('bob') })
  for (let beats = 0; beats < 6; beats++) await stream.next('heartbeat')
  await stream.close()
  t.equal((await waiting).status, 200)
})

t.test('a GET that opens a stream is refused if it has a body', async t => {
  const [{ url } = { url: '' }] = await startServers(t, { engine: 'memory' })
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  t.teardown(() => socket.destroy())
  socket.write(`GET /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${await tokenOf('alice')}\r\n`)
  socket.write('Content-Length: 5\r\n\r\n')
  const [answer] = await once(socket.setEncoding('latin1'), 'data')
  t.match(answer, /^HTTP\/1\.1 400 .*"code":"invalid_request"/s, 'the body could be parsed as another request')
})

t.test('a pipelined request that opens a stream is refused, and does not wait', async t => {
  const [{ url } = { url: '' }] = await startServers(t, { engine: 'memory' })
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  t.teardown(() => socket.destroy())
  const token = `Authorization: Bearer ${await tokenOf('alice')}\r\n`
  let answers = ''
  socket.setEncoding('latin1').on('data', text => {
    answers += text
  })
  socket.write(`GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /v1/events HTTP/1.1\r\nHost: x\r\n${token}\r\n`)
  socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n')
  await until('all three have a reply', () => answers.match(/HTTP\/1\.1 \d+/g)?.length === 3)
  t.strictSame(answers.match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 200', 'HTTP/1.1 400', 'HTTP/1.1 200'])
  t.match(answers, /"code":"invalid_request"/)
})

t.test('the connection of a reply that is not read is closed', async t => {
  const { app, clock, open } = await server(t, { REQUEST_TIMEOUT_MS: '30000' })
  const connections = () => new Promise<number>(resolve => app.server.getConnections((_, count) => resolve(count)))
  const idle = open().resume()
  idle.write('GET /small HTTP/1.1\r\nHost: x\r\n\r\n')
  await once(idle, 'data')
  const served = once(app.server, 'request')
  open().pause().write('GET /large HTTP/1.1\r\nHost: x\r\n\r\n')
  const [{ socket }] = await served
  await until('the kernel buffers no more', () => socket.writableLength > 0)
  clock.advance(29_000)
  t.equal(socket.destroyed, false, 'not before the timeout')
  clock.advance(4000)
  t.equal(socket.destroyed, true)
  await until('only the idle connection is left', async () => (await connections()) === 1)
})

const SMALL = 'GET /small HTTP/1.1\r\nHost: x\r\n\r\n'

/** Counts the requests that the node parses. */
function countRequests({ app }: { app: FastifyInstance }): () => number {
  let requests = 0
  app.server.on('request', () => requests++)
  return () => requests
}

t.test('a client that pipelines up to 16 requests at a time gets all replies', async t => {
  const { open } = await server(t)
  const client = open().setEncoding('latin1')
  let answers = 0
  client.on('data', (text: string) => {
    const more = text.match(/HTTP\/1\.1 200/g)?.length ?? 0
    answers += more
    if (answers < 500) client.write(SMALL.repeat(more))
  })
  client.write(SMALL.repeat(10))
  await until('500 requests, ten at a time, have replies', () => answers >= 500)
  t.equal(client.destroyed, false)
  const other = open().setEncoding('latin1')
  let text = ''
  other.on('data', (more: string) => {
    text += more
  })
  other.write(SMALL.repeat(16))
  await until('all 16 requests have replies', () => text.match(/HTTP\/1\.1 200/g)?.length === 16)
})

t.test('of too many pipelined requests only the first are parsed, and the connection is closed', async t => {
  const node = await server(t)
  const requests = countRequests(node)
  const clients = Array.from({ length: 20 }, () => node.open().resume())
  const closed = Promise.all(clients.map(client => once(client, 'close')))
  for (const client of clients) client.write(SMALL.repeat(1900))
  await closed
  t.equal(requests(), 20 * 17, 'the bytes after the 17th request are not parsed')
  t.ok(await accepted(node.open()), 'another client is served')
})

t.test(
  'the limit applies to requests with bodies, to refused requests, and behind a reply that is not read',
  async t => {
    const node = await server(t)
    const requests = countRequests(node)
    const post = (path: string) =>
      `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}`
    const cases = [
      ['a body', post('/taken')],
      ['refused before its body is read', post('/refused')],
      ['an unknown path', post('/nothing')],
      ['no Host', 'GET /small HTTP/1.1\r\n\r\n'],
      ['an unknown expectation', 'GET /small HTTP/1.1\r\nHost: x\r\nExpect: more\r\n\r\n'],
      ['an expectation', 'GET /small HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n\r\n'],
      ['a broken escape', 'GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n']
    ] as const
    for (const [name, request] of cases) {
      const before = requests()
      const client = node.open().resume()
      client.write(request.repeat(500))
      await once(client, 'close')
      t.equal(requests() - before, 17, name)
    }
    const served = once(node.app.server, 'request')
    const unread = node.open().pause()
    unread.write('GET /large HTTP/1.1\r\nHost: x\r\n\r\n')
    const [{ socket }] = await served
    const before = requests()
    unread.write(SMALL.repeat(500))
    await until('the connection is closed', () => socket.destroyed)
    t.equal(requests() - before, 17)
  }
)

const accepted = (socket: Socket) => {
  socket.write('GET /small HTTP/1.1\r\nHost: x\r\n\r\n')
  return new Promise<boolean>(resolve => {
    socket.once('data', () => resolve(true)).once('close', () => resolve(false))
  })
}

t.test(
  'an address has at most MAX_CONNECTIONS_PER_ADDRESS connections, and can open another when one closes',
  async t => {
    const { open } = await server(t, { MAX_CONNECTIONS_PER_ADDRESS: '2' })
    const sockets = [open(), open(), open()]
    const answers = await Promise.all(sockets.map(accepted))
    t.equal(answers.filter(Boolean).length, 2)
    sockets[answers.indexOf(true)]?.destroy()
    await until('another connection is accepted', () => accepted(open()))
  }
)

t.test('trusted proxies are exempt from MAX_CONNECTIONS_PER_ADDRESS', async t => {
  const { open } = await server(t, { MAX_CONNECTIONS_PER_ADDRESS: '1', TRUST_PROXY: '10.0.0.0/8, 127.0.0.1' })
  t.strictSame(await Promise.all([open(), open(), open()].map(accepted)), [true, true, true])
})

t.test('a node has at most MAX_CONNECTIONS connections', async t => {
  const { open } = await server(t, { MAX_CONNECTIONS: '2' })
  const answers = await Promise.all([open(), open(), open()].map(accepted))
  t.equal(answers.filter(Boolean).length, 2)
})

t.test('an IPv4 address is a network of its own, an IPv6 address belongs to its /64', async t => {
  const cases = [
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0db8:0001:0002::9', '2001:db8:1:2::/64'],
    ['2001:db8::9', '2001:db8:0:0::/64'],
    ['2001:DB8::', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['64:ff9b::192.0.2.7', '64:ff9b:0:0::/64'],
    ['2001::1:2:3:4:192.0.2.7', '2001:0:1:2::/64'],
    ['192.0.2.7:4711', '192.0.2.7'],
    ['[2001:db8:1:2::9]:4711', '2001:db8:1:2::/64'],
    ['[2001:db8:1:2::9]', '2001:db8:1:2::/64'],
    ['[::ffff:192.0.2.7]:4711', '192.0.2.7'],
    ['[no address]:4711', 'unknown'],
    ['', 'unknown'],
    [`no address${'x'.repeat(1000)}`, 'unknown']
  ] as const
  for (const [address, network] of cases) t.equal(networkOf(address), network, address.slice(0, 40))
})
