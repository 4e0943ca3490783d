// A Redis that refuses writes, because its memory is full or it has too few replicas. Reads succeed, and the store recovers by itself.
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { AppError } from '../../src/errors.js'
import type { RedisStore } from '../../src/store/redis/redis.js'
import { ManualClock } from '../helpers/clock.js'
import { startRedis } from '../helpers/redis.js'
import { openRedisStore } from '../helpers/store.js'
import { until } from '../helpers/until.js'
import { commitOf } from './contract/fixtures.js'
import { OPTIONS } from './contract.js'

// Each case waits for real seconds.
t.jobs = 5

const FIXTURE = { clock: new ManualClock(Date.now()), options: OPTIONS, id: (stem: string) => stem }
const REF = { kind: 'call', id: 'c1' } as const
const commit = (store: RedisStore, version: number) =>
  store.aggregates.commit(REF, commitOf({ ...FIXTURE, store }, version - 1))

interface Refusal {
  begin(redis: Redis): Promise<unknown>
  end(redis: Redis): Promise<unknown>
}

const REFUSALS: Readonly<Record<string, Refusal>> = {
  'no memory left': {
    // Far below what is used, and the filler is not sent: Redis frees the buffers of connections a moment later.
    async begin(redis) {
      await redis.setrange('filler', 20_000_000, 'x')
      const used = Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1])
      await redis.config('SET', 'maxmemory', used - 10_000_000)
    },
    end: redis => redis.del('filler')
  },
  'too few replicas': {
    begin: redis => redis.config('SET', 'min-replicas-to-write', 1),
    end: redis => redis.config('SET', 'min-replicas-to-write', 0)
  }
}

async function openFixture(t: Test, cluster: boolean) {
  const server = await startRedis({ cluster })
  const store = await openRedisStore(server.url, undefined)
  const redis = new Redis(server.port)
  t.teardown(async () => {
    redis.disconnect()
    await store.close()
    await server.stop()
  })
  return { store, redis }
}

const codeOf = (error: unknown) => (error instanceof AppError ? error.code : error)

/** A write of each part of the port. */
const WRITES: Readonly<Record<string, (store: RedisStore) => Promise<unknown>>> = {
  commit: store => commit(store, 2),
  touch: store => store.mailboxes.touch('bob', 'phone', { now: Date.now(), tag: 'birth' }),
  lease: store => store.leases.take('bob', { holder: 'c', kind: 'active', peer: 'p', role: 'r', at: 1 }, {}),
  budget: store => store.counters.take('bob', { name: 'x', windowMs: 1_000, max: 1, want: 1, now: Date.now() }),
  claim: store => store.timers.claimDue({ now: Date.now(), claimMs: 1, staleMs: 1, limit: 1, classes: ['call'] })
}

const READS: Readonly<Record<string, (store: RedisStore) => Promise<unknown>>> = {
  call: store => store.aggregates.load(REF),
  room: store => store.rooms.load('r', 'all'),
  mailbox: store => store.mailboxes.read('bob', 'phone', { from: 'start', limit: 10, maxBytes: 1000, now: Date.now() }),
  devices: store => store.mailboxes.devices('bob', Date.now()),
  leases: store => store.leases.list('bob')
}

for (const cluster of [false, true]) {
  for (const [name, { begin, end }] of Object.entries(REFUSALS)) {
    t.test(
      `with ${name}${cluster ? ' on a Cluster' : ''}, writes are refused with store_full, reads succeed, and the store recovers`,
      async t => {
        const { store, redis } = await openFixture(t, cluster)
        await commit(store, 1)
        await begin(redis)
        await until('the store is unavailable, without any request', () => store.availableSince() === null)
        t.equal(store.fault()?.code, 'store_full')
        for (const [part, write] of Object.entries(WRITES)) {
          t.equal(await write(store).then(() => 'written', codeOf), 'store_full', part)
        }
        for (const [part, read] of Object.entries(READS)) await t.resolves(read(store), part)
        t.match(await store.aggregates.load(REF), { version: 1 }, 'what was acknowledged is there')
        const fullUntil = Date.now()
        await end(redis)
        t.match(await commit(store, 2), { ok: true }, 'writes are accepted at once')
        await until('the store is available', () => store.availableSince() !== null)
        t.ok((store.availableSince() ?? 0) > fullUntil, 'availableSince is after the refusals')
        t.equal(store.fault(), null)
      }
    )
  }
}

t.test('a store that accepts one write and refuses the next stays unavailable', async t => {
  const { store, redis } = await openFixture(t, false)
  const { begin, end } = REFUSALS['too few replicas'] as Refusal
  let available = 0
  for (let n = 0; n < 6; n++) {
    await begin(redis)
    await store.ping().catch(() => {})
    await end(redis)
    for (let check = 0; check < 13; check++) {
      await sleep(100)
      if (store.availableSince() !== null) available++
    }
  }
  t.equal(available, 0)
  await until('the store is available', () => store.availableSince() !== null)
})
