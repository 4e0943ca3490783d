// The timers with a backlog. The tests count how many other checks begin before the urgent one, and measure no time.
import t, { type Test } from 'tap'
import { buildApp } from '../../src/app.js'
import { loadConfig } from '../../src/config.js'
import type { AggregateRef } from '../../src/store/aggregate.js'
import { createMemoryStore } from '../../src/store/memory.js'
import { aggregateKeys } from '../../src/store/redis/keys.js'
import type { RedisStore } from '../../src/store/redis/redis.js'
import type { Store } from '../../src/store/store.js'
import { ManualClock } from '../helpers/clock.js'
import { LIMITS } from '../helpers/limits.js'
import { startRedis } from '../helpers/redis.js'
import { openRedisStore } from '../helpers/store.js'
import { until } from '../helpers/until.js'
import { commitOf } from '../store/contract/fixtures.js'
import { roomCommitOf } from '../store/contract/room-fixtures.js'

const BACKLOG = 50_000
const config = loadConfig({ LOG_LEVEL: 'silent' })

/** Half of the backlog are rooms, half are presence; the check of each reads it and finds nothing to do. */
const refOf = (n: number): AggregateRef => ({ kind: n % 2 ? 'room' : 'presence', id: `backlog-${n}` })
const STATE = JSON.stringify({ version: 1, phase: 'ended', checkAt: null })

type Seed = (ref: AggregateRef, deadlineAt: number) => Promise<unknown> | undefined

function seedThroughPort(store: Store, clock: ManualClock): Seed {
  const lab = { store, clock, options: LIMITS, id: (stem: string) => stem }
  return (ref, deadlineAt) => {
    if (ref.kind === 'room') return store.rooms.commit(ref.id, roomCommitOf(lab, { deadlineAt }))
    return store.aggregates.commit(ref, commitOf(lab, 0, { state: STATE, deadlineAt }))
  }
}

/** The same through a pipeline, because 50,000 commits take longer than the test. */
function seedInBulk(store: RedisStore): Seed & { flush(): Promise<unknown> } {
  const client = store.client
  if (!('pipeline' in client)) throw new TypeError('a single server was expected')
  let pipeline = client.pipeline()
  const seed: Seed = (ref, deadlineAt) => {
    const { state, timers } = aggregateKeys(ref, true)
    pipeline.hset(state, 'v', 1, 's', STATE, 'x', '').zadd(timers, deadlineAt, state)
    return undefined
  }
  const flush = () => {
    const full = pipeline
    pipeline = client.pipeline()
    return full.exec()
  }
  return Object.assign(seed, { flush })
}

/** The same store, and a list of what was read from it: each check begins with a read. */
function observe(store: Store) {
  const checked: string[] = []
  const { aggregates, rooms, watches } = store
  const observed: Store = {
    ...store,
    aggregates: {
      ...aggregates,
      load(ref) {
        if (ref.kind === 'call') checked.push(`call ${ref.id}`)
        return aggregates.load(ref)
      }
    },
    rooms: {
      ...rooms,
      load(id, fields) {
        checked.push(`room ${id}`)
        return rooms.load(id, fields)
      }
    },
    watches: {
      ...watches,
      watchers(user, options) {
        checked.push(`presence ${user}`)
        return watches.watchers(user, options)
      }
    }
  }
  return { observed, checked }
}

async function start(t: Test, store: Store, clock: ManualClock) {
  const { observed, checked } = observe(store)
  const app = await buildApp(config, { clock, store: observed })
  t.teardown(() => app.close())
  return checked
}

const ENGINES = {
  async memory(t: Test, clock: ManualClock) {
    const store = createMemoryStore({ ...LIMITS, clock })
    t.teardown(() => store.close())
    return { store, seed: seedThroughPort(store, clock), flush: async () => undefined }
  },
  async Redis(t: Test, clock: ManualClock) {
    const server = await startRedis()
    const store = await openRedisStore(server.url, clock, LIMITS)
    t.teardown(async () => {
      await store.close()
      await server.stop()
    })
    const seed = seedInBulk(store)
    return { store, seed, flush: seed.flush }
  }
}

for (const [name, open] of Object.entries(ENGINES)) {
  t.test(`${name}: a call that comes due behind 50,000 rooms and users is checked before most of them`, async t => {
    const clock = new ManualClock()
    const { store, seed, flush } = await open(t, clock)
    for (let n = 0; n < BACKLOG; n++) await seed(refOf(n), clock.now() - 1)
    await seed({ kind: 'call', id: 'c1' }, clock.now() + 1000)
    await flush()
    const checked = await start(t, store, clock)
    for (let tick = 0; tick < 4; tick++) {
      clock.advance(250)
      await until('the backlog is being processed', () => checked.length > 100 * (tick + 1))
    }
    const before = checked.length
    for (let tick = 0; tick < 8; tick++) {
      clock.advance(125)
      await store.ping()
    }
    await until('the call is checked', () => checked.includes('call c1'))
    const ahead = checked.indexOf('call c1') - before
    t.ok(ahead < BACKLOG / 5, `${ahead} others were checked before it`)
    const rooms = checked.slice(0, before).filter(each => each.startsWith('room')).length
    t.ok(rooms > before / 2, `rooms before presence: ${rooms} of ${before}`)
  })
}

t.test('timers claim until nothing is due, without another tick', async t => {
  const clock = new ManualClock()
  const { store, seed } = await ENGINES.memory(t, clock)
  const count = 3000
  for (let n = 0; n < count; n++) await seed(refOf(n), clock.now() - 1)
  const checked = await start(t, store, clock)
  clock.advance(250)
  await until('all are checked', () => new Set(checked).size === count)
  // The check of a room may read it twice; the check of a user reads the watchers once.
  t.equal(checked.filter(each => each.startsWith('presence')).length, count / 2, 'each user once')
})

t.test('a check that hangs delays neither calls nor other checks of its kind', async t => {
  const clock = new ManualClock()
  const { store, seed } = await ENGINES.memory(t, clock)
  let open = () => {}
  const gate = new Promise<void>(resolve => {
    open = resolve
  })
  t.teardown(() => open())
  const rooms = {
    ...store.rooms,
    load: async (id: string, fields: readonly string[] | 'all') => {
      if (id.startsWith('hangs')) await gate
      return store.rooms.load(id, fields)
    }
  }
  for (let n = 0; n < 100; n++) await seed({ kind: 'room', id: `hangs-${n}` }, clock.now() - 1)
  await seed({ kind: 'call', id: 'c1' }, clock.now() + 300)
  await seed({ kind: 'room', id: 'r1' }, clock.now() + 300)
  const checked = await start(t, { ...store, rooms }, clock)
  for (let tick = 0; tick < 8; tick++) {
    clock.advance(250)
    await store.ping()
  }
  await until('both are checked', () => checked.includes('call c1') && checked.includes('room r1'))
  open()
})
