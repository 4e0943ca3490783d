// On one server a commit is one script, which checks everything before it writes anything. Each test prepares one obstacle that is checked
// last, after checks that pass: no key changes, and nothing is published.
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import type { Commit, CommitResult } from '../../src/store/aggregate.js'
import { devicesKey, epochKeyOf, leasesKey, stateKey, wakeChannel } from '../../src/store/redis/keys.js'
import { toQueueAggregate } from '../../src/store/webhook-queues.js'
import { ManualClock } from '../helpers/clock.js'
import { startRedis } from '../helpers/redis.js'
import { openRedisStore } from '../helpers/store.js'
import { until } from '../helpers/until.js'
import { call, commitOf, connect, mail, mailTo, stamp } from './contract/fixtures.js'
import { newEvent, queueOf } from './contract/webhook-fixtures.js'
import { OPTIONS, type StoreFixture } from './contract.js'

const server = await startRedis()
const redis = new Redis(server.port)
const subscriber = new Redis(server.port)
const clock = new ManualClock()
const store = await openRedisStore(server.url, clock, OPTIONS)
t.teardown(async () => {
  redis.disconnect()
  subscriber.disconnect()
  await store.close()
  await server.stop()
})

const fixture: StoreFixture = { store, clock, options: OPTIONS, id: stem => stem }
const REF = call('c1')
const [ALICE, BOB] = ['alice', 'bob']
const published: string[] = []
subscriber.on('smessage', (_, message) => published.push(message))
await subscriber.ssubscribe(wakeChannel(ALICE))
await subscriber.ssubscribe(wakeChannel(BOB))

/** All keys with their values and expiry times. */
async function dump(): Promise<ReadonlyMap<string, string>> {
  const keys = (await redis.keys('*')).sort()
  const texts = keys.map(async key => {
    const [text, expiresAt] = await Promise.all([redis.dumpBuffer(key), redis.call('PEXPIRETIME', key)])
    return [key, `${expiresAt} ${text?.toString('base64')}`] as const
  })
  return new Map(await Promise.all(texts))
}

/** What was published since the last call. */
async function received(): Promise<readonly string[]> {
  await redis.call('SPUBLISH', wakeChannel(BOB), 'last')
  await until('the last message has arrived', () => published.includes('last'))
  return published.splice(0).filter(message => message !== 'last')
}

const lease = (peer: string, kind: 'active' | 'ringing') => ({
  lease: { holder: 'c1/alice/1', peer, kind, role: 'r', at: clock.now() },
  limits: { active: 1 }
})

/** A commit with an event, a claim and a keepalive for each user. The script reads alice's part first. */
const fullCommit = (parts: Partial<Commit> = {}): Commit =>
  commitOf(fixture, 1, {
    mail: [
      mailTo(ALICE, 'a', {
        claim: lease(BOB, 'active'),
        keepalive: { device: 'phone', authExpiresAt: null },
        release: 'old'
      }),
      {
        user: BOB,
        entries: [mail('b'), mail('c', { device: 'phone' })],
        claim: lease(ALICE, 'ringing'),
        keepalive: { device: 'phone', authExpiresAt: null }
      }
    ],
    deadlineAt: clock.now() + 30_000,
    expireInMs: 60_000,
    webhooks: [newEvent(1, { destinations: ['d1', 'd2'] })],
    ...parts
  })

async function prepare(): Promise<void> {
  await redis.flushall()
  for (const user of [ALICE, BOB]) await connect(fixture, user, 'phone', 'connection')
  await store.leases.take(ALICE, { holder: 'old', peer: 'dave', kind: 'ringing', role: 'r', at: 1 }, {})
  await store.aggregates.commit(REF, commitOf(fixture, 0, { deadlineAt: clock.now() + 9_000 }))
  clock.advance(1_000)
  await received()
}

interface Obstacle {
  readonly prepare?: () => Promise<unknown>
  readonly commit?: Partial<Commit>
  /** What the commit resolves to. Missing: it rejects. */
  readonly result?: Partial<CommitResult> | object
}

const OBSTACLES: Readonly<Record<string, Obstacle>> = {
  'another commit stands': {
    commit: { expected: stamp(1, 'other') },
    result: { ok: false, current: { version: 1, tag: 't1' } }
  },
  'the aggregate no longer exists': {
    prepare: () => redis.del(stateKey(REF)),
    result: { ok: false, current: null }
  },
  'the claim on the last user is refused': {
    prepare: () => store.leases.take(BOB, { holder: 'x', peer: 'carol', kind: 'active', role: 'r', at: 1 }, {}),
    result: { ok: false, refused: { user: BOB } }
  },
  'the device of the last user is not registered': {
    prepare: () => store.mailboxes.remove(BOB, 'phone'),
    result: { ok: false, unregistered: true }
  },
  'the device of the last user has expired': {
    prepare: async () => {
      clock.advance(OPTIONS.retentionMs + 1)
      await connect(fixture, ALICE, 'phone', 'connection')
    },
    result: { ok: false, unregistered: true }
  },
  'the device of the last user was last touched in another epoch': {
    prepare: () => redis.set(epochKeyOf(BOB), 'another'),
    result: { ok: false, unregistered: true }
  },
  'the script fails at the leases of the last user': { prepare: () => redis.set(leasesKey(BOB), 'no hash') },
  'the script fails at the last webhook queue': {
    prepare: () => redis.set(stateKey(toQueueAggregate(queueOf(REF, 'd2'))), 'no hash')
  },
  'the script fails at the devices of the last user': {
    prepare: async () => {
      await redis.del(devicesKey(BOB))
      await redis.set(devicesKey(BOB), 'no hash')
    }
  }
}

async function isUntouched(t: Test, { prepare: prepareObstacle, commit, result }: Obstacle): Promise<void> {
  await prepareObstacle?.()
  await received()
  const before = await dump()
  const done = store.aggregates.commit(REF, fullCommit(commit))
  if (result) t.match(await done, result)
  else await t.rejects(done)
  t.strictSame(await dump(), before)
  t.strictSame(await received(), [])
}

for (const [name, obstacle] of Object.entries(OBSTACLES)) {
  t.test(`nothing is written when ${name}`, async t => {
    await prepare()
    await isUntouched(t, obstacle)
  })
}

t.test('the same commit writes all of it when there is no obstacle', async t => {
  await prepare()
  const before = await dump()
  t.match(await store.aggregates.commit(REF, fullCommit()), { ok: true, isDelivered: true })
  const after = await dump()
  const changed = [...after].filter(([key, text]) => before.get(key) !== text).map(([key]) => key.replace(/{.*}:/, ''))
  t.strictSame(changed.sort(), [
    'sp:devices:alice',
    'sp:devices:bob',
    'sp:leases:alice',
    'sp:leases:bob',
    'sp:mailbox:alice:phone',
    'sp:mailbox:bob:phone',
    'sp:state:call:c1',
    'sp:state:webhook:d1/call/c1',
    'sp:state:webhook:d2/call/c1',
    'sp:timers:call',
    'sp:timers:webhook',
    'sp:timers:webhook:queues'
  ])
  t.equal((await received()).length, 2)
})
