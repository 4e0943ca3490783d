// After a restart or failover a server may lack writes that it acknowledged: each of its devices gets one reset (G9).
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { type LostWrites, RESET } from '../../src/store/lost-writes.js'
import type { RedisStore } from '../../src/store/redis/redis.js'
import type { Wakeup } from '../../src/store/store.js'
import { ManualClock } from '../helpers/clock.js'
import { changeReplicationId } from '../helpers/lost-keys.js'
import { startRedis } from '../helpers/redis.js'
import { openRedisStore } from '../helpers/store.js'
import { until } from '../helpers/until.js'
import { directEvent } from './contract/fixtures.js'
import { OPTIONS } from './contract.js'

for (const cluster of [false, true]) {
  t.test(cluster ? 'a cluster of one node' : 'a standalone Redis', async t => {
    const server = await startRedis({ cluster })
    t.teardown(() => server.stop())

    let touches = 0
    async function openFixture(t: Test) {
      const clock = new ManualClock()
      const open = async (): Promise<RedisStore> => {
        const store = await openRedisStore(server.url, clock, OPTIONS)
        t.teardown(() => store.close())
        return store
      }
      const store = await open()
      const touch = async (node: RedisStore, device = 'phone') => {
        const touched = await node.mailboxes.touch('bob', device, {
          now: clock.now(),
          tag: `t${++touches}`,
          connection: device
        })
        if (touched === null) throw new Error('too many devices')
        return touched
      }
      const send = (n: number) =>
        store.mailboxes.send(
          'bob',
          directEvent({ store, clock, options: OPTIONS, id: stem => stem }, 1, { tag: `e${n}` })
        )
      const types = async (node: RedisStore, from: 'start' | { seq: number; tag: string } = 'start') => {
        const options = { limit: 99, maxBytes: 1_000_000, now: clock.now() }
        const result = await node.mailboxes.read('bob', 'phone', { from, ...options })
        return result.status === 'ok' ? result.events.map(({ type }) => type) : result.status
      }
      return { clock, store, open, touch, send, types }
    }

    t.test('each device gets one reset, between older and newer events, whichever node touches it', async t => {
      const { store, open, touch, send, types } = await openFixture(t)
      const other = await open()
      const { head } = await touch(store)
      await touch(store, 'tablet')
      await send(1)
      const [received, lost]: [Wakeup[], LostWrites[]] = [[], []]
      const leave = await other.wakeups.subscribe('bob', wakeup => received.push(wakeup))
      t.teardown(leave)
      other.onLostWrites(lostWrites => lost.push(lostWrites))
      await changeReplicationId(server.port)
      await until('the other node has noticed', () => lost.length > 0)
      t.ok(
        received.some(({ kind }) => kind === 'gap'),
        'subscribers read and touch again'
      )
      t.type(lost[0]?.serverOf('bob'), 'string')
      t.same((await touch(other)).head.seq, 2)
      for (const node of [store, other, store]) t.same((await touch(node)).head.seq, 2, 'once')
      await send(2)
      t.same(await types(store, head), ['call.incoming', RESET, 'call.incoming'])
      t.same((await touch(other, 'tablet')).head.seq, 1)
      const events = () => received.filter(({ kind }) => kind === 'event')
      await until('all has arrived', () => events().length === 3)
      t.match(events(), [
        { device: 'phone', events: [{ seq: 2, type: RESET }] },
        { device: 'phone', events: [{ seq: 3 }] },
        { device: 'tablet', events: [{ seq: 1, type: RESET }] }
      ])
    })

    t.test('no device is reset when a node starts or reconnects to the same server', async t => {
      const { store, open, touch, send, types } = await openFixture(t)
      const { head } = await touch(store)
      const connections = new Redis(server.port)
      await connections.call('CLIENT', 'KILL', 'TYPE', 'normal')
      connections.disconnect()
      await until('the store is available', async () => {
        await store.ping().catch(() => undefined)
        return store.availableSince() !== null
      })
      const other = await open()
      await touch(other)
      await send(1)
      t.same(await types(other, head), ['call.incoming'])
    })

    t.test('a device that registers after the failover gets no reset', async t => {
      const { store, touch, types } = await openFixture(t)
      await store.mailboxes.remove('bob', 'phone')
      await changeReplicationId(server.port)
      const { head } = await touch(store)
      await store.mailboxes.touch('bob', 'phone', { now: 1, tag: 'x' })
      t.same([head.seq, await types(store)], [0, []])
    })
  })
}
