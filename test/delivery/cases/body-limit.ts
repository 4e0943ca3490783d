// `maxBytes` of a stream: its body ends when it is full, events are never split, and nothing is lost or comes twice over the resumes.
import type { Test } from 'tap'
import type { Engine } from '../engines.js'
import { type DeliveryFixture, deliveryTest } from '../fixture.js'
import type { Node } from '../node.js'

interface Body {
  readonly bytes: number
  readonly numbers: unknown[]
  readonly cursor: string
  readonly end: Readonly<Record<string, unknown>>
}

/** The whole body of a stream that ends by itself, as a client that reads it to its end. */
async function readBody(node: Node, query: string): Promise<Body> {
  const reply = await fetch(`${node.url}${query}`, { headers: { authorization: 'alice' } })
  const text = await reply.text()
  const events = [...text.matchAll(/^data: (.*)$/gm)].map(([, data = '']) => JSON.parse(data))
  return {
    bytes: Buffer.byteLength(text),
    numbers: events.filter(({ type }) => type === 'call.ringing').map(({ data }) => data.n),
    cursor: [...text.matchAll(/^id: (.*)$/gm)].at(-1)?.[1] ?? '',
    end: events.at(-1)?.data
  }
}

/** Resumes until the number of events was received. */
async function readBodies(node: Node, maxBytes: number, count: number): Promise<Body[]> {
  const bodies: Body[] = []
  let cursor = 'start'
  while (bodies.flatMap(({ numbers }) => numbers).length < count) {
    const body = await readBody(node, `?cursor=${cursor}&maxBytes=${maxBytes}`)
    bodies.push(body)
    cursor = body.cursor
  }
  return bodies
}

const register = (fixture: DeliveryFixture, node: Node) => fixture.poll(node)

export function bodyLimitTests(t: Test, engine: Engine): void {
  const test = deliveryTest(t, engine)

  test('a replay is divided into bodies of at most maxBytes; a larger event comes alone', async (t, fixture, node) => {
    await register(fixture, node)
    await fixture.appendNumbered(1, 6, { text: 'ü'.repeat(400) })
    await fixture.appendNumbered(7, 7, { text: 'ü'.repeat(4000) })
    await fixture.appendNumbered(8, 10, { text: 'ü'.repeat(400) })
    const bodies = await readBodies(node, 3000, 9)
    t.same(
      bodies.map(({ numbers }) => numbers),
      [[1, 2], [3, 4], [5, 6], [7], [8, 9]]
    )
    for (const { bytes, numbers, end } of bodies) {
      t.ok(bytes <= 3000 || numbers.length === 1, `${bytes} bytes`)
      t.match(end, { reason: 'max_bytes', reconnect: true, afterMs: 0 })
    }
  })

  test('a live stream ends before an event that does not fit', async (t, fixture, node) => {
    const stream = await fixture.open(node, '?maxBytes=2048')
    await stream.next('hello')
    await fixture.appendNumbered(1, 1, { text: 'x'.repeat(1000) })
    await stream.next('call.ringing')
    await fixture.appendNumbered(2, 2, { text: 'x'.repeat(1000) })
    t.match(await stream.next(), { type: 'end', data: { reason: 'max_bytes' } })
    await stream.ended()
    t.ok(stream.isComplete(), 'the body is complete')
    const next = await fixture.open(node, `?cursor=${stream.lastEventId}&maxBytes=2048`)
    t.match(await next.next(), { type: 'call.ringing', data: { n: 2 } })
  })

  test('a larger event is written to a live stream, which then ends', async (t, fixture, node) => {
    const stream = await fixture.open(node, '?maxBytes=1024')
    await stream.next('hello')
    await fixture.appendNumbered(1, 1, { text: 'x'.repeat(50_000) })
    t.match(await stream.next(), { type: 'call.ringing', data: { n: 1 } })
    t.match(await stream.next(), { type: 'end', data: { reason: 'max_bytes' } })
    t.equal(stream.lastEventId.split('.')[0], '1')
  })

  test('heartbeats fill a body too', async (t, fixture, node) => {
    const stream = await fixture.open(node, '?maxBytes=1024')
    await stream.next('hello')
    const types: string[] = []
    while (types.at(-1) !== 'end') {
      fixture.clock.advance(15_000)
      await fixture.settle()
      types.push((await stream.next()).type)
    }
    t.ok(types.length > 2)
    t.same(new Set(types.slice(0, -1)), new Set(['heartbeat']))
  })

  test('a limit below 1 KiB is refused', async (t, _fixture, node) => {
    const reply = await fetch(`${node.url}?maxBytes=1023`, { headers: { authorization: 'alice' } })
    t.equal(reply.status, 400)
  })
}
