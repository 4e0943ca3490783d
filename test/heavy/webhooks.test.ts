// 100,000 webhook events over two nodes, one of which is killed in the middle: each arrives at least once, in the order of its call.
import assert from 'node:assert/strict'
import t from 'tap'
import { webhookUrls } from '../../src/webhook-urls.js'
import { Fleet } from '../helpers/fleet.js'
import { startRedis } from '../helpers/redis.js'
import { openRedisStore } from '../helpers/store.js'
import { until } from '../helpers/until.js'
import { secretOf, WebhookReceiver } from '../helpers/webhook-receiver.js'

const CALLS = 1000
const EVENTS_PER_CALL = 100
const EVENTS_PER_COMMIT = 10
const EVENTS = CALLS * EVENTS_PER_CALL
const WITHIN_MS = 240_000

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

  /** Commits of a node that dies: the timers find the queues. */
  async function queueAll(call: number): Promise<void> {
    const id = `call-${call}`
    const commit = { tag: 'tag', state: '{}', mail: [], log: [], deadlineAt: null, expireInMs: null }
    for (let version = 1; version <= EVENTS_PER_CALL / EVENTS_PER_COMMIT; version++) {
      const webhooks = Array.from({ length: EVENTS_PER_COMMIT }, (_, index) => {
        const data = { callId: id, n: (version - 1) * EVENTS_PER_COMMIT + index + 1 }
        const envelope = JSON.stringify({ type: 'call.message', timestamp: new Date().toISOString(), data })
        return { type: 'call.message', destinations: [destination], envelope, expiresAt: null }
      })
      const expected = version === 1 ? null : { version: version - 1, tag: 'tag' }
      const result = await store.aggregates.commit(
        { kind: 'call', id },
        { ...commit, expected, version, webhooks, now: Date.now() }
      )
      assert.ok(result.ok && !result.webhooksRefused)
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
    const { callId, n } = event.data as { callId: string; n: number }
    byCall.set(callId, [...(byCall.get(callId) ?? []), n])
  }
  const inOrder = Array.from({ length: EVENTS_PER_CALL }, (_, n) => n + 1).join()
  t.equal(receiver.events.length, EVENTS)
  t.equal(byCall.size, CALLS)
  t.strictSame(
    [...byCall].filter(([, numbers]) => numbers.join() !== inOrder).map(([callId]) => callId),
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
