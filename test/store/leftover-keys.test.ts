// Which keys are left in Redis, which no caller sees: the keys of a room expire together, and every other key has a TTL.
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { CALL_NOTES_MAX, DELIVERY_LOG } from '../../src/store/line-logs.js'
import type { RoomCommit } from '../../src/store/rooms.js'
import { CLAIM_TURNS } from '../../src/store/timers.js'
import { WEBHOOK_QUEUE_MS, WEBHOOK_START_MS } from '../../src/store/webhook-queues.js'
import { ManualClock } from '../helpers/clock.js'
import { type RedisServer, startRedis } from '../helpers/redis.js'
import { openRedisStore } from '../helpers/store.js'
import { until } from '../helpers/until.js'
import { appendAll, CLAIM, mailOf } from './contract/fixtures.js'

import { joinOf, nextBatch, publishItem, room, roomCommitOf, roomStamp } from './contract/room-fixtures.js'

import { eventOf, queueOf, queueSteps } from './contract/webhook-fixtures.js'
import { OPTIONS } from './contract.js'

/** Without the epochs, which each partition keeps. */
const keysOf = async (client: Redis) => (await client.keys('*')).filter(key => !key.endsWith(':epoch'))

async function openFixture(t: Test, server: RedisServer) {
  const clock = new ManualClock()
  const store = await openRedisStore(server.url, clock, OPTIONS)
  const client = new Redis(server.port)
  await client.flushall()
  t.teardown(async () => {
    client.disconnect()
    await store.close()
  })
  const fixture = { store, clock, options: OPTIONS, id: (stem: string) => stem }
  /** All keys, and when each expires. */
  const leftover = async () => {
    const keys = (await keysOf(client)).sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
    const ends = await Promise.all(keys.map(key => client.call('PEXPIRETIME', key)))
    return { names: keys.map(nameOf), ends: ends.map(Number) }
  }
  const commit = (parts: RoomCommit) => store.rooms.commit('r', parts)
  const settle = (version: number) => nextBatch(fixture, room('r'), { published: roomStamp(version) })
  return { fixture, store, client, leftover, commit, settle }
}

/** A key without the prefix of its partition. */
const nameOf = (key: string) => key.slice(key.indexOf(':', key.indexOf('}')) + 1)

const UNPUBLISHED = [
  'details:r',
  'log:r',
  'logids:r',
  'outbox:room:r',
  'participant:r',
  'state:room:r',
  'timers:room',
  'waiting'
]
const PUBLISHED = ['details:r', 'log:r', 'logids:r', 'participant:r', 'state:room:r']
const logEntry = { id: 'l', value: '1', keep: 9 }
/** Until a room expires. Long enough to read all its keys before that, also on a busy machine. */
const SOON_MS = 1_500

for (const cluster of [false, true]) {
  t.test(cluster ? 'a cluster' : 'a standalone Redis', async t => {
    const server = await startRedis({ cluster })
    t.teardown(() => server.stop())

    t.test('all keys of an ended room expire at once, after its log is published', async t => {
      const { fixture, leftover, commit, settle } = await openFixture(t, server)
      await commit(joinOf(fixture, 'alice', { logEntry, items: [publishItem(1)], deadlineAt: fixture.clock.now() }))
      t.strictSame((await leftover()).names, UNPUBLISHED)
      await commit(roomCommitOf(fixture, { expireInMs: SOON_MS, items: [publishItem(2)] }))
      const waiting = await leftover()
      t.strictSame(
        waiting.names,
        UNPUBLISHED.filter(name => name !== 'timers:room')
      )
      t.ok(waiting.ends.every(end => end === -1))
      await settle(1)
      t.ok((await leftover()).ends.every(end => end === -1))
      await settle(2)
      const published = await leftover()
      t.strictSame(published.names, PUBLISHED)
      t.ok(
        published.ends.every(end => end > 0 && end === published.ends[0]),
        'all at the same instant'
      )
      await settle(2)
      t.strictSame(await leftover(), published, 'another call changes nothing')
      await until('no key is left', async () => (await leftover()).names.length === 0)
    })

    t.test('all keys of an ended room without a log expire at once, also those that its last commit wrote', async t => {
      const { fixture, leftover, commit } = await openFixture(t, server)
      await commit(joinOf(fixture, 'alice', { logEntry, deadlineAt: fixture.clock.now(), expireInMs: SOON_MS }))
      const ended = await leftover()
      t.strictSame(ended.names, PUBLISHED)
      t.ok(ended.ends.every(end => end > 0 && end === ended.ends[0]))
      await until('no key is left', async () => (await leftover()).names.length === 0)
    })

    t.test('no key expires when a room begins again, or while an ended room has a log', async t => {
      const { fixture, leftover, commit, settle } = await openFixture(t, server)
      await commit(joinOf(fixture, 'alice', { logEntry, expireInMs: 60_000 }))
      await commit(roomCommitOf(fixture))
      t.ok(
        (await leftover()).ends.every(end => end === -1),
        'the room exists again'
      )
      await commit(roomCommitOf(fixture, { expireInMs: 60_000 }))
      await commit(roomCommitOf(fixture, { expireInMs: 60_000, items: [publishItem(4)] }))
      t.ok(
        (await leftover()).ends.every(end => end === -1),
        'an entry is not published'
      )
      await settle(4)
      t.ok((await leftover()).ends.every(end => end > 0))
    })

    t.test('refused commits and reads leave no key of a room that does not exist', async t => {
      const { fixture, leftover, commit, settle, store } = await openFixture(t, server)
      await commit(roomCommitOf(fixture, { reads: { a: roomStamp(1) }, logEntry, items: [publishItem(1)] }))
      await commit(joinOf(fixture, 'alice', { participantsMax: 0, logEntry, items: [publishItem(1)] }))
      await settle(0)
      await store.rooms.load('r', 'all')
      await store.rooms.log('r', { limit: 9 })
      await store.rooms.bringForward('r', fixture.clock.now())
      t.strictSame((await leftover()).names, [])
    })

    t.test('the last eight commits that a user has taken are remembered, with a TTL', async t => {
      const { fixture, client, leftover, store } = await openFixture(t, server)
      const commits = Array.from({ length: 20 }, (_, n) => mailOf(n + 1))
      await store.mailboxes.appendEach([{ user: 'bob', ...appendAll(commits) }], fixture.clock.now())
      const { names, ends } = await leftover()
      t.strictSame(names, ['taken:bob:call:some-call'])
      t.ok((ends[0] ?? 0) > Date.now())
      const [key = ''] = await keysOf(client)
      const newest = commits.slice(-8).reverse()
      t.equal(await client.get(key), newest.map(({ version, tag }) => `${version}:${tag}`).join(' '))
    })

    t.test('a webhook queue has a TTL that its newest event renews, and leaves nothing when it is empty', async t => {
      const { fixture, client, leftover, store } = await openFixture(t, server)
      const queue = queueOf({ kind: 'call', id: 'c1' })
      const { append, isDue, next, positionOfLast, postpone } = queueSteps(fixture)
      await append(queue, 1)
      const { names, ends } = await leftover()
      t.strictSame(names, ['state:webhook:d1/call/c1', 'timers:webhook', 'timers:webhook:queues'])
      t.ok((ends[0] ?? 0) > Date.now() + WEBHOOK_QUEUE_MS - 60_000)
      const [key = ''] = (await keysOf(client)).filter(each => each.includes('state'))
      await client.pexpire(key, 60_000)
      await next(queue)
      await postpone(queue, { retryIn: 0 })
      t.ok((await client.pttl(key)) <= 60_000, 'an attempt renews nothing')
      await append(queue, 2)
      t.ok((await client.pttl(key)) > WEBHOOK_QUEUE_MS - 60_000, 'renewed')
      await next(queue, { done: await positionOfLast(queue) })
      t.strictSame((await leftover()).names, [])
      await append(queue, 3)
      await next(queue)
      await postpone(queue, { retryIn: 3_600_000 })
      await client.del(key)
      await append(queue, 4)
      fixture.clock.advance(WEBHOOK_START_MS)
      t.ok(await isDue(queue), 'a new queue does not wait for the back-off of one that has expired')
      await client.del(key)
      fixture.clock.advance(CLAIM.claimMs)
      for (let turn = 0; turn < CLAIM_TURNS; turn++) await store.timers.claimDue({ ...CLAIM, now: fixture.clock.now() })
      t.strictSame(
        (await leftover()).names.filter(name => name !== 'nodes'),
        [],
        'the timers forget a queue that has expired'
      )
    })

    t.test('a webhook queue keeps no event that it has dropped', async t => {
      const { fixture, client } = await openFixture(t, server)
      const queue = queueOf({ kind: 'call', id: 'c1' })
      const { append, next } = queueSteps(fixture)
      const max = OPTIONS.webhookQueueMax ?? 0
      for (let version = 1; version <= max; version++) await append(queue, version)
      await next(queue)
      const [key = ''] = (await keysOf(client)).filter(each => each.includes('state'))
      const full = await client.hlen(key)
      await append(queue, max + 1, eventOf(max + 2, { expiresAt: 1 }))
      t.match(await next(queue), { dropped: 2 })
      t.equal(await client.hlen(key), full)
    })

    t.test('logs of lines have a TTL that each line renews', async t => {
      const { client, leftover, store } = await openFixture(t, server)
      await store.deliveryLog.add('d1', ['1'], DELIVERY_LOG)
      await store.callNotes.add('c1', ['1'], { max: CALL_NOTES_MAX, keepMs: 3_600_000 })
      const { names, ends } = await leftover()
      t.strictSame(names, ['delivery-log:d1', 'notes:c1'])
      t.ok(ends.every(end => end > Date.now() + 3_500_000))
      for (const key of await keysOf(client)) await client.pexpire(key, 60_000)
      await store.callNotes.add('c1', ['2'], { max: CALL_NOTES_MAX, keepMs: 3_600_000 })
      t.ok(((await leftover()).ends[1] ?? 0) > Date.now() + 3_500_000, 'renewed')
    })

    t.test('codes, used nonces, credentials, revocations and leads of issuers have a TTL', async t => {
      const { fixture, store, leftover, client } = await openFixture(t, server)
      const { deviceCredentials, revocations } = store
      const [owner, now] = [{ user: 'alice', device: 'camera' }, fixture.clock.now()]
      await deviceCredentials.putCode('digest', owner, 600_000)
      t.equal(await deviceCredentials.useNonce('nonce', 80_000), true)
      const credential = { expected: null, next: 'x', expiresAt: now + 3_600_000 }
      t.equal(await deviceCredentials.replace(owner, credential, { now, max: 256 }), 'written')
      const revoked = { ...owner, issuedAfter: now, kind: 'sign_out', at: now, expiresAt: now + 86_400_000 } as const
      await revocations.put(revoked, { max: 10 })
      await revocations.noteIssuerLead(20_000)
      const { names } = await leftover()
      t.strictSame(names, [
        ...['device-credential-expiries', 'device-credentials', 'enrollment-code:digest', 'issuer-leads'],
        ...['revocation-expiries', 'revocation-head', 'revocations', 'used-nonce:nonce']
      ])
      const most = [3_600_000, 3_600_000, 600_000, 3_600_000, 86_400_000, 86_400_000, 86_400_000, 80_000]
      for (const [i, key] of (await keysOf(client)).sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1)).entries()) {
        const ttl = await client.pttl(key)
        t.ok(ttl > 0 && ttl <= (most[i] ?? 0), `${key} expires in ${ttl} ms`)
      }
    })

    t.test('memberships have a TTL of a week, which each new membership renews', async t => {
      const { client, leftover, store } = await openFixture(t, server)
      const alice = { user: 'alice', device: 'phone', participantId: 'p1' }
      await store.memberships.add(alice, 'r1', { max: 9, now: 0 })
      const { names, ends } = await leftover()
      t.strictSame(names, ['memberships:alice'])
      const [key = ''] = await keysOf(client)
      t.ok((ends[0] ?? 0) > Date.now() + 6 * 86_400_000)
      await client.pexpire(key, 60_000)
      await store.memberships.add(alice, 'r2', { max: 9, now: 0 })
      t.ok((await client.pttl(key)) > 6 * 86_400_000, 'renewed')
      await store.memberships.remove(alice, 'r1')
      await store.memberships.remove(alice, 'r2')
      t.strictSame((await leftover()).names, [])
    })

    t.test('lists and watchers have a TTL of an hour, which reads and renewals renew', async t => {
      const { client, leftover, store } = await openFixture(t, server)
      const phone = { user: 'alice', device: 'phone' }
      await store.watches.list(phone)
      await store.watches.add('bob', { ...phone, at: 1 }, 0)
      t.strictSame((await leftover()).names, [], 'neither a read nor a refusal leaves a key')
      await store.watches.put(phone, ['bob'])
      await store.watches.add('bob', { ...phone, at: 1 }, 1)
      const { names, ends } = await leftover()
      t.strictSame(names, ['watchers:bob', 'watching:alice:phone'])
      t.ok(ends.every(end => end > Date.now() + 3_500_000))
      for (const key of await keysOf(client)) await client.pexpire(key, 60_000)
      await store.watches.list(phone)
      await store.watches.add('bob', { ...phone, at: 2 }, 1)
      t.ok(
        (await leftover()).ends.every(end => end > Date.now() + 3_500_000),
        'renewed'
      )
      await store.watches.put(phone, [])
      await store.watches.remove('bob', phone)
      t.strictSame((await leftover()).names, [])
    })
  })
}
