// What two nodes on one Redis know of each other's revocations: after lost messages, outages and failovers, and at the start.
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import type { RedisStore } from '../../src/store/redis/redis.js'
import { deleteKeys, saveKeys } from '../helpers/lost-keys.js'
import { startProxy } from '../helpers/proxy.js'
import { startRedis } from '../helpers/redis.js'
import { openRedisStore } from '../helpers/store.js'
import { until } from '../helpers/until.js'

const KEYS = '*revocation*'

const revocationOf = (user: string, issuedAfter = 1_000) => {
  const now = Date.now()
  return { user, device: null, issuedAfter, kind: 'sign_out' as const, at: now, expiresAt: now + 600_000 }
}
const revoke = (store: RedisStore, user: string) => store.revocations.put(revocationOf(user), { max: 1_000_000 })
const refuses = (store: RedisStore, user: string) =>
  store.revocations.revocationOf({ user, device: 'phone', issuedAt: 1_000 }) !== null

for (const cluster of [false, true]) {
  t.test(cluster ? 'a cluster of one node' : 'a standalone Redis', async t => {
    const server = await startRedis({ cluster })
    t.teardown(() => server.stop())
    const open = async (t: Test, url = server.url) => {
      const store = await openRedisStore(url)
      t.teardown(() => store.close())
      return store
    }
    /** The client of a test, on one server. */
    const url = `redis://127.0.0.1:${server.port}`

    t.test('a node knows the revocations of the others, and those from before its start', async t => {
      const [first, second] = [await open(t), await open(t)]
      const heard: string[] = []
      t.teardown(second.revocations.onRevoked(user => heard.push(user)))
      await revoke(first, 'alice')
      t.equal(refuses(first, 'alice'), true, 'at once')
      await until('the other node knows', () => refuses(second, 'alice'))
      t.strictSame(heard, ['alice'])
      t.equal(refuses(await open(t), 'alice'), true)
      await first.revocations.remove('alice', null, Date.now())
      await until('the other node accepts', () => !refuses(second, 'alice'))
      t.equal(refuses(await open(t), 'alice'), false)
    })

    t.test('a node that missed the message of a revocation knows of it by the next check', async t => {
      const [first, second] = [await open(t), await open(t)]
      const client = new Redis(server.port)
      t.teardown(() => client.disconnect())
      const records = (await client.keys(KEYS)).find(key => key.endsWith(':revocations')) ?? ''
      // As by a node whose message was lost.
      await client.hset(records, 'bob', `1000|sign_out|${Date.now()}|${Date.now() + 60_000}`)
      await client.set(records.replace('revocations', 'revocation-head'), 'another')
      for (const store of [first, second]) await until('it is known', () => refuses(store, 'bob'))
    })

    t.test('no node reads the list again while many are written', async t => {
      const [first] = [await open(t), await open(t)]
      const client = new Redis(server.port)
      t.teardown(() => client.disconnect())
      const callsOf = async (command: string) =>
        Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(await client.info('commandstats'))?.[1] ?? 0)
      const [gets, scans] = [await callsOf('get'), await callsOf('hscan')]
      let written = 0
      await until('each node has compared heads several times', async () => {
        const users = Array.from({ length: 100 }, () => `user-${written++}`)
        await Promise.all(users.map(user => revoke(first, user)))
        // Each write gets the head once.
        return (await callsOf('get')) - gets - written >= 8
      })
      t.equal((await callsOf('hscan')) - scans, 0)
    })

    t.test('what a failover has lost is written again by a node that knows it, a removal too', async t => {
      const store = await open(t)
      await revoke(store, 'lost')
      await revoke(store, 'removed')
      const restore = await saveKeys(url, KEYS)
      await revoke(store, 'newer')
      await store.revocations.remove('removed', null, Date.now())
      await restore()
      for (const user of ['lost', 'newer']) t.equal(refuses(store, user), true, user)
      await until('a new node knows both', async () => {
        const other = await openRedisStore(server.url)
        const known = ['lost', 'newer', 'removed'].map(user => refuses(other, user)).join()
        await other.close()
        return known === 'true,true,false'
      })
      await deleteKeys(url, KEYS)
      await until('all are written again', async () => {
        const other = await openRedisStore(server.url)
        const known = ['lost', 'newer', 'removed'].map(user => refuses(other, user)).join()
        await other.close()
        return known === 'true,true,false'
      })
    })
  })
}

t.test('a node that has not read the revocations refuses everyone', async t => {
  const server = await startRedis()
  t.teardown(() => server.stop())
  await revoke(await openAndClose(t, server.url), 'alice')
  server.pause()
  const store = await openRedisStore(server.url)
  t.teardown(() => store.close())
  t.throws(() => refuses(store, 'bob'), { code: 'store_unavailable' })
  server.resume()
  await until('the store is available', () => store.availableSince() !== null)
  t.equal(refuses(store, 'alice'), true, 'it has read them before')
  t.equal(refuses(store, 'bob'), false)
})

async function openAndClose(t: Test, url: string): Promise<RedisStore> {
  const store = await openRedisStore(url)
  t.teardown(() => store.close())
  return store
}

t.test('a node that was cut off keeps what it knows, and knows the rest when it is back', async t => {
  const server = await startRedis()
  const proxy = await startProxy(server.port)
  t.teardown(async () => {
    await proxy.close()
    await server.stop()
  })
  const near = await openAndClose(t, server.url)
  const far = await openAndClose(t, `redis://127.0.0.1:${proxy.port}`)
  await revoke(near, 'alice')
  await until('both know', () => refuses(far, 'alice'))
  t.ok(proxy.silence('ssubscribe') + proxy.silence('evalsha') > 0)
  await revoke(near, 'bob')
  t.equal(refuses(far, 'alice'), true)
  await until('it is connected again and knows', () => refuses(far, 'bob'), 30_000)
})
