import t from 'tap'
import { dispatch } from '../../src/delivery/dispatch.js'
import type { OutboxEntry, OutboxItem } from '../../src/store/aggregate.js'
import { createMemoryStore } from '../../src/store/memory.js'
import { ManualClock } from '../helpers/clock.js'
import { call, deliverTo } from '../store/contract/given.js'
import { OPTIONS } from '../store/contract.js'

const source = call('c')
const entry = (version: number, items: readonly OutboxItem[]): OutboxEntry => ({ version, tag: `t${version}`, items })

async function given(t: { teardown(end: () => unknown): void }) {
  const clock = new ManualClock()
  const store = createMemoryStore({ ...OPTIONS, clock })
  t.teardown(() => store.close())
  for (const user of ['alice', 'bob']) await store.mailboxes.touch(user, 'phone', { now: clock.now(), tag: 'birth' })
  /** What the phone got, as the numbers of the events. */
  const got = async (user: string) => {
    const result = await store.mailboxes.read(user, 'phone', 'start', {
      limit: 99,
      maxBytes: 1_048_576,
      now: clock.now()
    })
    return result.status === 'ok' && result.events.map(({ envelope }) => JSON.parse(envelope).data.n)
  }
  return { store, clock, got }
}

t.test('each user gets what waits, oldest first; the answer says where the last entry went', async t => {
  const { store, clock, got } = await given(t)
  const outbox = [
    entry(1, [deliverTo('bob', 1), deliverTo('alice', 2)]),
    entry(2, [deliverTo('bob', 3), deliverTo('bob', 4)]),
    entry(5, [deliverTo('bob', 5), deliverTo('carol', 6)])
  ]
  const { deliveries } = await dispatch({ store, clock }, source, outbox)
  t.strictSame(await got('bob'), [1, 3, 4, 5])
  t.strictSame(await got('alice'), [2])
  t.strictSame(
    [...deliveries],
    [
      ['bob', { online: 0, queued: 1 }],
      ['carol', { online: 0, queued: 0 }]
    ],
    'alice was not concerned by the last one'
  )
})

t.test('what another node has dispatched in part is completed and not repeated', async t => {
  const { store, clock, got } = await given(t)
  const outbox = [entry(1, [deliverTo('bob', 1)]), entry(2, [deliverTo('bob', 2)]), entry(3, [deliverTo('bob', 3)])]
  await dispatch({ store, clock }, source, outbox.slice(0, 2))
  await Promise.all([dispatch({ store, clock }, source, outbox), dispatch({ store, clock }, source, outbox.slice(1))])
  t.strictSame(await got('bob'), [1, 2, 3])
})

t.test('a lease goes back with whatever else there is to say, and with nothing else', async t => {
  const { store, clock, got } = await given(t)
  for (const user of ['alice', 'bob']) {
    await store.leases.take(user, { holder: 'c/x', peer: 'x', kind: 'ringing', role: 'callee', at: clock.now() }, {})
  }
  const over = entry(2, [
    deliverTo('bob', 2),
    { do: 'release', user: 'bob', holder: 'c/x' },
    { do: 'release', user: 'alice', holder: 'c/x' }
  ])
  const again = entry(3, [deliverTo('bob', 3), { do: 'mark', user: 'bob', begins: true }])
  await dispatch({ store, clock }, source, [entry(1, [deliverTo('bob', 1)]), over, again])
  t.strictSame(await got('bob'), [1, 2, 3])
  t.strictSame([await store.leases.list('alice'), await store.leases.list('bob')], [[], []])
})
