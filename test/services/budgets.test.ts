// Budgets that services charge.

import t, { type Test } from 'tap'
import { loadConfig } from '../../src/config.js'
import { AppError } from '../../src/errors.js'
import { createBudgets } from '../../src/services/budgets.js'
import { createMemoryStore } from '../../src/store/memory.js'
import { ManualClock } from '../helpers/clock.js'
import { LIMITS } from '../helpers/limits.js'

const config = { ...loadConfig({}), rateLimitCalls: 3, rateLimitSignals: 20, rateLimitReads: 5 }

function sharedStore(t: Test, clock: ManualClock) {
  const store = createMemoryStore({ ...LIMITS, clock })
  t.teardown(() => store.close())
  return store
}

t.test('a cost is charged completely or not at all, over all nodes, and the refusal has a retry time', async t => {
  const clock = new ManualClock()
  const { counters } = sharedStore(t, clock)
  const [first, second] = [createBudgets({ counters, clock, config }), createBudgets({ counters, clock, config })]
  await first.spend('alice', 'signals', 12)
  await t.rejects(second.spend('alice', 'signals', 9), { code: 'rate_limited' }, '12 + 9 > 20')
  await second.spend('bob', 'signals', 20)
  clock.advance(400)
  const refusal = await first.spend('alice', 'signals', 20).catch((error: unknown) => error)
  t.ok(refusal instanceof AppError && refusal.retryAfterMs !== undefined && refusal.retryAfterMs <= 1000)
  clock.advance(1000)
  await first.spend('alice', 'signals', 20)
})

t.test('a check refuses if the next unit would be refused, on every node, and spends nothing', async t => {
  const clock = new ManualClock()
  const { counters } = sharedStore(t, clock)
  const [first, second] = [createBudgets({ counters, clock, config }), createBudgets({ counters, clock, config })]
  for (let i = 0; i < 5; i++) await first.check('alice', 'calls')
  for (let i = 0; i < 3; i++) await first.spend('alice', 'calls')
  for (const node of [first, second]) {
    const [checked, spent] = await Promise.all([
      node.check('alice', 'calls').catch((error: AppError) => error),
      node.spend('alice', 'calls').catch((error: AppError) => error)
    ])
    t.ok(checked instanceof AppError)
    t.same(checked, spent)
  }
  await first.spend('alice', 'signals', 1)
  await second.spend('alice', 'signals', 18)
  await first.check('alice', 'signals')
  await t.rejects(
    second.check('alice', 'signals'),
    { code: 'rate_limited' },
    'the rest is in the block of the other node'
  )
  clock.advance(60_000)
  await second.check('alice', 'calls')
})

t.test('while the store is unavailable no cost is refused', async t => {
  const unavailable = () => Promise.reject(new AppError('store_unavailable'))
  const counters = { take: unavailable, left: unavailable }
  const budgets = createBudgets({ counters, clock: new ManualClock(), config })
  for (let i = 0; i < 10; i++) await budgets.spend('alice', 'calls')
  await budgets.check('alice', 'calls')
  t.pass('ten calls with a limit of three')
})
