// What is left behind in Redis, which no caller sees. The keys of a room live and go together, and in the end nothing is left.
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import type { RoomCommit } from '../../src/store/rooms.js'
import { ManualClock } from '../helpers/clock.js'
import { type RedisServer, startRedis } from '../helpers/redis.js'
import { openRedisStore } from '../helpers/store.js'
import { until } from '../helpers/until.js'
import { appendAll, mailOf } from './contract/fixtures.js'

import { joinOf, nextBatch, room, roomCommitOf, roomStamp, tellAll } from './contract/room-fixtures.js'

import { OPTIONS } from './contract.js'

/** But for what each partition has for good. */
const keysOf = async (client: Redis) => (await client.keys('*')).filter(key => !key.endsWith(':epoch'))

async function given(t: Test, server: RedisServer) {
  const clock = new ManualClock()
  const store = await openRedisStore(server.url, clock, OPTIONS)
  const client = new Redis(server.port)
  await client.flushall()
  t.teardown(async () => {
    client.disconnect()
    await store.close()
  })
  const lab = { store, clock, options: OPTIONS, id: (stem: string) => stem }
  /** What is kept, without the partition, and whether it ends. */
  const traces = async () => {
    const keys = (await keysOf(client)).sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
    const ends = await Promise.all(keys.map(key => client.call('PEXPIRETIME', key)))
    return { names: keys.map(nameOf), ends: ends.map(Number) }
  }
  const commit = (parts: RoomCommit) => store.rooms.commit('r', parts)
  const settle = (version: number) => nextBatch(lab, room('r'), { published: roomStamp(version) })
  return { lab, store, client, traces, commit, settle }
}

/** Without the partition. */
const nameOf = (key: string) => key.slice(key.indexOf(':', key.indexOf('}')) + 1)

const ALL = [
  'details:r',
  'log:r',
  'logids:r',
  'outbox:room:r',
  'participant:r',
  'pending',
  'state:room:r',
  'timers:room'
]
const PUBLISHED = ['details:r', 'log:r', 'logids:r', 'participant:r', 'state:room:r']
const logEntry = { id: 'l', value: '1', keep: 9 }
/** Until a room goes; long enough to look at all its keys first, also on a busy machine. */
const SOON_MS = 1_500

for (const cluster of [false, true]) {
  t.test(cluster ? 'a cluster' : 'a standalone Redis', async t => {
    const server = await startRedis({ cluster })
    t.teardown(() => server.stop())

    t.test('a room that is over goes as a whole, once it was told, and leaves nothing', async t => {
      const { lab, traces, commit, settle } = await given(t, server)
      await commit(joinOf(lab, 'alice', { logEntry, items: [tellAll(1)], deadlineAt: lab.clock.now() }))
      t.strictSame((await traces()).names, ALL)
      await commit(roomCommitOf(lab, { expireInMs: SOON_MS, items: [tellAll(2)] }))
      const waiting = await traces()
      t.strictSame(
        waiting.names,
        ALL.filter(name => name !== 'timers:room')
      )
      t.ok(waiting.ends.every(end => end === -1))
      await settle(1)
      t.ok((await traces()).ends.every(end => end === -1))
      await settle(2)
      const told = await traces()
      t.strictSame(told.names, PUBLISHED)
      t.ok(
        told.ends.every(end => end > 0 && end === told.ends[0]),
        'all at the same instant'
      )
      await settle(2)
      t.strictSame(await traces(), told, 'asking again changes nothing')
      await until('nothing is left', async () => (await traces()).names.length === 0)
    })

    t.test(
      'a room that was told already goes after the commit that ends it, also with what that commit wrote',
      async t => {
        const { lab, traces, commit } = await given(t, server)
        await commit(joinOf(lab, 'alice', { logEntry, deadlineAt: lab.clock.now(), expireInMs: SOON_MS }))
        const over = await traces()
        t.strictSame(over.names, PUBLISHED)
        t.ok(over.ends.every(end => end > 0 && end === over.ends[0]))
        await until('nothing is left', async () => (await traces()).names.length === 0)
      }
    )

    t.test(
      'a room that lives again keeps everything; one that has something to say keeps it until it is told',
      async t => {
        const { lab, traces, commit, settle } = await given(t, server)
        await commit(joinOf(lab, 'alice', { logEntry, expireInMs: 60_000 }))
        await commit(roomCommitOf(lab))
        t.ok(
          (await traces()).ends.every(end => end === -1),
          'all of it lives'
        )
        await commit(roomCommitOf(lab, { expireInMs: 60_000 }))
        await commit(roomCommitOf(lab, { expireInMs: 60_000, items: [tellAll(4)] }))
        t.ok(
          (await traces()).ends.every(end => end === -1),
          'something waits'
        )
        await settle(4)
        t.ok((await traces()).ends.every(end => end > 0))
      }
    )

    t.test(
      'a commit that is refused, a question and a reading leave nothing of a room that does not exist',
      async t => {
        const { lab, traces, commit, settle, store } = await given(t, server)
        await commit(roomCommitOf(lab, { reads: { a: roomStamp(1) }, logEntry, items: [tellAll(1)] }))
        await commit(joinOf(lab, 'alice', { participantsMax: 0, logEntry, items: [tellAll(1)] }))
        await settle(0)
        await store.rooms.load('r', 'all')
        await store.rooms.log('r', { limit: 9 })
        await store.rooms.bringForward('r', lab.clock.now())
        t.strictSame((await traces()).names, [])
      }
    )

    t.test('of the commits that were published to a user the last eight are remembered, for a time', async t => {
      const { lab, client, traces, store } = await given(t, server)
      const commits = Array.from({ length: 20 }, (_, n) => mailOf(n + 1))
      await store.mailboxes.appendEach([{ user: 'bob', ...appendAll(commits) }], lab.clock.now())
      const { names, ends } = await traces()
      t.strictSame(names, ['taken:bob:call:some-call'])
      t.ok((ends[0] ?? 0) > Date.now())
      const [key = ''] = await keysOf(client)
      const newest = commits.slice(-8).reverse()
      t.equal(await client.get(key), newest.map(({ version, tag }) => `${version}:${tag}`).join(' '))
    })

    t.test('memberships never stay for ever: each one that is added gives them a week', async t => {
      const { client, traces, store } = await given(t, server)
      const alice = { user: 'alice', device: 'phone', participantId: 'p1' }
      await store.memberships.add(alice, 'r1', { max: 9, now: 0 })
      const { names, ends } = await traces()
      t.strictSame(names, ['memberships:alice'])
      const [key = ''] = await keysOf(client)
      t.ok((ends[0] ?? 0) > Date.now() + 6 * 86_400_000)
      await client.pexpire(key, 60_000)
      await store.memberships.add(alice, 'r2', { max: 9, now: 0 })
      t.ok((await client.pttl(key)) > 6 * 86_400_000, 'renewed')
      await store.memberships.remove(alice, 'r1')
      await store.memberships.remove(alice, 'r2')
      t.strictSame((await traces()).names, [])
    })

    t.test('watches never stay for ever: who asks for a list and who renews a watcher gives them an hour', async t => {
      const { client, traces, store } = await given(t, server)
      const phone = { user: 'alice', device: 'phone' }
      await store.watches.list(phone)
      await store.watches.add('bob', { ...phone, at: 1 }, 0)
      t.strictSame((await traces()).names, [], 'neither a question nor a refusal leaves anything')
      await store.watches.put(phone, ['bob'])
      await store.watches.add('bob', { ...phone, at: 1 }, 1)
      const { names, ends } = await traces()
      t.strictSame(names, ['watchers:bob', 'watching:alice:phone'])
      t.ok(ends.every(end => end > Date.now() + 3_500_000))
      for (const key of await keysOf(client)) await client.pexpire(key, 60_000)
      await store.watches.list(phone)
      await store.watches.add('bob', { ...phone, at: 2 }, 1)
      t.ok(
        (await traces()).ends.every(end => end > Date.now() + 3_500_000),
        'renewed'
      )
      await store.watches.put(phone, [])
      await store.watches.remove('bob', phone)
      t.strictSame((await traces()).names, [])
    })
  })
}
