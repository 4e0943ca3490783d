// Which node claims in which partition, and when: the nodes of a Cluster share the timers, and one server reports the next deadline. The
// contract suite tests what a claim returns.
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

/** Nodes that have claimed for long enough to know each other's heartbeats. */
async function openNodes(t: Test, count: number) {
  await Promise.all(primaries.map(primary => primary.flushall()))
  const clock = new ManualClock()
  const nodes: RedisStore[] = []
  for (let n = 0; n < count; n++) {
    const store = await openRedisStore(cluster.url, clock, OPTIONS)
    t.teardown(() => store.close())
    nodes.push(store)
  }
  await claimForASecond(nodes, clock)
  await claimForASecond(nodes, clock)
  return { clock, nodes }
}

/** Lets these nodes claim for a second, tick by tick. Resolves to the ids of the due calls. */
async function claimForASecond(nodes: readonly RedisStore[], clock: ManualClock): Promise<string[]> {
  const found: string[] = []
  for (let turn = 0; turn < CLAIM_TURNS; turn++) {
    clock.advance(TICK_MS)
    const claims = nodes.map(({ timers }) => timers.claimDue({ ...CLAIM, claimMs: 60_000, now: clock.now() }))
    for (const { due } of await Promise.all(claims)) found.push(...due.map(({ id }) => id))
  }
  return found
}

/** Creates calls that are due now, in many partitions. */
async function createDueCalls([node]: readonly RedisStore[], clock: ManualClock): Promise<string[]> {
  const ids = Array.from({ length: CALLS }, (_, n) => `c${n}`)
  const store = node as RedisStore
  const fixture = { store, clock, options: OPTIONS, id: (stem: string) => stem }
  await Promise.all(ids.map(id => store.aggregates.commit(call(id), commitOf(fixture, 0, { deadlineAt: clock.now() }))))
  return ids.sort()
}

/** Each claim in a partition with empty indexes is one EXISTS. */
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
    const { clock, nodes } = await openNodes(t, count)
    t.equal(await countClaims(() => claimForASecond(nodes, clock)), claims)
  })
}

t.test('when a node dies, its deadlines are claimed within a second by the second reader', async t => {
  const { clock, nodes } = await openNodes(t, 4)
  const ids = await createDueCalls(nodes, clock)
  t.strictSame((await claimForASecond(nodes.slice(1), clock)).sort(), ids, 'each once, within a second')
})

t.test(
  'when two nodes die at once, others take over what only they read once their heartbeats have lapsed',
  async t => {
    const { clock, nodes } = await openNodes(t, 4)
    const ids = await createDueCalls(nodes, clock)
    const alive = nodes.slice(2)
    const found = await claimForASecond(alive, clock)
    t.ok(found.length > CALLS / 2 && found.length < CALLS, `${found.length} of ${CALLS} within a second`)
    for (let seconds = 2; seconds <= 5; seconds++) found.push(...(await claimForASecond(alive, clock)))
    t.strictSame(found.sort(), ids, 'each once, within five seconds')
  }
)

t.test('when a node closes, the others share its partitions from their next heartbeat on', async t => {
  const { clock, nodes } = await openNodes(t, 4)
  await Promise.all(nodes.splice(0, 2).map(node => node.close()))
  t.equal(await nodes[0]?.client.zcard(NODES_KEY), 2)
  await claimForASecond(nodes, clock)
  const ids = await createDueCalls(nodes, clock)
  t.strictSame((await claimForASecond(nodes, clock)).sort(), ids, 'each once, within a second')
})

t.test('a node that starts takes its share, and the others give it up', async t => {
  const { clock, nodes } = await openNodes(t, 3)
  const store = await openRedisStore(cluster.url, clock, OPTIONS)
  t.teardown(() => store.close())
  nodes.push(store)
  const ids = await createDueCalls(nodes, clock)
  t.strictSame((await claimForASecond(nodes, clock)).sort(), ids, 'no deadline is late meanwhile')
  t.equal(await countClaims(() => claimForASecond(nodes, clock)), 2 * PARTITIONS)
})

t.test('on one server nextClaimAt is the next deadline, whichever node set it, or a second from now', async t => {
  const server = await startRedis()
  const clock = new ManualClock()
  const [one, other] = await Promise.all([1, 2].map(() => openRedisStore(server.url, clock, OPTIONS)))
  t.teardown(async () => {
    await Promise.all([one?.close(), other?.close()])
    await server.stop()
  })
  if (!one || !other) throw new Error('there are two')
  const fixture = { store: other, clock, options: OPTIONS, id: (stem: string) => stem }
  const deadlineAt = clock.now() + 5_300
  await other.aggregates.commit(call('c'), commitOf(fixture, 0, { deadlineAt }))
  const claim = () => one.timers.claimDue({ ...CLAIM, now: clock.now() })
  const { nextClaimAt } = await claim()
  t.ok(nextClaimAt > clock.now() && nextClaimAt <= clock.now() + 1_000)
  clock.advance(5_000)
  t.match(await claim(), { due: [], nextClaimAt: deadlineAt })
  clock.advance(300)
  t.match(await claim(), { due: [call('c')], more: false })
})
