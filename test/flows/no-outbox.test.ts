// On one Redis server a commit delivers its mail in the same step: calls never have an outbox there, and pairs of a room only until both joins
// are published. At the end only keys with an expiry remain.
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { startRedis } from '../helpers/redis.js'
import { join } from '../helpers/rooms.js'
import { Scenario } from '../helpers/scenario.js'
import { candidates, sdp } from '../helpers/sdp.js'
import type { TestClient } from '../helpers/test-client.js'
import { SETTINGS, TestCluster } from '../helpers/test-cluster.js'
import { until } from '../helpers/until.js'

const ONE_SECOND = '1000'
const BRIEF = { RETENTION_MS: ONE_SECOND, PRESENCE_TTL_MS: ONE_SECOND, HEARTBEAT_MS: ONE_SECOND, ROOM_LINGER_MS: '1' }
/** The reply of PTTL for a key without an expiry. */
const NO_EXPIRY = -1
/** The longest expiry: that of the commits that mailboxes have recorded, and of the budget of rooms in an hour. */
const LONGEST_MS = 2 * 3_600_000

const setting = SETTINGS.find(({ engine, nodes }) => engine === 'redis' && nodes === 2)
if (!setting) throw new Error('no such setting')
const server = await startRedis()
const cluster = await TestCluster.open(setting, BRIEF, server)
const redis = new Redis(server.port)
const subscriber = new Redis(server.port)
t.teardown(async () => {
  redis.disconnect()
  subscriber.disconnect()
  await cluster.close()
  await server.stop()
})

await redis.config('SET', 'notify-keyspace-events', 'KA')
const touched: string[] = []
subscriber.on('pmessage', (_pattern, channel) => touched.push(channel))
await subscriber.psubscribe('__keyspace@0__:*:outbox:*')

/** The outboxes that were written or removed up to now. */
async function touchedOutboxes(): Promise<string[]> {
  const mark = 'sp:mark:outbox:mark'
  await redis.set(mark, '')
  await until('the mark is reported', () => touched.some(channel => channel.endsWith(mark)))
  await redis.del(mark)
  await until('its deletion is reported', () => touched.filter(channel => channel.endsWith(mark)).length === 2)
  return touched.splice(0).filter(channel => !channel.endsWith(mark))
}

const waitingKeys = async () => [...(await redis.keys('*outbox*')), ...(await redis.keys('*:waiting'))]

function test(name: string, run: (t: Test, scenario: Scenario) => Promise<void>): void {
  t.test(name, async t => {
    const scenario = new Scenario(cluster)
    try {
      await run(t, scenario)
      await scenario.checkMailboxes(t)
    } finally {
      await scenario.closeStreams()
    }
  })
}

const expectFromAll = async (clients: readonly TestClient[], type: string) => {
  for (const client of clients) await client.expectEvent(type)
}

test('a whole call has no outbox at any time', async (t, scenario) => {
  const [alice, bob] = await scenario.addAliceAndBob()
  const watch = await scenario.addClient('bob', 'watch')
  await alice.post('calls', { callId: 'c1', to: 'bob' })
  await expectFromAll([bob, watch], 'call.incoming')
  await bob.post('calls/c1/ringing')
  await alice.expectEvent('call.ringing')
  await bob.post('calls/c1/accept')
  await alice.expectEvent('call.accepted')
  await watch.expectEvent('call.ended')
  await alice.post('calls/c1/offer', { sdp: sdp('aliceA') })
  await bob.expectEvent('signal.offer')
  await bob.post('calls/c1/answer', { sdp: sdp('bobB') })
  await alice.expectEvent('signal.answer')
  await alice.post('calls/c1/candidates', { candidates: candidates(2, 'aliceA') })
  await bob.expectEvent('signal.candidates')
  await alice.post('calls/c1/connected')
  await bob.expectEvent('call.connected')
  await bob.post('calls/c1/hangup')
  await alice.expectEvent('call.ended')
  t.same([await touchedOutboxes(), await waitingKeys()], [[], []])
})

test('a call that ends early, is refused, or is merged into another has no outbox', async (t, scenario) => {
  const [alice, bob] = await scenario.addAliceAndBob()
  const carol = await scenario.addClient('carol', 'phone')
  await alice.post('calls', { callId: 'cancelled', to: 'bob' })
  await bob.expectEvent('call.incoming')
  await alice.post('calls/cancelled/cancel')
  await bob.expectEvent('call.ended')
  await alice.post('calls/ahead/cancel')
  t.match(await alice.post('calls', { callId: 'ahead', to: 'bob' }), { resolution: 'existing' })

  await alice.post('calls', { callId: 'rejected', to: 'bob' })
  await bob.expectEvent('call.incoming')
  await bob.post('calls/rejected/reject', { scope: 'user' })
  await alice.expectEvent('call.ended')

  await alice.post('calls', { callId: 'first', to: 'bob' })
  await bob.expectEvent('call.incoming')
  t.match(await bob.post('calls', { callId: 'crossing', to: 'alice' }), { resolution: 'merged' })
  await alice.expectEvent('call.accepted')
  await carol.expectRefusal('callee_busy', 'calls', { callId: 'busy', to: 'bob' })
  await alice.expectRefusal('caller_busy', 'calls', { callId: 'other', to: 'carol' })
  await bob.post('calls/first/hangup')
  await alice.expectEvent('call.ended')

  await alice.post('calls', { callId: 'unanswered', to: 'bob' })
  await bob.expectEvent('call.incoming')
  await scenario.advance(scenario.config.ringTimeoutMs + 1_000)
  await expectFromAll([alice, bob], 'call.ended')
  t.same([await touchedOutboxes(), await waitingKeys()], [[], []])
})

test('a pair of a room has no outbox once both joins are published', async (t, scenario) => {
  const [alice, bob] = await scenario.addAliceAndBob()
  const [one, two] = [await join(alice, 'r1'), await join(bob, 'r1')]
  await alice.post('rooms/r1/offer', { to: two.id, sdp: sdp('aliceA') })
  await alice.expectEvent('room.participant_joined')
  await bob.expectEvent('signal.offer')
  await until('all joins are published', async () => (await waitingKeys()).length === 0)
  t.ok((await touchedOutboxes()).length > 0, 'the joins used outboxes')
  await bob.post('rooms/r1/answer', { to: one.id, sdp: sdp('bobB') })
  await alice.expectEvent('signal.answer')
  await bob.post('rooms/r1/candidates', { to: one.id, candidates: candidates(2, 'bobB') })
  await alice.expectEvent('signal.candidates')
  t.same(await touchedOutboxes(), [])
  await bob.request('DELETE', `rooms/r1/participants/${two.id}`)
  await alice.expectEvent('room.participant_left')
  await alice.request('DELETE', `rooms/r1/participants/${one.id}`)
  await until('the end is published', async () => (await waitingKeys()).length === 0)
})

t.test('after the end of all calls and rooms each key has an expiry', async t => {
  const keys = async () => (await redis.keys('sp:*')).filter(key => !key.endsWith(':epoch'))
  const remainingMs = async () => Promise.all((await keys()).map(key => redis.pttl(key)))
  await until('each key has an expiry', async () => {
    await cluster.advance(cluster.config.retentionMs)
    return (await remainingMs()).every(ms => ms !== NO_EXPIRY)
  })
  await until('calls, pairs and rooms are gone', async () => {
    // The tombstone of an early cancel is kept for two minutes.
    const found = (await keys()).filter(key => /:(state|log|member):/.test(key))
    return found.every(key => key.includes(':state:call:ahead'))
  })
  t.ok(Math.max(...(await remainingMs())) <= LONGEST_MS)
})
