import type { Test } from 'tap'
import { TIMER_CLASSES } from '../../../src/store/timers.js'
import {
  parseQueueId,
  toQueueAggregate,
  WEBHOOK_START_MS,
  type WebhookQueueRef
} from '../../../src/store/webhook-queues.js'
import type { StoreFixture } from '../contract.js'
import { CLAIM, call, commitOf } from './fixtures.js'
import { room } from './room-fixtures.js'
import { eventOf, LEASE_MS, newEvent, queueOf, queueSteps } from './webhook-fixtures.js'

/** When webhook queues are due, and how many there may be. */
export function webhookTimerContract(t: Test, fixture: StoreFixture): void {
  const { aggregates, webhookQueues } = fixture.store
  const { append, next, positionOfLast, postpone, versions, isDue } = queueSteps(fixture)
  const newQueue = () => queueOf(call(fixture.id('c')), fixture.id('d'))

  async function empty(queue: WebhookQueueRef, parts: { node?: string } = {}): Promise<void> {
    t.strictSame(await versions(queue, { ...parts, done: await positionOfLast(queue, parts) }), 'idle')
  }

  t.test('the timers name the queue', async t => {
    const queue = queueOf(room(fixture.id('r')), fixture.id('d'))
    t.strictSame(parseQueueId(toQueueAggregate(queue).id), queue)
    await append(queue, 1)
    fixture.clock.advance(WEBHOOK_START_MS)
    t.ok(await isDue(queue))
    await empty(queue)
  })

  t.test('a queue that no node delivers is due after its first commit, and again after each claim', async t => {
    const queue = newQueue()
    const webhooks = [newEvent(1, { destinations: [queue.destination] })]
    await aggregates.commit(queue.source, commitOf(fixture, 0, { webhooks }))
    fixture.clock.advance(WEBHOOK_START_MS - 1)
    t.notOk(await isDue(queue))
    await aggregates.commit(queue.source, commitOf(fixture, 1, { webhooks }))
    fixture.clock.advance(1)
    t.ok(await isDue(queue), 'a later commit does not postpone it')
    t.notOk(await isDue(queue), 'claimed')
    fixture.clock.advance(CLAIM.claimMs)
    t.ok(await isDue(queue), 'the node that claimed it has died')
    await empty(queue)
    fixture.clock.advance(60_000)
    t.notOk(await isDue(queue), 'the queue is empty')
  })

  t.test('a queue that is delivered is due when the lease ends', async t => {
    const queue = newQueue()
    await append(queue, 1)
    await next(queue)
    fixture.clock.advance(LEASE_MS - 1)
    t.notOk(await isDue(queue))
    await next(queue)
    await append(queue, 2)
    fixture.clock.advance(LEASE_MS - 1)
    t.notOk(await isDue(queue), 'renewed')
    fixture.clock.advance(1)
    t.ok(await isDue(queue))
    t.strictSame(await versions(queue, { node: 'node-2' }), [1, 2])
    await empty(queue, { node: 'node-2' })
  })

  t.test('a queue that failed is due when its back-off is over', async t => {
    const queue = newQueue()
    await append(queue, 1)
    await next(queue)
    await postpone(queue, { retryIn: 9_000 })
    fixture.clock.advance(8_999)
    await append(queue, 2)
    t.notOk(await isDue(queue))
    fixture.clock.advance(1)
    t.ok(await isDue(queue))
    await empty(queue)
  })

  t.test('webhooks are due after all other classes', async t => {
    t.equal(TIMER_CLASSES.at(-1), 'webhook')
  })

  t.test(
    'too many queues of a destination refuse its further ones; existing ones and other destinations take events',
    async t => {
      const before = await webhookQueues.backlog()
      const max = fixture.options.webhookBacklogMax ?? 0
      const queues: WebhookQueueRef[] = []
      const refused: WebhookQueueRef[] = []
      for (let n = 0; refused.length === 0 && n <= max; n += 10) {
        const page = Array.from({ length: 10 }, (_, i) => queueOf(call(fixture.id(`c${n + i}`)), 'full'))
        const results = await Promise.all(page.map(queue => append(queue, 1)))
        for (const [i, queue] of page.entries()) (results[i]?.[0] ? queues : refused).push(queue)
      }
      const [[existing], [further]] = [queues, refused]
      if (!existing || !further) return t.fail('the bound refuses some')
      t.ok(queues.length <= max, `${queues.length} queues`)
      t.equal((await webhookQueues.backlog()).queues, before.queues + queues.length)
      const webhooks = [newEvent(1, { destinations: ['full', 'other'] }), newEvent(2, { destinations: ['full'] })]
      t.match(await aggregates.commit(further.source, commitOf(fixture, 0, { webhooks })), {
        ok: true,
        webhooksRefused: 2
      })
      t.match(await next(queueOf(further.source, 'other')), { status: 'batch', events: [{ index: 0 }] })
      t.strictSame(await versions(further), 'idle')
      t.strictSame((await aggregates.commit(existing.source, commitOf(fixture, 0, { webhooks }))).ok, true)
      t.match(await next(existing), { events: [{ version: 1 }, { index: 0 }, { index: 1 }] })
      await Promise.all(
        [...queues, queueOf(further.source, 'other'), queueOf(existing.source, 'other')].map(queue => empty(queue))
      )
      t.equal((await webhookQueues.backlog()).queues, before.queues)
      t.strictSame(await append(further, 1), [true])
      await empty(further)
    }
  )

  t.test('the backlog says when the first queue is due', async t => {
    const queue = newQueue()
    await append(queue, eventOf(1))
    const { queues, dueAt } = await webhookQueues.backlog()
    t.ok(queues >= 1)
    t.ok(dueAt !== null && dueAt <= fixture.clock.now() + WEBHOOK_START_MS)
    await empty(queue)
  })
}
