// Redis loses acknowledged writes, as in a failover, while the caches of the nodes still have them (G9). Each test runs on two nodes and sets
// some keys back. On a Cluster, where the keys of a call and of its users lie in different slots, some are set back alone.
import t, { type Test } from 'tap'
import { deleteKeys, saveKeys } from '../helpers/lost-keys.js'
import { startRedis } from '../helpers/redis.js'
import { Scenario } from '../helpers/scenario.js'
import { candidate, sdp } from '../helpers/sdp.js'
import type { TestClient } from '../helpers/test-client.js'
import { SETTINGS, TestCluster } from '../helpers/test-cluster.js'

interface ConnectedCall {
  readonly scenario: Scenario
  readonly alice: TestClient
  readonly bob: TestClient
  /** Remembers the keys of this test with this part in their names. The returned function sets them back. */
  remember(name: string): Promise<() => Promise<void>>
  /** Deletes the keys. */
  forget(name: string): Promise<void>
}

/** A lease without a call is not released before, because its create may still be running. */
const STALLED_MS = 2_500

/** A live call is checked twice in PRESENCE_TTL_MS, and a deadline may be a second late. */
const checkedWithin = ({ config }: Scenario) => config.presenceTtlMs / 2 + 2_000

/** A younger membership may belong to a join that is still running. */
const JOINING_MS = 10_500

const TWO_NODES = SETTINGS.filter(({ engine, nodes }) => engine === 'redis' && nodes === 2)

async function openCluster(isCluster: boolean) {
  const [setting] = TWO_NODES
  if (!setting) throw new TypeError('no such setting')
  const server = await startRedis({ cluster: isCluster })
  const cluster = await TestCluster.open(setting, {}, server)
  t.teardown(async () => {
    await cluster.close()
    await server.stop()
  })
  return { cluster, url: `redis://127.0.0.1:${server.port}` }
}

const oneServer = await openCluster(false)
const redisCluster = await openCluster(true)

/** Runs a test on one server and on a Cluster. Alice at one node and bob at the other are in a connected call, at version 5. */
function callTest(
  name: string,
  run: (t: Test, call: ConnectedCall) => Promise<void>,
  clusters = [oneServer, redisCluster]
): void {
  t.test(name, async t => {
    for (const { cluster, url } of clusters) {
      const scenario = new Scenario(cluster)
      const [alice, bob] = await scenario.addAliceAndBob()
      await alice.post('calls', { callId: 'c1', to: 'bob' })
      await bob.expectEvent('call.incoming')
      await bob.post('calls/c1/accept')
      await alice.expectEvent('call.accepted')
      await alice.post('calls/c1/offer', { sdp: sdp('a1') })
      await bob.expectEvent('signal.offer')
      await bob.post('calls/c1/answer', { sdp: sdp('b1') })
      await alice.expectEvent('signal.answer')
      await alice.post('calls/c1/connected')
      await bob.expectEvent('call.connected')
      const remember = (part: string) => saveKeys(url, `*${part}*${scenario.toKey('')}`)
      const forget = (part: string) => deleteKeys(url, `*${part}*${scenario.toKey('')}`)
      try {
        await run(t, { scenario, alice, bob, remember, forget })
        await scenario.checkMailboxes(t)
      } finally {
        await scenario.closeStreams()
      }
    }
  })
}

const oneCandidate = (n: number) => ({ candidates: [candidate(n)] })

/** Sends a candidate. Resolves to the version of the event that the peer receives. */
async function trickle(from: TestClient, to: TestClient, n: number): Promise<unknown> {
  await from.post('calls/c1/candidates', oneCandidate(n))
  return (await to.expectEvent('signal.candidates')).version
}

callTest(
  'a call that ended after a failover is not changed by a node that has a later, lost version',
  async (t, { alice, bob, remember }) => {
    const forget = await remember('state:call:c1')
    await alice.post('calls/c1/hold')
    t.match(await bob.expectEvent('call.held'), { version: 6 })
    await forget()
    await bob.post('calls/c1/hangup')
    t.match(await alice.expectEvent('call.ended'), { version: 6, reason: 'hangup' })
    const refused = await alice.expectRefusal('call_ended', 'calls/c1/offer', { sdp: sdp('a2') })
    t.match(refused, { version: 6 })
    t.same([await alice.activeCalls(), await bob.activeCalls()], [[], []])
  }
)

callTest(
  'an end that Redis has lost stands, and is received once',
  async (t, { scenario, alice, bob, remember }) => {
    const forget = await remember('state:call:c1')
    await bob.post('calls/c1/hangup')
    await alice.expectEvent('call.ended')
    await forget()
    // The other node's cache does not have the end.
    bob.useNode(0)
    alice.useNode(scenario.lastNode)
    await alice.expectRefusal('call_ended', 'calls/c1/candidates', oneCandidate(1))
    await bob.expectRefusal('call_ended', 'calls/c1/hold')
    t.same([await alice.activeCalls(), await bob.activeCalls()], [[], []])
  },
  [redisCluster]
)

callTest(
  'a call that Redis has lost ends for both users once a device of one of them connects',
  async (t, { scenario, alice, bob, forget }) => {
    await forget('call:c1')
    await alice.openStream()
    await scenario.advance(STALLED_MS)
    for (const client of [alice, bob])
      t.match(await client.expectEvent('call.ended'), { callId: 'c1', reason: 'server' })
    await alice.post('calls', { callId: 'c2', to: 'bob' })
    await bob.expectEvent('call.incoming')
  }
)

callTest(
  'a lease that Redis has lost is taken again while its call is live',
  async (t, { scenario, alice, bob, forget }) => {
    const carol = await scenario.addClient('carol', 'phone')
    for (const [client, other] of [
      [alice, bob],
      [bob, alice]
    ] as const) {
      await forget(`leases:${client.user}`)
      t.same([await client.activeCalls(), await other.activeCalls()], [[], ['c1']])
      await scenario.advance(checkedWithin(scenario))
      t.same([await client.activeCalls(), await other.activeCalls()], [['c1'], ['c1']])
      await carol.expectRefusal('callee_busy', 'calls', { callId: `to-${client.user}`, to: client.user })
    }
    await alice.post('calls/c1/hangup')
    await bob.expectEvent('call.ended')
    for (const { user } of [alice, bob]) t.same(await scenario.store.leases.list(scenario.toWire(user)), [])
  }
)

callTest(
  'a call whose lease Redis has lost goes on beside another call that has taken its slot',
  async (t, { scenario, alice, bob, forget }) => {
    const carol = await scenario.addClient('carol', 'phone')
    await forget('leases:bob')
    await carol.post('calls', { callId: 'c2', to: 'bob' })
    await bob.expectEvent('call.incoming')
    await bob.post('calls/c2/accept')
    await carol.expectEvent('call.accepted')
    await scenario.advance(checkedWithin(scenario))
    t.same([await alice.activeCalls(), (await bob.activeCalls()).sort()], [['c1'], ['c1', 'c2']], 'bob is in both')
    await carol.post('calls/c2/hangup')
    await bob.expectEvent('call.ended')
    await scenario.advance(checkedWithin(scenario))
    t.same([await alice.activeCalls(), await bob.activeCalls()], [['c1'], ['c1']])
    await bob.post('calls/c1/hangup')
    await alice.expectEvent('call.ended')
  }
)

callTest('the lease of a ringing call is taken again, too', async (t, { scenario, alice, bob, forget }) => {
  await alice.post('calls/c1/hangup')
  await bob.expectEvent('call.ended')
  await alice.post('calls', { callId: 'c2', to: 'bob' })
  await bob.expectEvent('call.incoming')
  await forget('leases:bob')
  t.same(await bob.activeCalls(), [])
  const watch = await scenario.addClient('bob', 'watch', { silent: true })
  // The call is checked when a device of the caller is away.
  await alice.closeStream()
  await scenario.advance(scenario.config.awayAfterMs + 1_000)
  t.same(await watch.activeCalls(), ['c2'])
  await alice.openStream()
  await alice.post('calls/c2/cancel')
  await bob.expectEvent('call.ended')
})

callTest(
  'candidates never arrive with an older version than before, whichever node they are sent to',
  async (t, { scenario, alice, bob }) => {
    await alice.post('calls/c1/offer', { sdp: sdp('a2') })
    await bob.expectEvent('signal.offer')
    // Only alice gets an event of this commit. Her node has an older version in its cache, and bob's mailboxes must have recorded the commit.
    await bob.post('calls/c1/answer', { sdp: sdp('b2') })
    await alice.expectEvent('signal.answer')
    const versions: unknown[] = []
    for (let n = 1; n <= 6; n++) {
      alice.useNode(n % 2 === 0 ? 0 : scenario.lastNode)
      versions.push(await trickle(alice, bob, n))
    }
    t.same(versions, [7, 7, 7, 7, 7, 7])
  }
)

for (const lost of ['state:call:c1', 'taken:']) {
  callTest(
    `signaling works again at once when Redis has lost the last version in ${lost}`,
    async (t, { scenario, alice, bob, remember }) => {
      const forget = await remember(lost)
      await alice.post('calls/c1/hold')
      await bob.expectEvent('call.held')
      await forget()
      const versions: unknown[] = []
      for (let n = 1; n <= 3; n++) {
        bob.useNode(n % 2 === 0 ? 0 : scenario.lastNode)
        alice.useNode(n % 2 === 0 ? scenario.lastNode : 0)
        versions.push(await trickle(bob, alice, n), await trickle(alice, bob, n))
      }
      t.ok(
        versions.every((version, i) => Number(version) >= Number(versions[i - 1] ?? 6)),
        `versions ${versions} never decrease`
      )
      await bob.post('calls/c1/hangup')
      t.match(await alice.expectEvent('call.ended'), { reason: 'hangup' })
    },
    [redisCluster]
  )
}

t.test(
  'when a room has forgotten a participant, all devices receive `room.participant_left` once the participant’s device connects',
  async t => {
    for (const { cluster, url } of [oneServer, redisCluster]) {
      const scenario = new Scenario(cluster)
      const [alice, bob] = await scenario.addAliceAndBob()
      await alice.post('rooms/r1/participants')
      // All keys of the room. `taken:` lists the commits of the room that alice's mailboxes have taken, and stays.
      const forget = await saveKeys(url, `*}:[^t]*r1${scenario.toKey('')}`)
      const { participantId } = await bob.post('rooms/r1/participants')
      t.match(await alice.expectEvent('room.participant_joined'), { participant: { participantId } })
      await forget()
      await bob.openStream()
      await scenario.advance(JOINING_MS)
      await bob.openStream()
      for (const client of [alice, bob]) {
        t.match(await client.expectEvent('room.participant_left'), { participantId, reason: 'lost' })
      }
      await scenario.closeStreams()
    }
  }
)
