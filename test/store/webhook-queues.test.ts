// Random sequences of steps on a webhook queue: both engines answer alike, and whatever a failover of Redis forgets, the rest is delivered in order.
import fc from 'fast-check'
import { Redis } from 'ioredis'
import t from 'tap'
import { createMemoryStore } from '../../src/store/memory.js'
import { aggregateKeys } from '../../src/store/redis/keys.js'
import type { Store } from '../../src/store/store.js'
import {
  type QueuedEvent,
  toQueueAggregate,
  WEBHOOK_START_MS,
  type WebhookQueueRef
} from '../../src/store/webhook-queues.js'
import { ManualClock } from '../helpers/clock.js'
import { startRedis } from '../helpers/redis.js'
import { openRedisStore } from '../helpers/store.js'
import { CLAIM, call } from './contract/fixtures.js'
import { eventOf, LEASE_MS, queueOf, queueSteps } from './contract/webhook-fixtures.js'
import { OPTIONS } from './contract.js'

const BOUNDED = { ...OPTIONS, webhookQueueMax: 4 }
const NODES = ['node-1', 'node-2'] as const
type Node = (typeof NODES)[number]

const clock = new ManualClock()
const server = await startRedis()
const redis = new Redis(server.port)
const stores: readonly Store[] = [
  createMemoryStore({ ...BOUNDED, clock }),
  await openRedisStore(server.url, clock, BOUNDED)
]
t.teardown(async () => {
  redis.disconnect()
  for (const store of stores) await store.close()
  await server.stop()
})

type Step =
  | { readonly do: 'append'; readonly expiresIn: number | null }
  /** `done`: how many events of the node's last batch it has delivered. */
  | { readonly do: 'next'; readonly node: Node; readonly done: number; readonly limit: number }
  | { readonly do: 'postpone'; readonly node: Node; readonly done: number; readonly retryIn: number }
  | { readonly do: 'advance'; readonly ms: number }
  | { readonly do: 'claim' }

const node = fc.constantFrom(...NODES)
const done = fc.nat(3)
const APPEND = fc.record({
  do: fc.constant('append' as const),
  expiresIn: fc.constantFrom(null, null, 0, 1_000, 10_000)
})
const STEPS: fc.Arbitrary<Step>[] = [
  APPEND,
  APPEND,
  fc.record({ do: fc.constant('next'), node, done, limit: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ do: fc.constant('next'), node, done, limit: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ do: fc.constant('postpone'), node, done, retryIn: fc.constantFrom(0, 500, 5_000) }),
  fc.record({ do: fc.constant('advance'), ms: fc.constantFrom(1, WEBHOOK_START_MS, LEASE_MS, 5_000) }),
  fc.record({ do: fc.constant('claim') })
]

/** One queue in one store, and what each node has of it. */
class Driver {
  readonly #store: Store
  readonly ref: WebhookQueueRef
  readonly #batches: Record<Node, readonly QueuedEvent[]> = { 'node-1': [], 'node-2': [] }
  #version = 0

  constructor(store: Store, ref: WebhookQueueRef) {
    this.#store = store
    this.ref = ref
  }

  async run(step: Step): Promise<unknown> {
    const { webhookQueues } = this.#store
    const now = clock.now()
    if (step.do === 'append') {
      const expiresAt = step.expiresIn === null ? null : now + step.expiresIn
      return webhookQueues.append(this.ref, eventOf(++this.#version, { expiresAt }), now)
    }
    if (step.do === 'claim') return this.isDue()
    if (step.do === 'advance') return null
    const position = this.#batches[step.node][step.done - 1]?.position ?? null
    if (step.do === 'postpone') {
      const retryAt = now + step.retryIn
      return webhookQueues.postpone(this.ref, {
        node: step.node,
        done: position,
        attempts: step.done + 1,
        now,
        retryAt
      })
    }
    const found = await webhookQueues.next(this.ref, { ...step, leaseMs: LEASE_MS, now, done: position })
    if (found.status !== 'batch') return found
    this.#batches[step.node] = found.events
    return { ...found, events: found.events.map(({ position: _, ...event }) => event) }
  }

  async isDue(): Promise<boolean> {
    const { due } = await this.#store.timers.claimDue({ ...CLAIM, now: clock.now() })
    return due.some(({ id }) => id === toQueueAggregate(this.ref).id)
  }

  /** Delivers all that the timers find until nothing is left. Returns the versions in the order of delivery. */
  async drain(): Promise<readonly number[]> {
    const versions: number[] = []
    const { next } = queueSteps({ store: this.#store, clock, options: BOUNDED, id: stem => stem })
    for (let idle = 0; idle < 3; idle++) {
      clock.advance(CLAIM.claimMs)
      if (!(await this.isDue())) continue
      let position: string | null = null
      for (;;) {
        const step = await next(this.ref, { node: 'node-3', limit: 1, done: position })
        if (step.status !== 'batch') break
        position = step.events[0]?.position ?? null
        versions.push(...step.events.map(({ version }) => version))
      }
      idle = 0
    }
    return versions
  }
}

let count = 0
const newRef = () => queueOf(call(`c${++count}`))

t.test('both engines answer alike', { timeout: 120_000 }, async t => {
  const property = fc.asyncProperty(
    fc.array(fc.oneof(...STEPS), { minLength: 10, maxLength: 60, size: 'max' }),
    async steps => {
      const ref = newRef()
      const drivers = stores.map(store => new Driver(store, ref))
      for (const step of steps) {
        if (step.do === 'advance') clock.advance(step.ms)
        const [memory, redisReply] = await Promise.all(drivers.map(driver => driver.run(step)))
        if (JSON.stringify(memory) !== JSON.stringify(redisReply)) {
          throw new Error(`${JSON.stringify(step)}: ${JSON.stringify(memory)} and ${JSON.stringify(redisReply)}`)
        }
      }
    }
  )
  await fc.assert(property, { numRuns: 200 })
  t.pass()
})

type Rollback = { readonly do: 'remember' } | { readonly do: 'forget' } | { readonly do: 'lose' }
const FAILOVERS: fc.Arbitrary<Rollback>[] = [
  fc.record({ do: fc.constant('remember') }),
  fc.record({ do: fc.constant('forget') }),
  fc.record({ do: fc.constant('lose') })
]

t.test('after any failover, what is left of a queue is delivered in order', { timeout: 120_000 }, async t => {
  const [, store] = stores
  if (!store) return
  const steps = fc.array(fc.oneof(...STEPS, ...STEPS, APPEND, APPEND, ...FAILOVERS), {
    minLength: 20,
    maxLength: 60,
    size: 'max'
  })
  let delivered = 0
  const property = fc.asyncProperty(steps, async steps => {
    const driver = new Driver(store, newRef())
    const { state, timers } = aggregateKeys(toQueueAggregate(driver.ref), true)
    const counts = `${timers}:queues`
    const keys = [state, timers, counts]
    let remembered: readonly (Buffer | null)[] = []
    for (const step of steps) {
      if (step.do === 'remember') remembered = await Promise.all(keys.map(key => redis.dumpBuffer(key)))
      else if (step.do === 'lose') await redis.del(state)
      else if (step.do === 'forget') {
        await redis.del(...keys)
        for (const [i, dump] of remembered.entries()) if (dump) await redis.restore(keys[i] ?? '', 60_000, dump)
        await Promise.all([timers, counts].map(key => redis.persist(key)))
      } else {
        if (step.do === 'advance') clock.advance(step.ms)
        await driver.run(step)
      }
    }
    const kept = await redis.hgetall(state)
    const left = Object.entries(kept)
      .filter(([field, text]) => /^\d+$/.test(field) && /^[^|]*\|\d+\|\|/.test(text))
      .map(([, text]) => Number.parseInt(text, 10))
      .sort((a, b) => a - b)
    const versions = await driver.drain()
    const inOrder = versions.every((version, i) => i === 0 || version > (versions[i - 1] ?? 0))
    delivered += versions.length
    if (!inOrder || left.some(version => !versions.includes(version))) {
      throw new Error(`${left} were left, ${versions} delivered`)
    }
    if ((await redis.exists(state)) === 1 || (await redis.zscore(timers, state)) !== null) throw new Error('wedged')
    const waiting = await redis.zcard(timers)
    const counted = Number((await redis.hget(counts, driver.ref.destination)) ?? 0)
    if (counted !== waiting) throw new Error(`${counted} counted, ${waiting} wait`)
  })
  await fc.assert(property, { numRuns: 200 })
  t.ok(delivered > 100, `${delivered} events`)
})
