// On a Cluster a commit takes several steps: leases, state and outbox, the append to each user's mailboxes, the trimming of the outbox. A
// node is killed after each of them, on a Cluster of three primaries: what was committed is delivered in time by the node that is left, once
// and in order, and no lease stays. Caller, callee and call lie on a primary each.
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
/** Time is real here, and the machine may be busy. */
const LATE_MS = 1_000

const cluster = await startProxiedCluster()
const fleet = await Fleet.launch(2, cluster)
t.teardown(() => fleet.sink())

interface Scene {
  readonly alice: TestClient
  readonly bob: TestClient
  /** Bob's other device. */
  readonly watch: TestClient
  readonly callId: string
}

let scenes = 0

async function enter(): Promise<Scene> {
  const mark = `-${++scenes}-`
  const enterOne = async (user: string, device: string) => {
    const client = await TestClient.create(fleet, { user, device, node: SURVIVOR })
    await client.openStream()
    return client
  }
  const [alice, bob] = [nameOn(0, `alice${mark}`), nameOn(1, `bob${mark}`)]
  return {
    alice: await enterOne(alice, 'phone'),
    bob: await enterOne(bob, 'laptop'),
    watch: await enterOne(bob, 'watch'),
    callId: nameOn(2, `call${mark}`)
  }
}

// ── What a node sends: scripts are told apart by the keys they begin with ──

const next = '\\r\\n\\$\\d+\\r\\n\\S+'
const leaseOf = ({ user }: TestClient) => new RegExp(`\r\n1${next}:leases:${user}`)
const commitOf = (callId: string) => new RegExp(`:outbox:call:${callId}${next}:timers:call`)
const appendTo = ({ user }: TestClient, callId: string) => `:taken:${user}:call:${callId}`
const settleOf = (callId: string) => new RegExp(`:outbox:call:${callId}${next}:pending`)

const at = (id: string) => cluster.primaryOf(partitionOf(id))
const holdLease = (of: TestClient) => at(of.user).proxy.hold(leaseOf(of))
const holdCommit = (callId: string) => at(callId).proxy.hold(commitOf(callId))
const holdAppend = (to: TestClient, callId: string) => at(to.user).proxy.hold(appendTo(to, callId))
const holdSettle = (callId: string) => at(callId).proxy.hold(settleOf(callId))

// ── What is kept ──

const countLeases = ({ user }: TestClient) => at(user).client.hlen(leasesKey(user))

/** How long the call is kept; negative: for good. */
const remainingMs = (callId: string) => at(callId).client.pttl(stateKey({ kind: 'call', id: callId }))

/** Outboxes, and the indexes that list them. */
async function waitingKeys(): Promise<string[]> {
  const patterns = ['*:outbox:*', '*:pending']
  const found = cluster.primaries.flatMap(({ client }) => patterns.map(pattern => client.keys(pattern)))
  return (await Promise.all(found)).flat()
}

/** The nodes that share the timers, and when each was last seen. */
async function liveNodes(): Promise<ReadonlyMap<string, number>> {
  const flat = await cluster.primaryOf(0).client.zrange(NODES_KEY, '0', '-1', 'WITHSCORES')
  return new Map(flat.flatMap((name, i) => (i % 2 === 0 ? [[name, Number(flat[i + 1])] as const] : [])))
}

// ── What happens ──

/** Asks the victim. Resolves to the status of the answer, or to 'lost' when none came. */
function askVictim(client: TestClient, path: string, body?: object): Promise<number | 'lost'> {
  client.useNode(VICTIM)
  const asked = client.request('POST', path, body)
  client.useNode(SURVIVOR)
  return asked.then(
    ({ status }) => status,
    () => 'lost' as const
  )
}

let dead: readonly string[] = []

async function kill(): Promise<void> {
  dead = [...(await liveNodes()).keys()]
  await fleet.kill(VICTIM)
}

/** Starts another victim; from then on the two share all timers, and the one that died has no part in them. */
async function revive(): Promise<void> {
  await fleet.start(VICTIM)
  const areTwo = (nodes: ReadonlyMap<string, number>) =>
    nodes.size === 2 && [...nodes.keys()].some(name => !dead.includes(name))
  await until('the two nodes share the timers', async () => areTwo(await liveNodes()))
  const since = await liveNodes()
  await until('both know it', async () => {
    const nodes = await liveNodes()
    return [...since].every(([name, at]) => (nodes.get(name) ?? 0) > at)
  })
}

async function isInTime(t: Test, since: number, happens: Promise<unknown>): Promise<void> {
  await happens
  const tookMs = Date.now() - since
  t.ok(tookMs < DELIVERED_WITHIN_MS + LATE_MS, `after ${tookMs} ms`)
}

/** A story at whose end the call is over: nobody holds a lease, no outbox is left, and everybody received everything once. */
function story(name: string, play: (t: Test, scene: Scene) => Promise<void>): void {
  t.test(name, async t => {
    if (dead.length > 0) await revive()
    dead = []
    const scene = await enter()
    await play(t, scene)
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
  for (const his of [bob, watch]) await his.expectEvent('call.incoming')
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
  for (const his of [bob, watch]) await his.expectEvent('call.ended')
}

story(
  'an accept whose append is late: the next command delivers both in order, and what comes late is dropped',
  async (t, scene) => {
    const { alice, bob, watch, callId } = scene
    await ring(scene)
    const held = holdAppend(alice, callId)
    const asked = askVictim(bob, `calls/${callId}/accept`)
    const { release } = await held
    await bob.post(`calls/${callId}/hangup`)
    await alice.expectEvents('call.accepted', 'call.ended')
    await watch.expectEvent('call.ended')
    release()
    t.equal(await asked, 200)
  }
)

story('a create, cut off between its two leases: it fails, and a retry makes the call at once', async (t, scene) => {
  const { alice, bob, watch, callId } = scene
  const held = holdLease(bob)
  const asked = askVictim(alice, 'calls', { callId, to: bob.user })
  ;(await held).drop()
  t.equal(await asked, 503)
  t.match(await alice.post('calls', { callId, to: bob.user }), { resolution: 'created', delivery: { online: 2 } })
  for (const his of [bob, watch]) t.match(await his.expectEvent('call.incoming'), { callId })
  await cancel(scene, callId)
})

story(
  'a create, killed after its leases: another call takes them over, and the first can never be made',
  async (t, scene) => {
    const { alice, bob, watch, callId } = scene
    const held = holdCommit(callId)
    const asked = askVictim(alice, 'calls', { callId, to: bob.user })
    await held
    await kill()
    t.equal(await asked, 'lost')
    t.same([await countLeases(alice), await countLeases(bob)], [1, 1])
    const since = Date.now()
    const second = `${callId}-second`
    await isInTime(t, since, alice.post('calls', { callId: second, to: bob.user }))
    for (const client of [alice, bob, watch])
      t.match(await client.expectEvent('call.ended'), { callId, reason: 'server' })
    for (const his of [bob, watch]) t.match(await his.expectEvent('call.incoming'), { callId: second })
    await alice.expectRefusal('call_ended', 'calls', { callId, to: bob.user })
    await cancel(scene, second)
  }
)

story('a create, killed after its commit: the callee rings in time, once', async (t, scene) => {
  const { alice, bob, watch, callId } = scene
  const held = [holdAppend(alice, callId), holdAppend(bob, callId)]
  const asked = askVictim(alice, 'calls', { callId, to: bob.user })
  await Promise.all(held)
  await kill()
  t.equal(await asked, 'lost')
  const since = Date.now()
  for (const his of [bob, watch]) await isInTime(t, since, his.expectEvent('call.incoming'))
  t.match(await alice.post('calls', { callId, to: bob.user }), { resolution: 'existing' })
  await cancel(scene, callId)
})

story(
  'a hang-up, killed after the first of two appends: the peer receives it in time, and is free',
  async (t, scene) => {
    const { alice, bob, callId } = scene
    await answer(scene)
    const held = holdAppend(bob, callId)
    const asked = askVictim(alice, `calls/${callId}/hangup`)
    await held
    await until('hers was appended', async () => (await countLeases(alice)) === 0)
    await kill()
    t.equal(await asked, 'lost')
    await isInTime(t, Date.now(), bob.expectEvent('call.ended'))
    t.equal(await countLeases(bob), 0)
  }
)

story(
  'an accept, acknowledged though an append was lost, then killed: the caller receives it in time',
  async (t, scene) => {
    const { alice, bob, watch, callId } = scene
    await ring(scene)
    const held = holdAppend(alice, callId)
    const asked = askVictim(bob, `calls/${callId}/accept`)
    ;(await held).drop()
    t.equal(await asked, 200)
    await kill()
    await isInTime(t, Date.now(), alice.expectEvent('call.accepted'))
    await watch.expectEvent('call.ended')
    await alice.post(`calls/${callId}/hangup`)
    await bob.expectEvent('call.ended')
  }
)

story(
  'a hang-up, acknowledged and killed before its outbox was trimmed: nobody receives it twice',
  async (t, scene) => {
    const { alice, bob, callId } = scene
    await answer(scene)
    const held = holdSettle(callId)
    t.equal(await askVictim(alice, `calls/${callId}/hangup`), 200)
    await held
    await kill()
    await bob.expectEvent('call.ended')
    await until('it is trimmed', async () => (await waitingKeys()).length === 0)
    t.ok((await remainingMs(callId)) > 0, 'and the call expires')
  }
)
