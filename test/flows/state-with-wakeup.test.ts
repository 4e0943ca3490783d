// On one Redis server the node where a party is connected gets each state with the event of its commit. The next request of the party is
// decided on this state, without a read.
import { Redis } from 'ioredis'
import t from 'tap'
import { startRedis } from '../helpers/redis.js'
import { Scenario } from '../helpers/scenario.js'
import { candidate, sdp } from '../helpers/sdp.js'
import { SETTINGS, TestCluster } from '../helpers/test-cluster.js'
import { until } from '../helpers/until.js'

const setting = SETTINGS.find(({ engine, nodes }) => engine === 'redis' && nodes === 2)
if (!setting) throw new Error('no such setting')
const server = await startRedis()
const cluster = await TestCluster.open(setting, {}, server)
const redis = new Redis(server.port)
t.teardown(async () => {
  redis.disconnect()
  await cluster.close()
  await server.stop()
})

/** A read of a call reads its outbox; no other command of this test reads a Redis stream. */
async function countReads(): Promise<number> {
  const [, count = '0'] = /cmdstat_xrange:calls=(\d+)/.exec(await redis.info('commandstats')) ?? []
  return Number(count)
}

t.test('neither node reads a call between them once it rings', async t => {
  const scenario = new Scenario(cluster)
  const [alice, bob] = await scenario.addAliceAndBob()
  await redis.config('RESETSTAT')
  await alice.post('calls', { callId: 'c1', to: 'bob' })
  await bob.expectEvent('call.incoming')
  await bob.post('calls/c1/accept')
  await alice.expectEvent('call.accepted')
  await alice.post('calls/c1/offer', { sdp: sdp('a1') })
  await bob.expectEvent('signal.offer')
  await bob.post('calls/c1/answer', { sdp: sdp('b1') })
  await alice.expectEvent('signal.answer')
  await alice.post('calls/c1/candidates', { candidates: [candidate(1)] })
  await bob.expectEvent('signal.candidates')
  await alice.post('calls/c1/connected')
  await bob.expectEvent('call.connected')
  t.equal(await countReads(), 0)
  await bob.post('calls/c1/hangup')
  await alice.expectEvent('call.ended')
  await alice.expectRefusal('call_ended', 'calls/c1/hold')
  await scenario.checkMailboxes(t)
  await scenario.closeStreams()
})

t.test('a small, live state is published to the nodes where a recipient is connected', async t => {
  const { store } = cluster
  const received: unknown[] = []
  const stop = store.wakeups.onCommit(({ id }, { version, tag, state }) =>
    received.push([id, version, tag, state.length])
  )
  let events = 0
  const unsubscribe = await store.wakeups.subscribe('carol', ({ kind }) => (events += kind === 'event' ? 1 : 0))
  const now = cluster.clock.now()
  await store.mailboxes.touch('carol', 'phone', {
    now,
    tag: 'birth',
    connection: 'c1',
    claim: true,
    onlineUntil: now + 9
  })
  const mail = [{ user: 'carol', entries: [{ type: 'x', envelope: '{}' }] }]
  const commit = (version: number, parts: object) =>
    store.aggregates.commit(
      { kind: 'call', id: 'c9' },
      {
        ...{ version, tag: `t${version}`, mail, log: [], deadlineAt: null, expireInMs: null, now, state: '' },
        expected: version === 1 ? null : { version: version - 1, tag: `t${version - 1}` },
        ...parts
      }
    )
  await commit(1, { state: '"1"' })
  await commit(2, { state: '"2"', mail: [] })
  await commit(3, { state: 'x'.repeat(8_193) })
  // Not so soon that it is gone before the next commit.
  await commit(4, { state: '"4"', expireInMs: 60_000 })
  await commit(5, { state: '"five"' })
  await until('the last commit has arrived', () => received.length === 2 && events === 4)
  t.same(received, [
    ['c9', 1, 't1', 3],
    ['c9', 5, 't5', 6]
  ])
  t.equal(events, 4)
  stop()
  await unsubscribe()
})
