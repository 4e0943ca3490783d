// Who looks where and when: the nodes of a Cluster of three primaries share the timers, and one server says when the next deadline comes.
// What a claim finds is the contract's.
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { PARTITIONS } from '../../src/store/partition.js'
import { NODES_KEY } from '../../src/store/redis/keys.js'
import type { RedisStore } from '../../src/store/redis/redis.js'
import { CLAIM_TURNS } from '../../src/store/timers.js'
import { ManualClock } from '../helpers/clock.js'
import { startCluster, startRedis } from '../helpers/redis.js'
import { openRedisStore } from '../helpers/store.js'
import { CLAIM, call, commitOf } from './contract/fixtures.js'
import { OPTIONS } from './contract.js'

const TICK_MS = 1_000 / CLAIM_TURNS
const CALLS = 200

const cluster = await startCluster(3, 0)
t.teardown(() => cluster.stop())
const primaries = cluster.nodes.map(({ port }) => new Redis(port))
t.teardown(() => {
  for (const primary of primaries) primary.disconnect()
})

/** Nodes that have claimed for long enough to know each other. */
async function given(t: Test, count: number) {
  await Promise.all(primaries.map(primary => primary.flushall()))
  const clock = new ManualClock()
  const nodes: RedisStore[] = []
  for (let n = 0; n < count; n++) {
    const store = await openRedisStore(cluster.url, clock, OPTIONS)
    t.teardown(() => store.close())
    nodes.push(store)
  }
  await second(nodes, clock)
  await second(nodes, clock)
  return { clock, nodes }
}

/** A second of the workers of these nodes, tick by tick; resolves to the ids of the calls that were due. */
async function second(nodes: readonly RedisStore[], clock: ManualClock): Promise<string[]> {
  const found: string[] = []
  for (let turn = 0; turn < CLAIM_TURNS; turn++) {
    clock.advance(TICK_MS)
    const claims = nodes.map(({ timers }) => timers.claimDue({ ...CLAIM, claimMs: 60_000, now: clock.now() }))
    for (const { due } of await Promise.all(claims)) found.push(...due.map(({ id }) => id))
  }
  return found
}

/** Calls that are due from now on, spread over the partitions. */
async function ring([node]: readonly RedisStore[], clock: ManualClock): Promise<string[]> {
  const ids = Array.from({ length: CALLS }, (_, n) => `c${n}`)
  const store = node as RedisStore
  const lab = { store, clock, options: OPTIONS, id: (stem: string) => stem }
  await Promise.all(ids.map(id => store.aggregates.commit(call(id), commitOf(lab, 0, { deadlineAt: clock.now() }))))
  return ids.sort()
}

/** Each claim in an index with nothing in it is one EXISTS. */
async function countClaims(work: () => Promise<unknown>): Promise<number> {
  const count = async () => {
    const stats = await Promise.all(primaries.map(primary => primary.info('commandstats')))
    return stats.reduce((sum, text) => sum + Number(/cmdstat_exists:calls=(\d+)/.exec(text)?.[1] ?? 0), 0)
  }
  const before = await count()
  await work()
  return (await count()) - before
}

for (const [count, claims] of [
  [1, PARTITIONS],
  [2, 2 * PARTITIONS],
  [4, 2 * PARTITIONS]
] as const) {
  t.test(`${count} nodes claim ${claims} times a second`, async t => {
    const { clock, nodes } = await given(t, count)
    t.equal(await countClaims(() => second(nodes, clock)), claims)
  })
}

t.test('a node that dies delays no deadline: the next in order reads what it read', async t => {
  const { clock, nodes } = await given(t, 4)
  const ids = await ring(nodes, clock)
  t.strictSame((await second(nodes.slice(1), clock)).sort(), ids, 'each once, within a second')
})

t.test('when two die at once, what only they read is read by others when their heartbeats have lapsed', async t => {
  const { clock, nodes } = await given(t, 4)
  const ids = await ring(nodes, clock)
  const alive = nodes.slice(2)
  const found = await second(alive, clock)
  t.ok(found.length > CALLS / 2 && found.length < CALLS, `${found.length} of ${CALLS} within a second`)
  for (let seconds = 2; seconds <= 5; seconds++) found.push(...(await second(alive, clock)))
  t.strictSame(found.sort(), ids, 'each once, within five')
})

t.test(
  'a node that closes is no live node any more: the others share what it read at their next heartbeat',
  async t => {
    const { clock, nodes } = await given(t, 4)
    await Promise.all(nodes.splice(0, 2).map(node => node.close()))
    t.equal(await nodes[0]?.client.zcard(NODES_KEY), 2)
    await second(nodes, clock)
    const ids = await ring(nodes, clock)
    t.strictSame((await second(nodes, clock)).sort(), ids, 'each once, within a second')
  }
)

t.test('a node that comes takes its share, and the others give it up', async t => {
  const { clock, nodes } = await given(t, 3)
  const store = await openRedisStore(cluster.url, clock, OPTIONS)
  t.teardown(() => store.close())
  nodes.push(store)
  const ids = await ring(nodes, clock)
  t.strictSame((await second(nodes, clock)).sort(), ids, 'no deadline waits meanwhile')
  t.equal(await countClaims(() => second(nodes, clock)), 2 * PARTITIONS)
})

t.test(
  'on one server a claim says when the next deadline comes, whoever set it, and looks after a second at most',
  async t => {
    const server = await startRedis()
    const clock = new ManualClock()
    const [one, other] = await Promise.all([1, 2].map(() => openRedisStore(server.url, clock, OPTIONS)))
    t.teardown(async () => {
      await Promise.all([one?.close(), other?.close()])
      await server.stop()
    })
    if (!one || !other) throw new Error('there are two')
    const lab = { store: other, clock, options: OPTIONS, id: (stem: string) => stem }
    const deadlineAt = clock.now() + 5_300
    await other.aggregates.commit(call('c'), commitOf(lab, 0, { deadlineAt }))
    const claim = () => one.timers.claimDue({ ...CLAIM, now: clock.now() })
    const { nextClaimAt } = await claim()
    t.ok(nextClaimAt > clock.now() && nextClaimAt <= clock.now() + 1_000)
    clock.advance(5_000)
    t.match(await claim(), { due: [], nextClaimAt: deadlineAt })
    clock.advance(300)
    t.match(await claim(), { due: [call('c')], more: false })
  }
)
