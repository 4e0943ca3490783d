// On a Cluster a commit takes several steps: leases, state and outbox, the append to each user's mailboxes, the trimming of the outbox. A
// node is killed after each step: the other node delivers what was committed in time, once and in order, and releases all leases. Caller, callee
// and call lie on a different primary each.
import t, { type Test } from 'tap'
import { partitionOf } from '../../src/store/partition.js'
import { leasesKey, NODES_KEY, stateKey } from '../../src/store/redis/keys.js'
import { Fleet } from '../helpers/fleet.js'
import { nameOn, startProxiedCluster } from '../helpers/proxied-cluster.js'
import { TestClient } from '../helpers/test-client.js'
import { until } from '../helpers/until.js'

const VICTIM = 0
const SURVIVOR = 1
/** See docs/architecture.md, "What a commit does". */
const DELIVERED_WITHIN_MS = 2_000
/** The test runs in real time, and the machine may be busy. */
const LATE_MS = 1_000

const cluster = await startProxiedCluster()
const fleet = await Fleet.launch(2, cluster)
t.teardown(() => fleet.stop())

interface Scene {
  readonly alice: TestClient
  readonly bob: TestClient
  /** Bob's other device. */
  readonly watch: TestClient
  readonly callId: string
}

let scenes = 0

async function openScene(): Promise<Scene> {
  const mark = `-${++scenes}-`
  const addClient = async (user: string, device: string) => {
    const client = await TestClient.create(fleet, { user, device, node: SURVIVOR })
    await client.openStream()
    return client
  }
  const [alice, bob] = [nameOn(0, `alice${mark}`), nameOn(1, `bob${mark}`)]
  return {
    alice: await addClient(alice, 'phone'),
    bob: await addClient(bob, 'laptop'),
    watch: await addClient(bob, 'watch'),
    callId: nameOn(2, `call${mark}`)
  }
}

// ── Scripts on their way from a node to Redis, recognized by their first keys ──

const next = '\\r\\n\\$\\d+\\r\\n\\S+'
const leaseOf = ({ user }: TestClient) => new RegExp(`\r\n1${next}:leases:${user}`)
const commitOf = (callId: string) => new RegExp(`:outbox:call:${callId}${next}:timers:call`)
const appendTo = ({ user }: TestClient, callId: string) => `:taken:${user}:call:${callId}`
const settleOf = (callId: string) => new RegExp(`:outbox:call:${callId}${next}:waiting`)

const at = (id: string) => cluster.primaryOf(partitionOf(id))
const holdLease = (of: TestClient) => at(of.user).proxy.hold(leaseOf(of))
const holdCommit = (callId: string) => at(callId).proxy.hold(commitOf(callId))
const holdAppend = (to: TestClient, callId: string) => at(to.user).proxy.hold(appendTo(to, callId))
const holdSettle = (callId: string) => at(callId).proxy.hold(settleOf(callId))

// ── Keys in Redis ──

const countLeases = ({ user }: TestClient) => at(user).client.hlen(leasesKey(user))

/** The TTL of the call; negative: none. */
const remainingMs = (callId: string) => at(callId).client.pttl(stateKey({ kind: 'call', id: callId }))

/** Outboxes, and the indexes of waiting outboxes. */
async function waitingKeys(): Promise<string[]> {
  const patterns = ['*:outbox:*', '*:waiting']
  const found = cluster.primaries.flatMap(({ client }) => patterns.map(pattern => client.keys(pattern)))
  return (await Promise.all(found)).flat()
}

/** The nodes that share the timers, with their last heartbeats. */
async function liveNodes(): Promise<ReadonlyMap<string, number>> {
  const flat = await cluster.primaryOf(0).client.zrange(NODES_KEY, '0', '-1', 'WITHSCORES')
  return new Map(flat.flatMap((name, i) => (i % 2 === 0 ? [[name, Number(flat[i + 1])] as const] : [])))
}

// ── Requests and failures ──

/** Sends a request to the victim. Resolves to the status, or to 'lost' if there is no reply. */
function postToVictim(client: TestClient, path: string, body?: object): Promise<number | 'lost'> {
  client.useNode(VICTIM)
  const reply = client.request('POST', path, body)
  client.useNode(SURVIVOR)
  return reply.then(
    ({ status }) => status,
    () => 'lost' as const
  )
}

let dead: readonly string[] = []

async function kill(): Promise<void> {
  dead = [...(await liveNodes()).keys()]
  await fleet.kill(VICTIM)
}

/** Starts another victim. Resolves when the two live nodes share all timers. */
async function startVictim(): Promise<void> {
  await fleet.start(VICTIM)
  const areTwo = (nodes: ReadonlyMap<string, number>) =>
    nodes.size === 2 && [...nodes.keys()].some(name => !dead.includes(name))
  await until('the two nodes share the timers', async () => areTwo(await liveNodes()))
  const since = await liveNodes()
  await until('both nodes have renewed their shares', async () => {
    const nodes = await liveNodes()
    return [...since].every(([name, at]) => (nodes.get(name) ?? 0) > at)
  })
}

async function isInTime(t: Test, since: number, outcome: Promise<unknown>): Promise<void> {
  await outcome
  const tookMs = Date.now() - since
  t.ok(tookMs < DELIVERED_WITHIN_MS + LATE_MS, `after ${tookMs} ms`)
}

/** Runs a test, and checks that no lease and no outbox is left, and that each device received every event once. */
function crashTest(name: string, run: (t: Test, scene: Scene) => Promise<void>): void {
  t.test(name, async t => {
    if (dead.length > 0) await startVictim()
    dead = []
    const scene = await openScene()
    await run(t, scene)
    const { alice, bob, watch } = scene
    await until('no lease is left', async () => (await countLeases(alice)) + (await countLeases(bob)) === 0)
    await until('no outbox is left', async () => (await waitingKeys()).length === 0)
    for (const client of [alice, bob, watch]) {
      t.same(await client.activeCalls(), [])
      await client.checkMailbox(t)
      await client.closeStream()
    }
  })
}

async function ring({ alice, bob, watch, callId }: Scene): Promise<void> {
  await alice.post('calls', { callId, to: bob.user })
  for (const client of [bob, watch]) await client.expectEvent('call.incoming')
}

async function answer(scene: Scene): Promise<void> {
  const { alice, bob, watch, callId } = scene
  await ring(scene)
  await bob.post(`calls/${callId}/accept`)
  await alice.expectEvent('call.accepted')
  await watch.expectEvent('call.ended')
}

async function cancel({ alice, bob, watch }: Scene, callId: string): Promise<void> {
  await alice.post(`calls/${callId}/cancel`)
  for (const client of [bob, watch]) await client.expectEvent('call.ended')
}

crashTest(
  'when the append of an accept is late, the next command delivers both commits in order, and the late append is dropped',
  async (t, scene) => {
    const { alice, bob, watch, callId } = scene
    await ring(scene)
    const held = holdAppend(alice, callId)
    const reply = postToVictim(bob, `calls/${callId}/accept`)
    const { release } = await held
    await bob.post(`calls/${callId}/hangup`)
    await alice.expectEvents('call.accepted', 'call.ended')
    await watch.expectEvent('call.ended')
    release()
    t.equal(await reply, 200)
  }
)

crashTest(
  'a create that fails between its two leases answers 503, and a retry creates the call at once',
  async (t, scene) => {
    const { alice, bob, watch, callId } = scene
    const held = holdLease(bob)
    const reply = postToVictim(alice, 'calls', { callId, to: bob.user })
    ;(await held).drop()
    t.equal(await reply, 503)
    t.match(await alice.post('calls', { callId, to: bob.user }), { resolution: 'created', delivery: { online: 2 } })
    for (const client of [bob, watch]) t.match(await client.expectEvent('call.incoming'), { callId })
    await cancel(scene, callId)
  }
)

crashTest(
  'when a node dies after the leases of a create, another call takes them over, and the first cannot be created any more',
  async (t, scene) => {
    const { alice, bob, watch, callId } = scene
    const held = holdCommit(callId)
    const reply = postToVictim(alice, 'calls', { callId, to: bob.user })
    await held
    await kill()
    t.equal(await reply, 'lost')
    t.same([await countLeases(alice), await countLeases(bob)], [1, 1])
    const since = Date.now()
    const second = `${callId}-second`
    await isInTime(t, since, alice.post('calls', { callId: second, to: bob.user }))
    for (const client of [alice, bob, watch])
      t.match(await client.expectEvent('call.ended'), { callId, reason: 'server' })
    for (const client of [bob, watch]) t.match(await client.expectEvent('call.incoming'), { callId: second })
    await alice.expectRefusal('call_ended', 'calls', { callId, to: bob.user })
    await cancel(scene, second)
  }
)

crashTest(
  'when a node dies after the commit of a create, the devices of the callee ring in time, once',
  async (t, scene) => {
    const { alice, bob, watch, callId } = scene
    const held = [holdAppend(alice, callId), holdAppend(bob, callId)]
    const reply = postToVictim(alice, 'calls', { callId, to: bob.user })
    await Promise.all(held)
    await kill()
    t.equal(await reply, 'lost')
    const since = Date.now()
    for (const client of [bob, watch]) await isInTime(t, since, client.expectEvent('call.incoming'))
    t.match(await alice.post('calls', { callId, to: bob.user }), { resolution: 'existing' })
    await cancel(scene, callId)
  }
)

crashTest(
  'when a node dies after the first of two appends of a hang-up, the peer receives `call.ended` in time and is no longer busy',
  async (t, scene) => {
    const { alice, bob, callId } = scene
    await answer(scene)
    const held = holdAppend(bob, callId)
    const reply = postToVictim(alice, `calls/${callId}/hangup`)
    await held
    await until('the event was appended for alice', async () => (await countLeases(alice)) === 0)
    await kill()
    t.equal(await reply, 'lost')
    await isInTime(t, Date.now(), bob.expectEvent('call.ended'))
    t.equal(await countLeases(bob), 0)
  }
)

crashTest(
  'when an append of an accept was lost and its node dies, the caller receives the accept in time',
  async (t, scene) => {
    const { alice, bob, watch, callId } = scene
    await ring(scene)
    const held = holdAppend(alice, callId)
    const reply = postToVictim(bob, `calls/${callId}/accept`)
    ;(await held).drop()
    t.equal(await reply, 200)
    await kill()
    await isInTime(t, Date.now(), alice.expectEvent('call.accepted'))
    await watch.expectEvent('call.ended')
    await alice.post(`calls/${callId}/hangup`)
    await bob.expectEvent('call.ended')
  }
)

crashTest(
  'when a node dies before it trimmed the outbox of a hang-up, no device receives the hang-up twice',
  async (t, scene) => {
    const { alice, bob, callId } = scene
    await answer(scene)
    const held = holdSettle(callId)
    t.equal(await postToVictim(alice, `calls/${callId}/hangup`), 200)
    await held
    await kill()
    await bob.expectEvent('call.ended')
    await until('the outbox is trimmed', async () => (await waitingKeys()).length === 0)
    t.ok((await remainingMs(callId)) > 0, 'the call expires')
  }
)
