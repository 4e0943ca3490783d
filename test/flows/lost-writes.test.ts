// Redis forgets what it acknowledged, as in a failover, and the nodes go on with what they remember (G9). Each story takes place on
// two nodes, and some keys are set back in the middle of it: on a Cluster, where those of a call and of its users lie apart, also some alone
// that one server would set back together.
import t, { type Test } from 'tap'
import { forgetKeys, rememberKeys } from '../helpers/lost-keys.js'
import { startRedis } from '../helpers/redis.js'
import { Scenario } from '../helpers/scenario.js'
import { candidate, sdp } from '../helpers/sdp.js'
import type { TestClient } from '../helpers/test-client.js'
import { SETTINGS, TestCluster } from '../helpers/test-cluster.js'

interface Talk {
  readonly scenario: Scenario
  readonly alice: TestClient
  readonly bob: TestClient
  /** Remembers keys of this story by a part of their name; the returned function sets them back. */
  remember(name: string): Promise<() => Promise<void>>
  /** Takes the keys away. */
  forget(name: string): Promise<void>
}

/** A lease without a call is left alone for as long as its create may be at work. */
const STALLED_MS = 2_500

/** A live call is checked twice in PRESENCE_TTL_MS; a deadline may be a second late. A call that was accepted is not connecting for as long. */
const checkedWithin = ({ config }: Scenario) => config.presenceTtlMs / 2 + 2_000

/** A membership that is so young may announce a join that is under way. */
const JOINING_MS = 10_500

const TWO_NODES = SETTINGS.filter(({ engine, nodes }) => engine === 'redis' && nodes === 2)

async function openCluster(isCluster: boolean) {
  const [setting] = TWO_NODES
  if (!setting) throw new Error('there is such a setting')
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

/** Alice at one node and bob at the other are in a call, connected: it stands at version 5. */
function talk(name: string, story: (t: Test, talk: Talk) => Promise<void>, clusters = [oneServer, redisCluster]): void {
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
      const remember = (part: string) => rememberKeys(url, `*${part}*${scenario.toWire('')}`)
      const forget = (part: string) => forgetKeys(url, `*${part}*${scenario.toWire('')}`)
      try {
        await story(t, { scenario, alice, bob, remember, forget })
        await scenario.checkMailboxes(t)
      } finally {
        await scenario.closeStreams()
      }
    }
  })
}

const oneCandidate = (n: number) => ({ candidates: [candidate(n)] })

/** Sends a candidate; the version that it reaches the other with. */
async function trickle(from: TestClient, to: TestClient, n: number): Promise<unknown> {
  await from.post('calls/c1/candidates', oneCandidate(n))
  return (await to.expectEvent('signal.candidates')).version
}

talk(
  'a call that was ended on another history takes no commit of a node with the old one',
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

talk(
  'an end that Redis forgot stands, and is received once',
  async (t, { scenario, alice, bob, remember }) => {
    const forget = await remember('state:call:c1')
    await bob.post('calls/c1/hangup')
    await alice.expectEvent('call.ended')
    await forget()
    // Through the other node, which does not know of the end.
    bob.useNode(0)
    alice.useNode(scenario.lastNode)
    await alice.expectRefusal('call_ended', 'calls/c1/candidates', oneCandidate(1))
    await bob.expectRefusal('call_ended', 'calls/c1/hold')
    t.same([await alice.activeCalls(), await bob.activeCalls()], [[], []])
  },
  [redisCluster]
)

talk(
  'a call that Redis forgot as a whole ends for both as soon as a device of one of them arrives',
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

talk('a lease that Redis forgot while its call lives is taken again', async (t, { scenario, alice, bob, forget }) => {
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
})

talk(
  'a call whose lease Redis forgot goes on beside another one that has taken its slot',
  async (t, { scenario, alice, bob, forget }) => {
    const carol = await scenario.addClient('carol', 'phone')
    await forget('leases:bob')
    await carol.post('calls', { callId: 'c2', to: 'bob' })
    await bob.expectEvent('call.incoming')
    await bob.post('calls/c2/accept')
    await carol.expectEvent('call.accepted')
    await scenario.advance(checkedWithin(scenario))
    t.same([await alice.activeCalls(), await bob.activeCalls()], [['c1'], ['c2']])
    await carol.post('calls/c2/hangup')
    await bob.expectEvent('call.ended')
    await scenario.advance(checkedWithin(scenario))
    t.same([await alice.activeCalls(), await bob.activeCalls()], [['c1'], ['c1']])
    await bob.post('calls/c1/hangup')
    await alice.expectEvent('call.ended')
  }
)

talk('a call that rings is taken up again, too', async (t, { scenario, alice, bob, forget }) => {
  await alice.post('calls/c1/hangup')
  await bob.expectEvent('call.ended')
  await alice.post('calls', { callId: 'c2', to: 'bob' })
  await bob.expectEvent('call.incoming')
  await forget('leases:bob')
  t.same(await bob.activeCalls(), [])
  const watch = await scenario.addClient('bob', 'watch', { silent: true })
  // A device of the caller that goes has the call looked at.
  await alice.closeStream()
  await scenario.advance(scenario.config.awayAfterMs + 1_000)
  t.same(await watch.activeCalls(), ['c2'])
  await alice.openStream()
  await alice.post('calls/c2/cancel')
  await bob.expectEvent('call.ended')
})

talk(
  'candidates of one side never go back to an older version, whichever node they are sent through',
  async (t, { scenario, alice, bob }) => {
    await alice.post('calls/c1/offer', { sdp: sdp('a2') })
    await bob.expectEvent('signal.offer')
    // This commit is addressed to alice alone: her node has an older copy of the call, and bob's mailbox must know.
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

for (const forgotten of ['state:call:c1', 'taken:']) {
  talk(
    `signaling works again at once when Redis forgot the ${forgotten} of the last version`,
    async (t, { scenario, alice, bob, remember }) => {
      const forget = await remember(forgotten)
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
        `versions ${versions} never go back`
      )
      await bob.post('calls/c1/hangup')
      t.match(await alice.expectEvent('call.ended'), { reason: 'hangup' })
    },
    [redisCluster]
  )
}

t.test('who was forgotten by a room is shown by nobody, once their device arrives', async t => {
  for (const { cluster, url } of [oneServer, redisCluster]) {
    const scenario = new Scenario(cluster)
    const [alice, bob] = await scenario.addAliceAndBob()
    await alice.post('rooms/r1/participants')
    // All keys of the room. `taken:` lists the commits of the room that alice's mailboxes have taken, and stays.
    const forget = await rememberKeys(url, `*}:[^t]*r1${scenario.toWire('')}`)
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
})
