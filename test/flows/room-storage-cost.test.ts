// What one user can make a room keep in Redis, and what that costs other requests: measured in bytes and commands, not in time.
import { Redis } from 'ioredis'
import t from 'tap'
import { roomKeys } from '../../src/store/redis/keys.js'
import { startRedis } from '../helpers/redis.js'
import { Scenario } from '../helpers/scenario.js'
import { candidate } from '../helpers/sdp.js'
import type { TestClient } from '../helpers/test-client.js'
import { SETTINGS, TestCluster } from '../helpers/test-cluster.js'

const [, , REDIS] = SETTINGS
if (REDIS === undefined) throw new Error('no setting with Redis')
// Its own: nothing else is measured.
const server = await startRedis()
// The default settings, except for two request budgets.
const cluster = await TestCluster.open(REDIS, { RATE_LIMIT_DELIVERIES: '30000', RATE_LIMIT_PRESENCE: '5000' }, server)
const redis = new Redis(server.port)
t.teardown(async () => {
  redis.disconnect()
  await cluster.close()
  await server.stop()
})

/** The memory of all keys. Redis' own memory varies. */
async function bytesOfAllKeys(): Promise<number> {
  const sizes = await Promise.all((await redis.keys('*')).map(key => redis.memory('USAGE', key, 'SAMPLES', 0)))
  return sizes.reduce<number>((sum, size) => sum + Number(size ?? 0), 0)
}

async function bytesOfRoom(roomId: string): Promise<number> {
  const { timers, waiting, ...own } = roomKeys(roomId, true)
  const sizes = await Promise.all(
    Object.values(own)
      .flat()
      .map(key => redis.memory('USAGE', key, 'SAMPLES', 0))
  )
  return sizes.reduce<number>((sum, size) => sum + Number(size ?? 0), 0)
}

/** Commands that Redis runs, scripts included, and bytes of its replies. The least of three measurements, because nodes also have background work. */
async function costOf(work: () => Promise<unknown>): Promise<{ commands: number; bytes: number }> {
  const costs = [await measure(work), await measure(work), await measure(work)]
  return {
    commands: Math.min(...costs.map(({ commands }) => commands)),
    bytes: Math.min(...costs.map(({ bytes }) => bytes))
  }
}

async function measure(work: () => Promise<unknown>): Promise<{ commands: number; bytes: number }> {
  const count = async () => {
    await cluster.settle(10)
    const stats = await redis.info('commandstats')
    const calls = [...stats.matchAll(/cmdstat_(?!info|ping|time|zcount)[^:]+:calls=(\d+)/g)].map(([, n]) => Number(n))
    const bytes = Number(/total_net_output_bytes:(\d+)/.exec(await redis.info('stats'))?.[1])
    return { commands: calls.reduce((sum, n) => sum + n, 0), bytes }
  }
  const before = await count()
  await work()
  const after = await count()
  return { commands: after.commands - before.commands, bytes: after.bytes - before.bytes }
}

async function crowd(scenario: Scenario, size: number, { silent = true } = {}): Promise<TestClient[]> {
  const clients = await Promise.all(
    Array.from({ length: size }, (_, n) => scenario.addClient(`user${n}`, 'phone', { silent }))
  )
  for (const client of clients) await client.post('rooms/r1/participants')
  await cluster.settle(20)
  return clients
}

t.test('when a participant of 60 broadcasts candidates, they are stored once', async t => {
  const scenario = new Scenario(cluster)
  const [sender] = (await crowd(scenario, 60)) as [TestClient]
  const before = await bytesOfAllKeys()
  const batch = Array.from({ length: 64 }, (_, n) => candidate(n, 'unknown'))
  for (let n = 0; n < 4; n++)
    t.equal((await sender.request('POST', 'rooms/r1/candidates', { candidates: batch })).status, 202)
  const large = batch.map(each => ({ ...each, candidate: `${each.candidate} x ${'y'.repeat(700)}` }))
  t.match(await sender.request('POST', 'rooms/r1/candidates', { candidates: large }), {
    body: { code: 'too_many_waiting_candidates' }
  })
  await cluster.settle(20)
  const added = (await bytesOfAllKeys()) - before
  t.ok(added < 100_000, `${added} bytes`)
})

t.test('when many unknown users were invited with large metadata, typing and chat cost as much as before', async t => {
  const scenario = new Scenario(cluster)
  const [alice, bob] = (await crowd(scenario, 3, { silent: false })) as [TestClient, TestClient]
  const roomId = scenario.toWire('r1')
  await scenario.advance(10_000)
  const typing = () => costOf(() => bob.post('rooms/r1/typing', { typing: true }))
  const chat = () => costOf(() => bob.post('rooms/r1/messages', { content: 'hello' }))
  await typing()
  const before = { typing: await typing(), chat: await chat(), bytes: await bytesOfRoom(roomId) }
  const metadata = { note: 'x'.repeat(4000) }
  const statuses = new Set<number>()
  for (let n = 0; n < 52; n++) {
    const users = Array.from({ length: 50 }, (_, i) => `invented-${n}-${i}`)
    const { status } = await alice.request('POST', 'rooms/r1/invitations', { users, metadata, ringTimeoutMs: 5000 })
    statuses.add(status)
    // All invitations so far have ended.
    if (n % 10 === 9) await scenario.advance(6000)
  }
  t.same([...statuses].sort(), [201, 409])
  await cluster.settle(20)
  const bytes = await bytesOfRoom(roomId)
  t.ok(bytes - before.bytes < 600_000, `${bytes} bytes, ${before.bytes} before`)
  await cluster.settle(100)
  const after = { typing: await typing(), chat: await chat() }
  t.ok(
    after.typing.commands <= before.typing.commands + 3,
    `${after.typing.commands} commands, ${before.typing.commands} before`
  )
  t.ok(after.typing.bytes < before.typing.bytes + 2000, `${after.typing.bytes} bytes, ${before.typing.bytes} before`)
  t.ok(
    after.chat.commands <= before.chat.commands + 5,
    `${after.chat.commands} commands, ${before.chat.commands} before`
  )
  t.ok(after.chat.bytes < before.chat.bytes + 4000, `${after.chat.bytes} bytes, ${before.chat.bytes} before`)
  await scenario.closeStreams()
})

t.test(
  'when a user watches 200 unknown users and then none, what is stored for them expires within two minutes',
  async t => {
    const scenario = new Scenario(cluster)
    const alice = await scenario.addClient('alice', 'phone', { silent: true })
    const users = Array.from({ length: 200 }, (_, n) => `unknown${n}`)
    const put = (list: string[]) => alice.request('PUT', 'presence/watch', { users: list })
    await scenario.advance(10_000)
    const { commands } = await measure(() => put(users))
    t.ok(commands < 17 * users.length, `${commands} commands`)
    t.equal((await redis.keys('*presence:unknown*')).length, users.length)
    t.equal((await put([])).status, 200)
    await scenario.advance(35_000)
    const kept = await redis.keys('*presence:unknown*')
    const ttls = await Promise.all(kept.map(key => redis.pttl(key)))
    t.ok(
      ttls.every(ms => ms > 0 && ms <= 120_000),
      'what is stored expires soon'
    )
    t.same(await redis.keys('*watchers:unknown*'), [])
    await scenario.closeStreams()
  }
)
