// 100,000 webhook events over two nodes, one of which is killed in the middle: each arrives at least once, in the order of its call.
import t from 'tap'
import { webhookUrls } from '../../src/webhook-urls.js'
import { Fleet } from '../helpers/fleet.js'
import { startRedis } from '../helpers/redis.js'
import { openRedisStore } from '../helpers/store.js'
import { until } from '../helpers/until.js'
import { secretOf, WebhookReceiver } from '../helpers/webhook-receiver.js'

const CALLS = 1000
const EVENTS_PER_CALL = 100
const EVENTS = CALLS * EVENTS_PER_CALL
const WITHIN_MS = 160_000

t.test('when one of two nodes is killed, no event of 100,000 is lost and each call stays in order', async t => {
  const receiver = await WebhookReceiver.open(secretOf(1))
  const redis = await startRedis()
  const fleet = await Fleet.launch(2, redis, {
    WEBHOOK_URLS: receiver.url,
    WEBHOOK_SECRETS: secretOf(1),
    WEBHOOK_ALLOW_PRIVATE: 'true'
  })
  const store = await openRedisStore(redis.url)
  t.teardown(async () => {
    await store.close()
    await fleet.stop()
    await receiver.close()
  })
  const { id: destination = '' } = webhookUrls(receiver.url)[0] ?? {}

  /** As commits of a node that died: the timers find the queues. */
  async function queueAll(call: number): Promise<void> {
    const ref = { destination, source: { kind: 'call' as const, id: `call-${call}` } }
    for (let n = 1; n <= EVENTS_PER_CALL; n++) {
      const data = { callId: ref.source.id, version: n }
      const envelope = JSON.stringify({ type: 'call.message', timestamp: new Date().toISOString(), data })
      const event = { type: 'call.message', envelope, expiresAt: null, version: n, tag: 'tag', index: 0 }
      if (!(await store.webhookQueues.append(ref, event, Date.now()))) throw new Error('the backlog is full')
    }
  }

  const startedAt = Date.now()
  const queued = Promise.all(Array.from({ length: CALLS }, (_, call) => queueAll(call)))
  await until('a third has arrived', () => receiver.events.length >= EVENTS / 3, WITHIN_MS)
  await fleet.kill(0)
  const killedAfterMs = Date.now() - startedAt
  await queued
  await until('all have arrived', () => receiver.events.length >= EVENTS, WITHIN_MS)
  const durationMs = Date.now() - startedAt
  await until('no queue waits', async () => (await store.webhookQueues.backlog()).queues === 0, WITHIN_MS)

  const byCall = new Map<string, number[]>()
  for (const { event } of receiver.events) {
    const { callId, version } = event.data as { callId: string; version: number }
    byCall.set(callId, [...(byCall.get(callId) ?? []), version])
  }
  const inOrder = Array.from({ length: EVENTS_PER_CALL }, (_, n) => n + 1).join()
  t.equal(receiver.events.length, EVENTS)
  t.equal(byCall.size, CALLS)
  t.strictSame(
    [...byCall].filter(([, versions]) => versions.join() !== inOrder).map(([callId]) => callId),
    []
  )
  const { requests, repeats, refused } = receiver.counts
  t.equal(refused, 0)
  const figures = {
    events: EVENTS,
    requests,
    repeats,
    killedAfterMs,
    durationMs,
    perSecond: Math.round((EVENTS * 1000) / durationMs)
  }
  t.comment(JSON.stringify(figures))
})
