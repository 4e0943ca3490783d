// What happens when Redis is killed, hangs, or is restarted, and when a subscriber connection receives nothing. The store recovers by itself.
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { AppError } from '../../src/errors.js'
import type { RedisStore } from '../../src/store/redis/redis.js'
import type { Wakeup } from '../../src/store/store.js'
import { startProxy } from '../helpers/proxy.js'
import { startRedis } from '../helpers/redis.js'
import { openRedisStore } from '../helpers/store.js'
import { until } from '../helpers/until.js'

interface Setup {
  readonly cluster?: boolean
  readonly probeEveryMs?: number
  readonly via?: (port: number) => Promise<number>
}

async function openFixture(t: Test, { cluster = false, probeEveryMs, via }: Setup = {}) {
  const server = await startRedis({ cluster })
  const url = via ? `redis://127.0.0.1:${await via(server.port)}` : server.url
  const store = await openRedisStore(url, undefined, probeEveryMs === undefined ? {} : { probeEveryMs })
  t.teardown(async () => {
    await store.close()
    await server.stop()
  })
  return { server, store }
}

async function listen(store: RedisStore, user: string) {
  const received: Wakeup[] = []
  const stop = await store.wakeups.subscribe(user, wakeup => received.push(wakeup))
  const countReceived = (kind: Wakeup['kind']) => received.filter(wakeup => wakeup.kind === kind).length
  return { countReceived, stop }
}

/** Registers a device with a connection and appends an event to its mailbox. */
async function send(store: RedisStore, user: string): Promise<void> {
  const now = Date.now()
  await store.mailboxes.touch(user, 'phone', {
    now,
    tag: 'birth',
    connection: 'c1',
    claim: true,
    onlineUntil: now + 45_000
  })
  const event = { device: 'phone', type: 'x', envelope: '{}', tag: 'tag' }
  await store.mailboxes.send(user, { basis: null, ...event, now })
}

/** Blocks this process, as a long garbage collection or a machine that swaps does. */
function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

const isUnavailable = (error: unknown) => error instanceof AppError && error.code === 'store_unavailable'

/** Commands of each kind fail with store_unavailable within 4 s. */
async function failsFast(t: Test, store: RedisStore): Promise<void> {
  const startedAt = Date.now()
  const commands = [
    store.aggregates.load({ kind: 'call', id: 'c' }),
    store.mailboxes.devices('bob', Date.now()),
    store.leases.release('bob', 'c'),
    store.tickets.use('bob', 'x', 1_000),
    store.counters.take('bob', { name: 'x', windowMs: 1_000, max: 1, want: 1, now: Date.now() }),
    store.ping()
  ]
  for (const outcome of await Promise.allSettled(commands)) {
    t.ok(outcome.status === 'rejected' && isUnavailable(outcome.reason))
  }
  t.ok(Date.now() - startedAt < 4_000, `after ${Date.now() - startedAt} ms`)
  t.equal(store.availableSince(), null)
}

async function recovers(t: Test, store: RedisStore, since: number): Promise<void> {
  await until('the store is available', () => store.availableSince() !== null)
  t.ok((store.availableSince() ?? 0) >= since, 'availableSince is after the outage')
  t.ok((await store.ping()) >= 0)
}

t.test('commands that run when the connection is lost reject, and no rejection is unhandled', async t => {
  const { server, store } = await openFixture(t)
  const unhandled: unknown[] = []
  const note = (error: unknown) => unhandled.push(error)
  process.on('unhandledRejection', note)
  t.teardown(() => process.off('unhandledRejection', note))
  server.pause()
  const running = Promise.allSettled([
    store.memberships.list('bob'),
    store.memberships.list('bob', 'phone'),
    store.contacts.readCallee('bob', 'alice', Date.now()),
    store.rooms.load('r', []),
    store.leases.list('bob')
  ])
  await server.kill()
  for (const outcome of await running) {
    t.ok(outcome.status === 'rejected' && isUnavailable(outcome.reason))
  }
  await new Promise(setImmediate)
  t.same(unhandled, [])
})

t.test('the store recovers after Redis was killed and restarted', async t => {
  const { server, store } = await openFixture(t)
  const { countReceived } = await listen(store, 'bob')
  await server.kill()
  await failsFast(t, store)
  await t.rejects(
    store.wakeups.subscribe('carol', () => {}),
    { code: 'store_unavailable' }
  )
  const restartedAt = Date.now()
  await server.restart()
  await recovers(t, store, restartedAt)
  await until('the subscriber has got a gap', () => countReceived('gap') > 0)
  await send(store, 'bob')
  await until('the subscriber receives events', () => countReceived('event') === 1)
})

for (const cluster of [false, true]) {
  const kind = cluster ? 'a Cluster' : 'a Redis'

  t.test(`the store recovers after ${kind} has hung`, async t => {
    const { server, store } = await openFixture(t, { cluster })
    server.pause()
    await failsFast(t, store)
    const restartedAt = Date.now()
    server.resume()
    await recovers(t, store, restartedAt)
  })

  for (const turns of [0, 1]) {
    const when = turns === 0 ? 'before its commands are sent' : 'before it reads the replies'
    t.test(`a process that is blocked ${when} does not close its connections to ${kind}`, async t => {
      const { store } = await openFixture(t, { cluster })
      const { countReceived } = await listen(store, 'bob')
      const since = store.availableSince()
      const replies = Promise.all([store.ping(), listen(store, 'carol')])
      for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate)
      block(3_000)
      await t.resolves(replies)
      t.equal(store.availableSince(), since, 'the store was available all the time')
      await send(store, 'bob')
      await until('the subscriber receives the event', () => countReceived('event') === 1)
      t.equal(countReceived('gap'), 0, 'over its first connection')
    })
  }
}

t.test('a store that starts while Redis is down recovers once it is up', async t => {
  const server = await startRedis()
  await server.kill()
  const store = await openRedisStore(server.url)
  t.teardown(async () => {
    await store.close()
    await server.stop()
  })
  await failsFast(t, store)
  await server.restart()
  await recovers(t, store, 0)
  const { countReceived } = await listen(store, 'bob')
  await send(store, 'bob')
  await until('wake-ups arrive', () => countReceived('event') === 1)
})

for (const cluster of [false, true]) {
  t.test(`a store can be closed at any moment while it reconnects${cluster ? ' to a Cluster' : ''}`, async t => {
    const server = await startRedis({ cluster })
    t.teardown(() => server.stop())
    const stores = await Promise.all(Array.from({ length: 12 }, () => openRedisStore(server.url)))
    for (const store of stores) await listen(store, 'bob')
    await server.kill()
    const killedAt = Date.now()
    const close = async (store: RedisStore, n: number) => {
      await until(`${40 * n} ms have passed`, () => Date.now() - killedAt >= 40 * n)
      const startedAt = Date.now()
      await store.close()
      t.ok(Date.now() - startedAt < 2_000, `closed within ${Date.now() - startedAt} ms`)
    }
    await Promise.all(stores.map(close))
  })
}

t.test('subscribers get a gap after their connection was lost, and then receive again', async t => {
  const { store } = await openFixture(t)
  const { countReceived } = await listen(store, 'bob')
  const other = await listen(store, 'carol')
  await store.client.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
  await until('both subscribers have got a gap', () => countReceived('gap') === 1 && other.countReceived('gap') === 1)
  await send(store, 'bob')
  await until('events arrive', () => countReceived('event') === 1)
  t.equal(other.countReceived('event'), 0)
})

t.test('a subscriber connection that is open and receives nothing is replaced', async t => {
  let silence = (): number => 0
  const via = async (port: number) => {
    const proxy = await startProxy(port)
    t.teardown(() => proxy.close())
    silence = () => proxy.silence('ssubscribe')
    return proxy.port
  }
  const { store } = await openFixture(t, { probeEveryMs: 50, via })
  const { countReceived } = await listen(store, 'bob')
  await send(store, 'bob')
  await until('the subscriber receives the event', () => countReceived('event') === 1)
  t.equal(silence(), 1)
  await send(store, 'bob')
  await until('the subscriber has got a gap', () => countReceived('gap') > 0)
  const before = countReceived('event')
  await send(store, 'bob')
  await until('the subscriber receives events', () => countReceived('event') > before)
  t.not(store.availableSince(), null, 'commands were answered all the time')
})

t.test('probing does not replace a connection that receives', async t => {
  const { store } = await openFixture(t, { probeEveryMs: 5 })
  const { countReceived } = await listen(store, 'bob')
  const commands = async () =>
    Number(/cmdstat_spublish:calls=(\d+)/.exec(await store.client.info('commandstats'))?.[1] ?? 0)
  await until('more than 20 probes were published', async () => (await commands()) > 20)
  t.equal(countReceived('gap'), 0)
})

t.test('a fault in our code is not reported as an outage, and its error has no arguments', async t => {
  const { store } = await openFixture(t)
  await store.counters.take('bob', { name: 'calls', windowMs: 60_000, max: 10, want: 1, now: 1 })
  const [key = ''] = await store.client.keys('*budget*')
  await store.client.rename(key, key.replace(/budget:bob:.*$/, 'leases:bob'))
  const error: unknown = await store.leases
    .take('bob', { holder: 'c', peer: 'p', kind: 'active', role: 'secret-role', at: 1 }, {})
    .catch(e => e)
  t.ok(error instanceof Error && !isUnavailable(error) && error.message.startsWith('WRONGTYPE'))
  t.notMatch(JSON.stringify(Object.entries(error as object)), 'secret-role')
  t.not(store.availableSince(), null)
})

for (const cluster of [false, true]) {
  t.test(`a password that ${cluster ? 'a Cluster' : 'Redis'} refuses is not logged`, async t => {
    const server = await startRedis({ cluster })
    const lines: string[] = []
    const log = pino({ level: 'trace' }, { write: line => lines.push(line) })
    const store = await openRedisStore(server.url.replace('://', '://bob:hunter2@'), undefined, { log })
    t.teardown(async () => {
      await store.close()
      await server.stop()
    })
    const stop = await store.wakeups.subscribe('bob', () => {}).catch(() => async () => {})
    await until('Redis has refused the password', () => lines.some(line => line.includes('WRONGPASS')))
    t.notMatch(lines.join(''), 'hunter2')
    await stop()
  })
}

t.test('a missing permission in Redis is store_unavailable, not a server error', async t => {
  const { store } = await openFixture(t)
  const take = () => store.counters.take('bob', { name: 'calls', windowMs: 60_000, max: 10, want: 1, now: 1 })
  await store.client.call('ACL', 'SETUSER', 'default', '-evalsha', '-eval')
  await t.rejects(take(), { code: 'store_unavailable' })
  await store.client.call('ACL', 'SETUSER', 'default', '+@all')
  await until('the store recovers', async () => (await take().catch(() => 0)) === 1)
})

t.test('a script is sent as text after SCRIPT FLUSH', async t => {
  const { store } = await openFixture(t)
  const { countReceived } = await listen(store, 'bob')
  for (let n = 1; n <= 2; n++) {
    await store.client.script('FLUSH')
    await Promise.all([send(store, 'bob'), send(store, 'bob')])
    await until('events arrive', () => countReceived('event') >= 2 * n)
    t.equal(countReceived('event'), 2 * n)
  }
})
