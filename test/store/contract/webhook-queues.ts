import type { Test } from 'tap'
import type { StoreFixture } from '../contract.js'
import { call, commitOf } from './fixtures.js'
import { eventOf, LEASE_MS, newEvent, queueOf, queueSteps } from './webhook-fixtures.js'

/** Delivery of webhook queues. */
export function webhookQueueContract(t: Test, fixture: StoreFixture): void {
  const { aggregates, webhookQueues } = fixture.store
  const { append, next, positionOfLast, postpone, versions } = queueSteps(fixture)
  const newQueue = () => queueOf(call(fixture.id('c')), fixture.id('d'))
  const node2 = { node: 'node-2' }

  t.test('a batch has the oldest events; what is done is removed, with all before it', async t => {
    const queue = newQueue()
    t.strictSame(await versions(queue), 'idle')
    await append(queue, 1, 2, 3, 4, 5)
    const step = await next(queue, { limit: 3 })
    t.match(step, { status: 'batch', attempts: 0, dropped: 0 })
    const [, second, third] = step.status === 'batch' ? step.events : []
    t.strictSame(await versions(queue, { limit: 3 }), [1, 2, 3], 'nothing is done')
    t.strictSame(await versions(queue, { limit: 2, done: second?.position ?? null }), [3, 4])
    t.strictSame(await versions(queue, { done: second?.position ?? null }), [3, 4, 5], 'removed before')
    const all = { done: await positionOfLast(queue) }
    await append(queue, 6)
    t.strictSame(await versions(queue, all), [6])
    t.strictSame(await versions(queue, { done: third?.position ?? null }), [6])
    t.strictSame(await versions(queue, { done: await positionOfLast(queue) }), 'idle')
    t.strictSame(await versions(queue, all), 'idle')
    await append(queue, 7)
    t.strictSame(await versions(queue, all), [7], 'a queue begins anew, and an event of the last one is not in it')
  })

  t.test('nothing is removed for an event that is not in the queue', async t => {
    const queue = newQueue()
    await append(queue, 1, 2)
    const done = await positionOfLast(queue)
    t.strictSame(await versions(queue, { done }), 'idle')
    await append(queue, 1, 2, 3)
    t.strictSame(await versions(queue, { done: '1' }), [1, 2, 3])
    t.strictSame(await versions(queue, { done: 'x' }), [1, 2, 3])
    const others = [eventOf(2, { tag: 'other' }), eventOf(3, { tag: 'other' })]
    for (const [n, other] of others.entries()) {
      const lookalike = newQueue()
      await append(lookalike, 1, other)
      const position = await positionOfLast(lookalike)
      const same = newQueue()
      await append(same, 1, n + 2)
      t.strictSame(await versions(same, { done: position }), [1, n + 2], 'of another commit')
    }
  })

  t.test('one node at a time delivers, until its lease lapses', async t => {
    const queue = newQueue()
    await append(queue, 1, 2)
    t.strictSame(await versions(queue), [1, 2])
    t.strictSame(await versions(queue, node2), 'busy')
    fixture.clock.advance(LEASE_MS - 1)
    t.strictSame(await versions(queue, node2), 'busy')
    t.strictSame(await versions(queue), [1, 2], 'renewed')
    fixture.clock.advance(LEASE_MS - 1)
    t.strictSame(await versions(queue, node2), 'busy')
    fixture.clock.advance(1)
    const done = await positionOfLast(queue, node2)
    t.strictSame(await versions(queue, { done }), 'busy', 'a node that lost its lease')
    t.strictSame(await versions(queue, node2), [1, 2], 'it removed nothing')
    t.strictSame(await versions(queue, { ...node2, done }), 'idle')
    await append(queue, 3)
    t.strictSame(await versions(queue), [3], 'the lease ended with the queue')
  })

  t.test('of many nodes that ask at once, one delivers', async t => {
    const queue = newQueue()
    await append(queue, 1)
    const found = await Promise.all(Array.from({ length: 20 }, (_, n) => versions(queue, { node: `n${n}` })))
    t.equal(found.filter(each => each !== 'busy').length, 1)
  })

  t.test('after a failure the queue waits, for all nodes, until its back-off is over', async t => {
    const queue = newQueue()
    await append(queue, 1, 2, 3)
    const step = await next(queue)
    const [first] = step.status === 'batch' ? step.events : []
    await postpone(queue, { retryIn: 5_000, attempts: 7, done: first?.position ?? null })
    await append(queue, 4)
    fixture.clock.advance(4_999)
    for (const node of ['node-1', 'node-2']) t.strictSame(await versions(queue, { node }), 'busy')
    fixture.clock.advance(1)
    t.match(await next(queue, node2), { status: 'batch', attempts: 7, events: [{ version: 2 }, {}, { version: 4 }] })
    await postpone(queue, { retryIn: 60_000, attempts: 9 })
    t.match(await next(queue, node2), { attempts: 7 }, 'the node that postponed had no lease')
    await postpone(queue, { ...node2, retryIn: 0, attempts: 8 })
    const again = await next(queue)
    t.match(again, { attempts: 8 })
    const [failed] = again.status === 'batch' ? again.events : []
    t.match(await next(queue, { done: failed?.position ?? null }), { attempts: 0, events: [{ version: 3 }, {}] })
    await postpone(newQueue(), { retryIn: 1 })
  })

  t.test('a full queue drops its oldest events, which are counted once', async t => {
    const queue = newQueue()
    const max = fixture.options.webhookQueueMax ?? 0
    const webhooks = Array.from({ length: max + 2 }, (_, n) => newEvent(n, { destinations: [queue.destination] }))
    await aggregates.commit(queue.source, commitOf(fixture, 0, { webhooks }))
    const step = await next(queue, { limit: 2 })
    t.match(step, { dropped: 2, events: [{ index: 2 }, { index: 3 }] })
    const [evicted, second] = step.status === 'batch' ? step.events : []
    await append(queue, 2)
    t.match(await next(queue, { done: evicted?.position ?? null }), { dropped: 1, events: [{ index: 3 }, {}] })
    t.match(await next(queue, { limit: 1000, done: second?.position ?? null }), {
      dropped: 0,
      events: { length: max - 1 }
    })
  })

  t.test('an event that has expired is dropped when it is the oldest', async t => {
    const queue = newQueue()
    const { clock } = fixture
    await append(queue, eventOf(1, { expiresAt: clock.now() + 10 }), eventOf(2, { expiresAt: clock.now() + 20 }), 3)
    await append(queue, eventOf(4, { expiresAt: clock.now() + 10 }))
    t.match(await next(queue), { events: [{ expiresAt: clock.now() + 10 }, {}, {}, {}] })
    clock.advance(10)
    t.strictSame(await versions(queue), [2, 3, 4])
    clock.advance(10)
    t.strictSame(await versions(queue), [3, 4])
    const step = await next(queue, { limit: 1 })
    const done = step.status === 'batch' ? (step.events[0]?.position ?? null) : null
    t.strictSame(await versions(queue, { done }), 'idle')
  })

  t.test('disabled destinations are remembered until they are enabled', async t => {
    const [one, two] = [fixture.id('d'), fixture.id('d')]
    await webhookQueues.disable(one, 1_000)
    await webhookQueues.disable(two, 2_000)
    await webhookQueues.enable(one)
    await webhookQueues.enable(one)
    const disabled = await webhookQueues.disabled()
    t.strictSame([disabled.get(one), disabled.get(two)], [undefined, 2_000])
  })
}
