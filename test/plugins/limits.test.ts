import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { loadConfig } from '../../src/config.js'
import { AppError } from '../../src/errors.js'
import { createIds } from '../../src/ids.js'
import { createMetrics } from '../../src/metrics.js'
import { handleErrors } from '../../src/plugins/errors.js'
import { limitRates } from '../../src/plugins/limits.js'
import { serverOptions } from '../../src/plugins/server-options.js'
import { createBudgets } from '../../src/services/budgets.js'
import { createMemoryStore } from '../../src/store/memory.js'
import type { BudgetCounters } from '../../src/store/store.js'
import { ManualClock } from '../helpers/clock.js'
import { LIMITS } from '../helpers/limits.js'

const config = { ...loadConfig({}), rateLimitCalls: 3, rateLimitSignals: 20, rateLimitReads: 5 }

function sharedCounters(clock: ManualClock, t: Test) {
  const store = createMemoryStore({ ...LIMITS, clock })
  t.teardown(() => store.close())
  let trips = 0
  const counters: BudgetCounters = {
    take(user, counter) {
      trips++
      return store.counters.take(user, counter)
    },
    left: store.counters.left
  }
  return { counters, trips: () => trips }
}

async function node(t: Test, clock: ManualClock, counters: BudgetCounters) {
  const app = Fastify(serverOptions(loadConfig({ LOG_LEVEL: 'silent' })))
  handleErrors(app, { metrics: createMetrics(), ids: createIds(), clock })
  app.decorateRequest('actor')
  app.addHook('onRequest', async request => {
    request.actor = { user: String(request.headers.user ?? 'alice'), device: 'phone', expiresAt: null }
  })
  await limitRates(app, { config, budgets: createBudgets({ counters, clock, config }) })
  app.post('/calls', { config: { limit: 'calls' } }, async () => ({}))
  app.post('/signals', { config: { limit: 'signals' } }, async () => ({}))
  app.get('/stream', { config: { limit: 'reads', eventStream: true } }, async () => ({}))
  app.post('/hangup', { config: { limit: false } }, async () => ({}))
  t.teardown(() => app.close())
  return (url: string, user = 'alice') =>
    app.inject({ method: url === '/stream' ? 'GET' : 'POST', url, headers: { user } })
}

t.test('two nodes together grant exactly the limit', async t => {
  const clock = new ManualClock()
  const { counters, trips } = sharedCounters(clock, t)
  const nodes = [await node(t, clock, counters), await node(t, clock, counters)] as const
  const statuses: number[] = []
  for (let i = 0; i < 30; i++) statuses.push((await nodes[i % 2 === 0 ? 0 : 1]('/signals')).statusCode)
  t.equal(statuses.filter(status => status === 200).length, 20)
  t.equal(statuses.filter(status => status === 429).length, 10)
  t.ok(trips() <= 12, `a block saves round trips: ${trips()} for 30 requests`)

  clock.advance(1000)
  t.equal((await nodes[0]('/signals')).statusCode, 200, 'the next window has a new budget')
})

t.test('concurrent requests on two nodes are granted exactly the limit', async t => {
  const clock = new ManualClock()
  const { counters } = sharedCounters(clock, t)
  const nodes = [await node(t, clock, counters), await node(t, clock, counters)] as const
  const replies = await Promise.all(Array.from({ length: 60 }, (_, i) => nodes[i % 2 === 0 ? 0 : 1]('/signals')))
  t.equal(replies.filter(({ statusCode }) => statusCode === 200).length, 20)
})

t.test('the RateLimit headers have the units left and the seconds until the window ends', async t => {
  const clock = new ManualClock()
  const call = await node(t, clock, sharedCounters(clock, t).counters)
  clock.advance(15_000)
  const first = await call('/calls')
  t.equal(first.headers['ratelimit-policy'], '"calls";q=3;w=60')
  t.match(first.headers.ratelimit, /^"calls";r=2;t=\d+$/)
  await call('/calls')
  t.match((await call('/calls')).headers.ratelimit, '"calls";r=0;')
  const refused = await call('/calls')
  t.equal(refused.statusCode, 429)
  t.match(refused.json(), { code: 'rate_limited', retryable: true })
  const seconds = Number(refused.headers['retry-after'])
  t.ok(seconds > 0 && seconds <= 60)
  t.equal(refused.headers.ratelimit, `"calls";r=0;t=${seconds}`)
  clock.advance(1000 * seconds)
  t.equal((await call('/calls')).statusCode, 200, 'after Retry-After the request is granted')
})

t.test('each user and class has its own budget, and a hang-up is not charged', async t => {
  const clock = new ManualClock()
  const call = await node(t, clock, sharedCounters(clock, t).counters)
  for (let i = 0; i < 3; i++) await call('/calls')
  t.equal((await call('/calls')).statusCode, 429)
  t.equal((await call('/calls', 'bob')).statusCode, 200)
  t.equal((await call('/signals')).statusCode, 200)
  for (let i = 0; i < 50; i++) t.equal((await call('/hangup')).statusCode, 200)
  t.equal((await call('/hangup')).headers.ratelimit, undefined)
})

t.test('a rate limited event stream gets 200 and an `end` event', async t => {
  const clock = new ManualClock()
  const call = await node(t, clock, sharedCounters(clock, t).counters)
  for (let i = 0; i < 5; i++) await call('/stream')
  const reply = await call('/stream')
  t.equal(reply.statusCode, 200)
  t.match(reply.body, 'rate_limited')
})

t.test('while the store is unavailable, requests are neither counted nor refused', async t => {
  let isUnavailable = true
  const clock = new ManualClock()
  const { counters } = sharedCounters(clock, t)
  const call = await node(t, clock, {
    ...counters,
    take: (user, counter) =>
      isUnavailable ? Promise.reject(new AppError('store_unavailable')) : counters.take(user, counter)
  })
  for (let i = 0; i < 5; i++) t.equal((await call('/calls')).statusCode, 200)
  isUnavailable = false
  for (let i = 0; i < 3; i++) t.equal((await call('/calls')).statusCode, 200)
  t.equal((await call('/calls')).statusCode, 429, 'they are counted again when the store is back')
})
