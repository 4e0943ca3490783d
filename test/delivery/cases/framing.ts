// The bytes of a stream: over HTTP/1.1 each frame is a chunk and has data. The end of the body shows whether to reconnect.
import { once } from 'node:events'
import { connect } from 'node:net'
import type { Test } from 'tap'
import { ENDS, type StreamEndReason } from '../../../src/ends.js'
import type { SseClient } from '../../helpers/sse.js'
import { until } from '../../helpers/until.js'
import type { Engine } from '../engines.js'
import { type DeliveryFixture, deliveryTest } from '../fixture.js'
import type { Node } from '../node.js'

interface RawStream {
  readonly received: () => Buffer
  readonly closed: Promise<unknown>
  close(): void
}

/** Sends the request as it is and collects what comes back. */
async function openRaw(node: Node, version: '1.0' | '1.1', path = '/v1/events'): Promise<RawStream> {
  const { hostname, port } = new URL(node.url)
  const socket = connect(Number(port), hostname)
  const pieces: Buffer[] = []
  socket.on('data', piece => pieces.push(piece)).on('error', () => {})
  await once(socket, 'connect')
  socket.write(`GET ${path} HTTP/${version}\r\nHost: localhost\r\nAuthorization: alice\r\n\r\n`)
  return {
    received: () => Buffer.concat(pieces),
    closed: once(socket, 'close'),
    close: () => void socket.destroy()
  }
}

function partsOf(reply: Buffer): { readonly head: string; readonly body: Buffer } {
  const end = reply.indexOf('\r\n\r\n')
  return { head: reply.subarray(0, end).toString('latin1'), body: reply.subarray(end + 4) }
}

/** The chunks of a body as text, the last one (which is empty) included. Fails on anything else. */
function chunksOf(body: Buffer): string[] {
  const chunks: string[] = []
  for (let rest = body; rest.length > 0; ) {
    const lineEnd = rest.indexOf('\r\n')
    const size = Number.parseInt(rest.subarray(0, lineEnd).toString('latin1'), 16)
    const from = lineEnd + 2
    if (rest.subarray(from + size, from + size + 2).toString('latin1') !== '\r\n') throw new Error('not a whole chunk')
    chunks.push(rest.subarray(from, from + size).toString('utf8'))
    rest = rest.subarray(from + size + 2)
  }
  return chunks
}

export function framingTests(t: Test, engine: Engine): void {
  const test = deliveryTest(t, engine)

  test('over HTTP/1.1 each frame is one chunk and one block with data', async (t, fixture, node) => {
    const stream = await openRaw(node, '1.1')
    await until('the stream is live', () => stream.received().includes('event: hello'))
    await fixture.appendNumbered(1, 3, { text: 'Zoë 🎥' })
    await until('the events came', () => stream.received().includes('"n":3'))
    fixture.clock.advance(15_000)
    await until('a heartbeat came', () => stream.received().includes('event: heartbeat'))
    stream.close()
    const { head, body } = partsOf(stream.received())
    t.match(head.split('\r\n'), ['HTTP/1.1 200 OK'])
    t.ok(head.split('\r\n').includes('transfer-encoding: chunked'))
    t.notMatch(head, /connection: close/i, 'which would make fetch in Node take a broken body for a complete one')
    const chunks = chunksOf(body)
    t.equal(chunks.length, 5)
    for (const chunk of chunks) {
      t.match(chunk, /^(retry: \d+\n)?event: \S+\ndata: \{.*\}\n(id: \S+\n)?\n$/, 'the id comes last')
      t.equal(chunk.split('\n\n').length, 2, 'one block')
    }
    t.match(chunks[0], /^retry: \d+\nevent: hello\n.*\nid: \S+\n\n$/)
    t.notOk(chunks.slice(1).some(chunk => chunk.includes('retry:')))
  })

  test('a replay is one chunk for each event', async (t, fixture, node) => {
    await (await fixture.open(node)).next('hello')
    await fixture.appendNumbered(1, 120)
    const stream = await openRaw(node, '1.1', '/v1/events?cursor=start')
    await until('it has caught up', () => stream.received().includes('event: caught-up'))
    stream.close()
    const chunks = chunksOf(partsOf(stream.received()).body)
    t.equal(chunks.length, 121)
    t.match(chunks[0], /^retry: \d+\nevent: call.ringing\n.*\nid: 1\.\S+\n\n$/)
  })

  test('over HTTP/1.0 the body has no chunks and ends with the connection', async (t, fixture, node) => {
    const stream = await openRaw(node, '1.0')
    await until('the stream is live', () => stream.received().includes('event: hello'))
    await fixture.store.mailboxes.remove('alice', 'phone')
    await stream.closed
    const { head, body } = partsOf(stream.received())
    t.notMatch(head.toLowerCase(), 'transfer-encoding')
    t.match(body.toString(), /^retry: \d+\nevent: hello\ndata: .*\nid: \S+\n\nretry: 600000\nevent: end\ndata: .*\n\n$/)
  })

  const endings: Partial<Record<StreamEndReason, (fixture: DeliveryFixture, node: Node) => Promise<unknown>>> = {
    superseded: (fixture, node) => fixture.open(node),
    signed_off: ({ store }) => store.mailboxes.remove('alice', 'phone'),
    auth_expired: async ({ clock }) => clock.advance(60_000),
    unresponsive: async (fixture, node) => {
      node.engaged.add('alice')
      await until('it has left', () => {
        fixture.clock.advance(5000)
        return node.streams.count().sse === 0
      })
    },
    drain: (_, node) => node.streams.drain({ windowMs: 0 })
  }
  for (const [reason, end] of Object.entries(endings)) {
    const { reconnect } = ENDS[reason as StreamEndReason]
    test(`a stream that ends «${reason}» ${reconnect ? 'is cut short' : 'has a complete body'}`, async (t, fixture, node) => {
      const as = `alice phone ${reason === 'auth_expired' ? fixture.clock.now() + 50_000 : ''}`.trim()
      const stream = await fixture.open(node, '?ack=true', { as })
      await stream.next('hello')
      await end(fixture, node)
      await checkEnd(t, stream, reason as StreamEndReason)
    })
  }

  test('a stream that is refused ends in the same way', async (t, fixture, node) => {
    await node.streams.drain({ windowMs: 0 })
    await checkEnd(t, await fixture.open(node), 'drain')
    const raw = await openRaw(node, '1.1')
    await raw.closed
    t.match(chunksOf(partsOf(raw.received()).body), [/^retry: \d+\nevent: end\ndata: .*\n\n$/])
  })

  test('fetch reports a fault exactly where the client should reconnect', async (t, fixture, node) => {
    for (const isDrained of [false, true]) {
      const reading = readWithFetch(node)
      await until('the stream is live', async () => {
        const [device] = await fixture.store.mailboxes.devices('alice', fixture.clock.now())
        return node.streams.count().sse === 1 && device?.online === true
      })
      if (isDrained) await node.streams.drain({ windowMs: 0 })
      else await fixture.store.mailboxes.remove('alice', 'phone')
      const { text, isBroken } = await reading
      t.match(text, 'event: end')
      t.equal(isBroken, isDrained)
    }
    t.match(await readWithFetch(node), { text: /event: end/, isBroken: true }, 'a refused stream too')
  })

  test('the connection of a killed node leaves an incomplete body', async (t, fixture, node) => {
    const stream = await fixture.open(node)
    await stream.next('hello')
    for (const socket of node.sockets) socket.destroy()
    await stream.ended()
    t.notOk(stream.isComplete())
  })
}

/** With fetch, as generated clients and fetch-event-source read it. */
async function readWithFetch(node: Node): Promise<{ readonly text: string; readonly isBroken: boolean }> {
  let text = ''
  const { body } = await fetch(node.url, { headers: { authorization: 'alice' } })
  try {
    for await (const piece of body?.pipeThrough(new TextDecoderStream()) ?? []) text += piece
    return { text, isBroken: false }
  } catch {
    return { text, isBroken: true }
  }
}

async function checkEnd(t: Test, stream: SseClient, reason: StreamEndReason): Promise<void> {
  t.match(await stream.next('end'), { data: { reason, reconnect: ENDS[reason].reconnect } })
  await stream.ended()
  t.equal(stream.isComplete(), !ENDS[reason].reconnect)
}
