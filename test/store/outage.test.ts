// What happens when Redis goes away, hangs, comes back empty, or goes deaf; and that all of it heals by itself.
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { AppError } from '../../src/errors.js'
import type { RedisStore } from '../../src/store/redis/redis.js'
import type { Wakeup } from '../../src/store/store.js'
import { startProxy } from '../helpers/proxy.js'
import { startRedis } from '../helpers/redis.js'
import { openRedisStore } from '../helpers/store.js'
import { until } from '../helpers/until.js'

interface Given {
  readonly cluster?: boolean
  readonly probeEveryMs?: number
  readonly via?: (port: number) => Promise<number>
}

async function given(t: Test, { cluster = false, probeEveryMs, via }: Given = {}) {
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
  const heard: Wakeup[] = []
  const stop = await store.wakeups.subscribe(user, wakeup => heard.push(wakeup))
  const heardOf = (kind: Wakeup['kind']) => heard.filter(wakeup => wakeup.kind === kind).length
  return { heardOf, stop }
}

/** Opens a stream and appends to it. */
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

/** Nothing in this process moves on meanwhile, as in a long collection of garbage or a machine that swaps. */
function standStill(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

const isUnavailable = (error: unknown) => error instanceof AppError && error.code === 'store_unavailable'

/** Every kind of command fails with store_unavailable, and soon. */
async function failsFast(t: Test, store: RedisStore): Promise<void> {
  const startedAt = Date.now()
  const attempts = [
    store.aggregates.load({ kind: 'call', id: 'c' }),
    store.mailboxes.devices('bob', Date.now()),
    store.leases.release('bob', 'c'),
    store.tickets.use('bob', 'x', 1_000),
    store.quotas.take('bob', { name: 'x', windowMs: 1_000, max: 1, want: 1, now: Date.now() }),
    store.ping()
  ]
  for (const outcome of await Promise.allSettled(attempts)) {
    t.ok(outcome.status === 'rejected' && isUnavailable(outcome.reason))
  }
  t.ok(Date.now() - startedAt < 4_000, `after ${Date.now() - startedAt} ms`)
  t.equal(store.availableSince(), null)
}

async function heals(t: Test, store: RedisStore, since: number): Promise<void> {
  await until('there is contact again', () => store.availableSince() !== null)
  t.ok((store.availableSince() ?? 0) >= since, 'since after the outage')
  t.ok((await store.ping()) >= 0)
}

t.test(
  'what is under way when the connection is lost fails for its caller, and no promise is left that ends the process',
  async t => {
    const { server, store } = await given(t)
    const unhandled: unknown[] = []
    const note = (error: unknown) => unhandled.push(error)
    process.on('unhandledRejection', note)
    t.teardown(() => process.off('unhandledRejection', note))
    server.pause()
    const underWay = Promise.allSettled([
      store.memberships.list('bob'),
      store.memberships.list('bob', 'phone'),
      store.contacts.readCallee('bob', 'alice', Date.now()),
      store.rooms.load('r', []),
      store.leases.list('bob')
    ])
    await server.kill()
    for (const outcome of await underWay) {
      t.ok(outcome.status === 'rejected' && isUnavailable(outcome.reason))
    }
    await new Promise(setImmediate)
    t.same(unhandled, [])
  }
)

t.test('a Redis that dies and comes back', async t => {
  const { server, store } = await given(t)
  const { heardOf } = await listen(store, 'bob')
  await server.kill()
  await failsFast(t, store)
  await t.rejects(
    store.wakeups.subscribe('carol', () => {}),
    { code: 'store_unavailable' }
  )
  const back = Date.now()
  await server.restart()
  await heals(t, store, back)
  await until('the listener is told of the gap', () => heardOf('gap') > 0)
  await send(store, 'bob')
  await until('and hears again', () => heardOf('event') === 1)
})

for (const cluster of [false, true]) {
  const kind = cluster ? 'a Cluster' : 'a Redis'

  t.test(`${kind} that hangs`, async t => {
    const { server, store } = await given(t, { cluster })
    server.pause()
    await failsFast(t, store)
    const back = Date.now()
    server.resume()
    await heals(t, store, back)
  })

  for (const turns of [0, 1]) {
    const when = turns === 0 ? 'before its commands have left' : 'while its answers lie in the socket'
    t.test(`a node that stands still ${when} does not take ${kind} for silent`, async t => {
      const { store } = await given(t, { cluster })
      const { heardOf } = await listen(store, 'bob')
      const since = store.availableSince()
      const answers = Promise.all([store.ping(), listen(store, 'carol')])
      for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate)
      standStill(3_000)
      await t.resolves(answers)
      t.equal(store.availableSince(), since, 'contact was never lost')
      await send(store, 'bob')
      await until('the listener hears', () => heardOf('event') === 1)
      t.equal(heardOf('gap'), 0, 'over the connection it had')
    })
  }
}

t.test('a Redis that is away at the start is waited for', async t => {
  const server = await startRedis()
  await server.kill()
  const store = await openRedisStore(server.url)
  t.teardown(async () => {
    await store.close()
    await server.stop()
  })
  await failsFast(t, store)
  await server.restart()
  await heals(t, store, 0)
  const { heardOf } = await listen(store, 'bob')
  await send(store, 'bob')
  await until('wake-ups arrive', () => heardOf('event') === 1)
})

for (const cluster of [false, true]) {
  t.test(`a store can be closed at any moment of connecting anew${cluster ? ' to a cluster' : ''}`, async t => {
    const server = await startRedis({ cluster })
    t.teardown(() => server.stop())
    const stores = await Promise.all(Array.from({ length: 12 }, () => openRedisStore(server.url)))
    for (const store of stores) await listen(store, 'bob')
    await server.kill()
    const killedAt = Date.now()
    const close = async (store: RedisStore, n: number) => {
      await until('it is time', () => Date.now() - killedAt >= 40 * n)
      const startedAt = Date.now()
      await store.close()
      t.ok(Date.now() - startedAt < 2_000, `closed within ${Date.now() - startedAt} ms`)
    }
    await Promise.all(stores.map(close))
  })
}

t.test('a lost subscriber connection: the listeners are told once they hear again', async t => {
  const { store } = await given(t)
  const { heardOf } = await listen(store, 'bob')
  const other = await listen(store, 'carol')
  await store.client.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
  await until('both are told', () => heardOf('gap') === 1 && other.heardOf('gap') === 1)
  await send(store, 'bob')
  await until('events arrive', () => heardOf('event') === 1)
  t.equal(other.heardOf('event'), 0)
})

t.test('a connection that is open and deaf is found and replaced', async t => {
  let deafen = (): number => 0
  const via = async (port: number) => {
    const proxy = await startProxy(port)
    t.teardown(() => proxy.close())
    deafen = () => proxy.deafen('ssubscribe')
    return proxy.port
  }
  const { store } = await given(t, { probeEveryMs: 50, via })
  const { heardOf } = await listen(store, 'bob')
  await send(store, 'bob')
  await until('it hears', () => heardOf('event') === 1)
  t.equal(deafen(), 1)
  await send(store, 'bob')
  await until('the listener is told of the gap', () => heardOf('gap') > 0)
  const before = heardOf('event')
  await send(store, 'bob')
  await until('and hears again', () => heardOf('event') > before)
  t.not(store.availableSince(), null, 'commands were answered all the time')
})

t.test('probing does not take a healthy connection for deaf', async t => {
  const { store } = await given(t, { probeEveryMs: 5 })
  const { heardOf } = await listen(store, 'bob')
  const commands = async () =>
    Number(/cmdstat_spublish:calls=(\d+)/.exec(await store.client.info('commandstats'))?.[1] ?? 0)
  await until('it has been probed often', async () => (await commands()) > 20)
  t.equal(heardOf('gap'), 0)
})

t.test('a mistake of ours is not passed off as an outage, and says nothing of what it was about', async t => {
  const { store } = await given(t)
  await store.quotas.take('bob', { name: 'calls', windowMs: 60_000, max: 10, want: 1, now: 1 })
  const [key = ''] = await store.client.keys('*quota*')
  await store.client.rename(key, key.replace(/quota:bob:.*$/, 'leases:bob'))
  const error: unknown = await store.leases
    .take('bob', { holder: 'c', peer: 'p', kind: 'active', role: 'secret-role', at: 1 }, {})
    .catch(e => e)
  t.ok(error instanceof Error && !isUnavailable(error) && error.message.startsWith('WRONGTYPE'))
  t.notMatch(JSON.stringify(Object.entries(error as object)), 'secret-role')
  t.not(store.availableSince(), null)
})

for (const cluster of [false, true]) {
  t.test(`a password that Redis refuses reaches no log${cluster ? ', of a Cluster either' : ''}`, async t => {
    const server = await startRedis({ cluster })
    const lines: string[] = []
    const log = pino({ level: 'trace' }, { write: line => lines.push(line) })
    const store = await openRedisStore(server.url.replace('://', '://bob:hunter2@'), undefined, { log })
    t.teardown(async () => {
      await store.close()
      await server.stop()
    })
    const stop = await store.wakeups.subscribe('bob', () => {}).catch(() => async () => {})
    await until('it was refused', () => lines.some(line => line.includes('WRONGPASS')))
    t.notMatch(lines.join(''), 'hunter2')
    await stop()
  })
}

t.test('rights that Redis takes away are an outage, not a server error', async t => {
  const { store } = await given(t)
  const take = () => store.quotas.take('bob', { name: 'calls', windowMs: 60_000, max: 10, want: 1, now: 1 })
  await store.client.call('ACL', 'SETUSER', 'default', '-evalsha', '-eval')
  await t.rejects(take(), { code: 'store_unavailable' })
  await store.client.call('ACL', 'SETUSER', 'default', '+@all')
  await until('it heals', async () => (await take().catch(() => 0)) === 1)
})

t.test('scripts that Redis has forgotten are sent again', async t => {
  const { store } = await given(t)
  const { heardOf } = await listen(store, 'bob')
  for (let n = 1; n <= 2; n++) {
    await store.client.script('FLUSH')
    await Promise.all([send(store, 'bob'), send(store, 'bob')])
    await until('events arrive', () => heardOf('event') >= 2 * n)
    t.equal(heardOf('event'), 2 * n)
  }
})
