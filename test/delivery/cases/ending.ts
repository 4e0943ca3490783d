// The reasons for which streams end, and their `end` events (src/ends.ts).
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { createParser } from 'eventsource-parser'
import type { Test } from 'tap'
import { until } from '../../helpers/until.js'
import type { Engine } from '../engines.js'
import { deliveryTest } from '../fixture.js'
import type { Node } from '../node.js'

/** A raw connection: the test decides what is written and when it reads. */
async function connectTo(node: Node): Promise<Socket> {
  const { hostname, port } = new URL(node.url)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

const REQUEST = 'GET /v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: alice\r\n\r\n'

export function endingTests(t: Test, engine: Engine): void {
  const test = deliveryTest(t, engine)

  test('a newer stream of a device supersedes the older one, on any node', async (t, fixture, node) => {
    const other = await fixture.node()
    const first = await fixture.open(node)
    await first.next('hello')
    const second = await fixture.open(other)
    await second.next('hello')
    t.match(await first.next('end'), { id: undefined, data: { reason: 'superseded', reconnect: false } })
    t.equal(first.retryMs, 600_000, 'an EventSource that is not closed waits ten minutes')
    await first.ended()
    await fixture.appendNumbered(1)
    t.match(await second.next(), { data: { n: 1 } })
    const [device] = await fixture.store.mailboxes.devices('alice', fixture.clock.now())
    t.equal(device?.online, true, 'the superseded stream did not take the device offline')
    t.same(node.connectionLog, ['+alice/phone fresh'], 'and did not report a disconnect')
  })

  test('when streams of one device are opened at once, exactly one stays', async (t, fixture, node) => {
    const other = await fixture.node()
    const streams = await Promise.all(Array.from({ length: 10 }, (_, i) => fixture.open(i % 2 ? node : other)))
    await until('one is left', () => {
      fixture.clock.advance(500)
      return node.streams.count().sse + other.streams.count().sse === 1
    })
    fixture.clock.advance(30_000)
    await fixture.appendNumbered(1)
    const received = await Promise.all(
      streams.map(stream =>
        stream.next('call.ringing').then(
          () => 1,
          () => 0
        )
      )
    )
    t.equal(received.filter(Boolean).length, 1)
  })

  test('signing off ends the stream', async (t, fixture, node) => {
    const stream = await fixture.open(node)
    await stream.next('hello')
    await fixture.store.mailboxes.remove('alice', 'phone')
    t.match(await stream.next('end'), { data: { reason: 'signed_off', reconnect: false } })
    await until('it has left', () => node.connectionLog.includes('-alice/phone'))
    t.same(
      await fixture.store.mailboxes.devices('alice', fixture.clock.now()),
      [],
      'and does not register the device again'
    )
  })

  test(
    'a device over the limit is refused by stream and by poll, until another device signs off',
    async (t, fixture, node) => {
      const first = await fixture.open(node)
      await first.next('hello')
      await fixture.leave(node, first)
      const refused = await fixture.open(node, '', { as: 'alice tablet' })
      t.match(await refused.next('end'), { data: { reason: 'too_many_devices', reconnect: false } })
      await refused.ended()
      t.match(await fixture.poll(node, '', { as: 'alice tablet' }), { status: 409, code: 'too_many_devices' })
      await fixture.store.mailboxes.remove('alice', 'phone')
      const stream = await fixture.open(node, '', { as: 'alice tablet' })
      await stream.next('hello')
    },
    { maxDevicesPerUser: 1 }
  )

  test(
    'a stream ends with `too_many_devices` if its device expired and the user now has the maximum of others',
    async (t, fixture, node) => {
      const stream = await fixture.open(node)
      await stream.next('hello')
      // By the clock of another node, which runs far ahead.
      const later = { now: fixture.clock.now() + 600_001, tag: 'birth', connection: 'c1', claim: true }
      await fixture.store.mailboxes.touch('alice', 'tablet', later)
      fixture.clock.advance(30_000)
      t.match(await stream.next('end'), { data: { reason: 'too_many_devices', reconnect: false } })
      await stream.ended()
    },
    { maxDevicesPerUser: 1 }
  )

  test('a token used before the stream opened does not extend the stream', async (t, fixture, node) => {
    const { now, tag } = { now: fixture.clock.now(), tag: 'birth' }
    await fixture.store.mailboxes.touch('alice', 'phone', { now, tag, authExpiresAt: now + 3_600_000 })
    const before = await fixture.open(node, '', { as: `alice phone ${now + 3_600_000}` })
    await before.next('hello')
    const stream = await fixture.open(node, '', { as: `alice phone ${now + 20_000}` })
    await stream.next('hello')
    fixture.clock.advance(20_000)
    t.match(await stream.next('end'), { data: { reason: 'auth_expired' } })
    await stream.ended()
  })

  test('a stream ends when its token expires, after a warning, unless a newer token extends it', async (t, fixture, node) => {
    const expiresAt = fixture.clock.now() + 60_000
    const { mailboxes } = fixture.store
    const stream = await fixture.open(node, '', { as: `alice phone ${expiresAt}` })
    await stream.next('hello')
    fixture.clock.advance(30_000)
    t.match(await stream.next('auth.expiring'), { data: { expiresInMs: 30_000 } })
    const { now, tag } = { now: fixture.clock.now(), tag: 'fresh' }
    await mailboxes.touch('alice', 'phone', { now, tag, authExpiresAt: expiresAt + 60_000 })
    // Comes on the same line after it.
    await fixture.appendNumbered(1)
    await stream.next('call.ringing')
    fixture.clock.advance(29_000)
    await stream.next('heartbeat')
    fixture.clock.advance(31_000)
    t.match(await stream.next('auth.expiring'), { data: { expiresInMs: 30_000 } })
    const request = { now: fixture.clock.now(), authExpiresAt: expiresAt + 120_000 }
    await mailboxes.recordRequest('alice', 'phone', request)
    await fixture.appendNumbered(2)
    await stream.next('call.ringing')
    fixture.clock.advance(60_000)
    t.match(
      await stream.next('auth.expiring'),
      { data: { expiresInMs: 30_000 } },
      'after a request that is no keepalive'
    )
    fixture.clock.advance(30_000)
    t.match(await stream.next('end'), { data: { reason: 'auth_expired', reconnect: false } })
    await stream.ended()
  })

  test(
    'a stream whose client does not read ends `slow` at 256 KiB, and resumes without loss',
    async (t, fixture, node) => {
      const socket = await connectTo(node)
      socket.pause()
      socket.write(REQUEST)
      await until('the stream is live', () => node.connectionLog.length === 1)
      const padding = 'x'.repeat(60_000)
      let sent = 0
      while (!node.connectionLog.includes('-alice/phone')) {
        if (sent === 900) throw new Error('54 MB were taken without a limit')
        await fixture.appendNumbered(++sent, sent, { padding })
        // The kernel's buffers fill first; the loop goes round once for them to be seen full.
        await new Promise(setImmediate)
      }
      const received: string[] = []
      const parser = createParser({ onEvent: ({ id, event }) => event === 'call.ringing' && received.push(id ?? '') })
      socket.setEncoding('utf8').on('data', text => parser.feed(String(text)))
      fixture.clock.advance(2000)
      socket.resume()
      await once(socket, 'close')
      t.ok(received.length > 0 && received.length < sent, `${received.length} of ${sent} were received`)
      const stream = await fixture.open(node, `?cursor=${received.at(-1)}`)
      for (let n = received.length + 1; n <= sent; n++) t.equal((await stream.next()).data.n, n)
      t.match(await stream.next(), { type: 'caught-up' })
    },
    // More than the kernel holds.
    { mailboxMaxBytes: 67_108_864 }
  )

  test(
    'a replay that does not drain ends the stream',
    async (_t, fixture, node) => {
      const first = await fixture.open(node)
      const { id: cursor } = await first.next('hello')
      await fixture.leave(node, first)
      await fixture.appendNumbered(1, 250, { padding: 'x'.repeat(60_000) })
      const socket = await connectTo(node)
      socket.pause()
      socket.write(REQUEST.replace('/v1/events', `/v1/events?cursor=${cursor}`))
      await until('it is replaying', () => node.streams.count().sse === 1)
      await until('the backlog stands', async () => {
        fixture.clock.advance(1000)
        return node.connectionLog.at(-1) === '-alice/phone' && node.connectionLog.length > 2
      })
      fixture.clock.advance(2000)
      await until('the connection was cut', () => node.streams.count().sse === 0)
      socket.destroy()
    },
    { mailboxMaxBytes: 67_108_864 }
  )

  test('a stream ends `slow` after 30 s without a drain, also with a small backlog', async (t, fixture, node) => {
    const socket = await connectTo(node)
    socket.pause()
    socket.write(REQUEST)
    await until('the stream is live', () => node.connectionLog.length === 1)
    const [served] = node.sockets
    const padding = 'x'.repeat(4000)
    for (let n = 1; served?.writableLength === 0; n++) {
      await fixture.appendNumbered(n, n, { padding })
      await new Promise(setImmediate)
    }
    t.ok(!served?.writableNeedDrain, 'its queue is not full')
    fixture.clock.advance(29_000)
    t.equal(node.streams.count().sse, 1)
    fixture.clock.advance(2_000)
    await until('it has left', () => node.connectionLog.includes('-alice/phone'))
    fixture.clock.advance(2_000)
    await until('the connection was cut', () => node.streams.count().sse === 0)
    socket.destroy()
  })

  test('bytes after the request are not parsed as a second request', async (t, fixture, node) => {
    const socket = await connectTo(node)
    let answer = ''
    socket.setEncoding('utf8').on('data', text => {
      answer += text
    })
    socket.write(REQUEST + REQUEST)
    await until('the stream is live', () => answer.includes('event: hello'))
    socket.write(REQUEST)
    await fixture.appendNumbered(1)
    await until('an event came', () => answer.includes('event: call.ringing'))
    t.equal(answer.split('HTTP/1.1').length - 1, 1)
    socket.destroy()
  })

  test("the connection of a stream is no longer the HTTP server's", async (t, fixture, node) => {
    const stream = await fixture.open(node)
    await stream.next('hello')
    const [socket] = node.sockets
    // Node's server has listeners for these events while it owns the connection, and keeps a parser: 5 KiB a stream.
    await until('the server has released it', () => socket?.listenerCount('timeout') === 0)
    t.strictSame(
      ['data', 'drain', 'end', 'error'].map(event => [event, socket?.listeners(event).length]),
      [
        ['data', 1],
        ['drain', 0],
        ['end', 2],
        ['error', 1]
      ]
    )
  })

  test('a request with an Upgrade header gets its stream', async (t, fixture, node) => {
    const stream = await fixture.open(node)
    await stream.next('hello')
    const socket = await connectTo(node)
    let answer = ''
    socket.setEncoding('utf8').on('data', text => {
      answer += text
    })
    const [start = ''] = REQUEST.split('\r\n\r\n')
    socket.write(`${start}\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n`)
    await until('the stream is live', () => answer.includes('event: hello'))
    t.match(answer, /^HTTP\/1.1 200 OK\r\n/)
    socket.destroy()
  })

  test('a client that half-closes the connection of its stream is disconnected', async (t, _fixture, node) => {
    const socket = await connectTo(node)
    socket.setEncoding('utf8').resume()
    socket.write(REQUEST)
    await until('the stream is live', () => node.connectionLog.length === 1)
    socket.end()
    await once(socket, 'close')
    await until('it has left', () => node.connectionLog.length === 2)
    t.strictSame(node.connectionLog, ['+alice/phone fresh', '-alice/phone'])
  })

  test('without STREAM_RELEASE_PARSER a stream works and the server keeps the parser of its connection', async (t, fixture) => {
    const node = await fixture.node(fixture.store, { STREAM_RELEASE_PARSER: 'false' })
    const stream = await fixture.open(node)
    await stream.next('hello')
    await fixture.appendNumbered(1)
    await stream.next('call.ringing')
    t.ok(node.sockets[0]?.listenerCount('timeout'))
    await fixture.leave(node, stream)
    t.equal(node.streams.count().sse, 0)
  })

  test('clients that disconnect while their stream opens leave nothing behind', async (t, fixture, node) => {
    for (let i = 0; i < 20; i++) {
      const socket = await connectTo(node)
      socket.write(REQUEST)
      if (i % 2) await new Promise(setImmediate)
      socket.resetAndDestroy()
    }
    await until('all have left', () => node.streams.count().sse === 0 && node.users() === 0)
    const stream = await fixture.open(node)
    t.match(await stream.next(), { type: 'hello' })
  })

  test('a draining node ends its streams over a window and refuses new ones', async (t, fixture, node) => {
    const people = ['alice', 'bob', 'carol', 'dave']
    const streams = await Promise.all(people.map(as => fixture.open(node, '', { as })))
    const waiting = fixture.poll(node, '?cursor=start&wait=30', { as: 'erin' })
    for (const stream of streams) await stream.next('hello')
    await until('the poll waits', () => node.connectionLog.includes('+erin/phone fresh'))
    const drained = node.streams.drain({ windowMs: 4000 })
    t.match(await waiting, { status: 200, events: [] }, 'a waiting poll is answered at once')
    await until('the first stream has ended', () => node.streams.count().sse < 4)
    t.ok(node.streams.count().sse > 0, 'not all at once')
    await until('the others have ended', () => {
      fixture.clock.advance(200)
      return node.streams.count().sse === 0
    })
    await drained
    for (const stream of streams) {
      t.match(await stream.next('reconnect'), { data: { afterMs: Number } })
      t.match(await stream.next('end'), { data: { reason: 'drain', reconnect: true, afterMs: stream.retryMs ?? 0 } })
    }
    const late = await fixture.open(node, '', { as: 'frank' })
    t.equal(late.status, 200)
    t.match(await late.next(), { type: 'end', data: { reason: 'drain', reconnect: true } })
    t.match(await fixture.poll(node, '', { as: 'frank' }), { status: 503, code: 'shutting_down' })
  })
}
