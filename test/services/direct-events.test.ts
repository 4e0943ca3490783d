// Events of a decision that changes nothing: they are appended without a commit, under the conditions of the decision.
import t from 'tap'
import { createIds } from '../../src/ids.js'
import { createMetrics } from '../../src/metrics.js'
import type { Context } from '../../src/services/context.js'
import { createUpdater } from '../../src/services/update-aggregate.js'
import { createMemoryStore } from '../../src/store/memory.js'
import type { Cursor } from '../../src/store/store.js'
import { ManualClock } from '../helpers/clock.js'
import { LIMITS } from '../helpers/limits.js'

t.test('an event that expects a head is not appended after another event', async t => {
  const clock = new ManualClock()
  const store = createMemoryStore({ ...LIMITS, clock })
  t.teardown(() => store.close())
  const parts = {
    store,
    clock,
    ids: createIds(),
    metrics: createMetrics(),
    config: { retentionMs: LIMITS.retentionMs }
  }
  const context = parts as unknown as Context
  const calls = createUpdater<{ version: number }>({ kind: 'call', deadlineOf: () => null, isOver: () => false })
  const target = { id: 'c1' }
  await calls.update(context, target, () => ({ state: { version: 1 }, events: [] }))
  const touched = await store.mailboxes.touch('bob', 'phone', { now: clock.now(), tag: 'birth' })
  const expectedHead = touched?.head as Cursor

  const offer = async () => {
    const to = { user: 'bob', device: 'phone', expectedHead }
    const { deliveries } = await calls.update(context, target, state => ({
      state: state ?? { version: 1 },
      events: [{ to, type: 'call.incoming', data: {} }]
    }))
    return deliveries.get('bob')
  }
  t.same(await offer(), { online: 0, queued: 1 })
  t.same(await offer(), { online: 0, queued: 0 }, 'the mailbox has another head now')
})
