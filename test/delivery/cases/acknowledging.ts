// Streams of clients that promised to acknowledge heartbeats. Heartbeats come every 15 s, refreshes every 10.
import type { Test } from 'tap'
import { AppError } from '../../../src/errors.js'
import type { Store } from '../../../src/store/store.js'
import type { SseClient } from '../../helpers/sse.js'
import { until } from '../../helpers/until.js'
import type { Engine } from '../engines.js'
import { type DeliveryFixture, deliveryTest } from '../fixture.js'
import type { Node } from '../node.js'

const HEARTBEAT_MS = 15_000
/** A refresh, and a tick of the streams. */
const REFRESH_MS = 11_000

/** Time goes by until the stream's next heartbeat; its data. */
async function heartbeat(fixture: DeliveryFixture, stream: SseClient) {
  let frame = stream.waiting().find(({ type }) => type === 'heartbeat' || type === 'end')
  while (!frame) {
    fixture.clock.advance(500)
    await fixture.settle()
    frame = stream.waiting().find(({ type }) => type === 'heartbeat' || type === 'end')
  }
  return stream.next(frame.type)
}

async function engagedStream(fixture: DeliveryFixture, node: Node, query = '?ack=true'): Promise<SseClient> {
  node.engaged.add('alice')
  const stream = await fixture.open(node, query)
  await stream.next('hello')
  fixture.clock.advance(REFRESH_MS)
  await fixture.settle()
  return stream
}

async function firstAsk(fixture: DeliveryFixture, stream: SseClient) {
  for (let beats = 0; beats < 3; beats++) {
    const frame = await heartbeat(fixture, stream)
    if (frame.data.ack === true) return
  }
  throw new Error('no heartbeat asked')
}

export function acknowledgingTests(t: Test, engine: Engine): void {
  const test = deliveryTest(t, engine)

  test('a heartbeat asks for an acknowledgement while the device is in a call or room', async (t, fixture, node) => {
    const stream = await fixture.open(node, '?ack=true')
    await stream.next('hello')
    t.equal((await heartbeat(fixture, stream)).data.ack, undefined)
    t.equal((await heartbeat(fixture, stream)).data.ack, undefined, 'the device is not in a call')
    node.engaged.add('alice')
    await firstAsk(fixture, stream)
    node.engaged.delete('alice')
    await fixture.store.mailboxes.recordRequest('alice', 'phone', { now: fixture.clock.now() })
    fixture.clock.advance(REFRESH_MS)
    await fixture.settle()
    await heartbeat(fixture, stream)
    t.equal((await heartbeat(fixture, stream)).data.ack, undefined, 'and not afterwards')
  })

  test('a stream without `ack=true` is never asked and never ended for it', async (t, fixture, node) => {
    const stream = await engagedStream(fixture, node, '')
    for (let beats = 0; beats < 5; beats++)
      t.match(await heartbeat(fixture, stream), { type: 'heartbeat', data: { ack: undefined } })
  })

  test('a stream ends `unresponsive` when its client acknowledges nothing within two heartbeats', async (t, fixture, node) => {
    const stream = await engagedStream(fixture, node)
    await firstAsk(fixture, stream)
    const askedAt = fixture.clock.now()
    let frame = await heartbeat(fixture, stream)
    t.match(frame, { type: 'heartbeat', data: { ack: true } })
    while (frame.type === 'heartbeat') frame = await heartbeat(fixture, stream)
    t.match(frame, { type: 'end', data: { reason: 'unresponsive', reconnect: true, afterMs: Number } })
    const tookMs = fixture.clock.now() - askedAt
    t.ok(tookMs >= 2 * HEARTBEAT_MS && tookMs <= 2 * HEARTBEAT_MS + 2000, `it took ${tookMs} ms`)
    await stream.ended()
    await until('the device has left', () => node.connectionLog.includes('-alice/phone'))
    const [device] = await fixture.store.mailboxes.devices('alice', fixture.clock.now())
    t.match(device, { online: false, left: true })
  })

  test('any request of the device acknowledges, on any node', async (t, fixture, node) => {
    const stream = await engagedStream(fixture, node)
    await firstAsk(fixture, stream)
    for (let beats = 0; beats < 6; beats++) {
      const now = fixture.clock.now()
      if (beats % 2) await fixture.store.mailboxes.recordRequest('alice', 'phone', { now })
      else await fixture.store.mailboxes.touch('alice', 'phone', { now, tag: 'unused' })
      t.match(await heartbeat(fixture, stream), { type: 'heartbeat', data: { ack: true } })
    }
  })

  test('a request of another device of the user does not acknowledge', async (t, fixture, node) => {
    const stream = await engagedStream(fixture, node)
    await firstAsk(fixture, stream)
    let frame = await heartbeat(fixture, stream)
    while (frame.type === 'heartbeat') {
      await fixture.store.mailboxes.touch('alice', 'laptop', { now: fixture.clock.now(), tag: 'birth' })
      frame = await heartbeat(fixture, stream)
    }
    t.match(frame.data, { reason: 'unresponsive' })
  })

  test('after an outage of the store a client has the full time to acknowledge again', async (t, fixture) => {
    let isDown = false
    const touch: Store['mailboxes']['touch'] = async (...args) => {
      if (isDown) throw new AppError('store_unavailable')
      return fixture.store.mailboxes.touch(...args)
    }
    const node = await fixture.node({ ...fixture.store, mailboxes: { ...fixture.store.mailboxes, touch } })
    const stream = await engagedStream(fixture, node)
    await firstAsk(fixture, stream)
    isDown = true
    for (let beats = 0; beats < 4; beats++) t.equal((await heartbeat(fixture, stream)).type, 'heartbeat')
    isDown = false
    t.equal((await heartbeat(fixture, stream)).type, 'heartbeat', 'the time starts again')
    await fixture.store.mailboxes.recordRequest('alice', 'phone', { now: fixture.clock.now() })
    for (let beats = 0; beats < 2; beats++) t.equal((await heartbeat(fixture, stream)).type, 'heartbeat')
  })
}
