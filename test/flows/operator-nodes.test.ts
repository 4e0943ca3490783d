// Nodes: an operator lists them, drains one and takes that back, from any node.
import assert from 'node:assert/strict'
import type { NodeView } from '../../src/schemas/admin-node.js'
import { operate, WITH_ADMIN } from '../helpers/operator.js'
import { flow, type Scenario } from '../helpers/scenario.js'
import { secretOf } from '../helpers/webhook-receiver.js'

const env = {
  ...{ ...WITH_ADMIN, DRAIN_SETTLE_MS: '3000', DRAIN_WINDOW_MS: '2000' },
  // With webhooks of its own the cluster has a Redis of its own, so no nodes of other tests are listed. None is sent.
  ...{
    WEBHOOK_URLS: 'http://127.0.0.1:9/nodes#chat.message',
    WEBHOOK_SECRETS: secretOf(1),
    WEBHOOK_ALLOW_PRIVATE: 'true'
  }
}
const own = { env, ownCluster: true }
/** An order arrives with the next report. */
const WITHIN_MS = 2_000

/** The clock of a new cluster has skipped some seconds: each node has to report again first. */
const reportAgain = (scenario: Scenario) => scenario.advance(1_000)

async function nodesOf(scenario: Scenario, node = 0): Promise<NodeView[]> {
  const { status, body } = await operate(scenario, 'GET', 'nodes', { node })
  assert.equal(status, 200)
  return body.nodes as NodeView[]
}

/** The id of a node, which says so itself. */
async function idOf(scenario: Scenario, node: number): Promise<string> {
  await reportAgain(scenario)
  return (await nodesOf(scenario, node)).find(({ self }) => self)?.nodeId ?? ''
}

const readiness = async (scenario: Scenario, node: number) => {
  const reply = await fetch(`${scenario.urlOf(node)}/readyz`)
  const { status, code } = (await reply.json()) as { status: string; code?: string }
  return code ?? status
}

const statesOf = async (scenario: Scenario) =>
  Object.fromEntries((await nodesOf(scenario)).map(({ nodeId, state, streams }) => [nodeId, `${state} ${streams}`]))

flow(
  'each node lists all of them, with their streams and polls, until one has ended or has not reported for five seconds',
  async (t, scenario) => {
    await scenario.addClient('alice', 'phone')
    await scenario.addClient('bob', 'laptop', { node: scenario.lastNode })
    await reportAgain(scenario)
    for (let node = 0; node <= scenario.lastNode; node++) {
      const nodes = await nodesOf(scenario, node)
      t.equal(nodes.length, scenario.lastNode + 1)
      t.equal(
        nodes.reduce((sum, { streams }) => sum + streams, 0),
        2
      )
      t.equal(nodes.filter(({ self }) => self).length, 1)
      t.match(nodes[0], { state: 'ready', version: /^\d+\.\d+/, host: /./, polls: 0 })
    }
    const added = await scenario.cluster.addNode()
    await scenario.cluster.settle()
    t.equal((await nodesOf(scenario)).length, scenario.lastNode + 1, 'one that has just started')
    await scenario.cluster.closeNode(added)
    t.equal((await nodesOf(scenario)).length, added)
    const now = scenario.now()
    const { nodeId: _, seenAt: __, self: ___, ...about } = (await nodesOf(scenario))[0] as NodeView
    await scenario.store.nodes.report('dead', { text: JSON.stringify(about), now })
    t.equal((await nodesOf(scenario)).length, added + 1)
    await scenario.advance(5_000)
    t.equal((await nodesOf(scenario)).length, added)
    t.match(await operate(scenario, 'PUT', 'nodes/dead/drain'), { status: 404, body: { code: 'node_not_found' } })
    await scenario.store.nodes.remove('dead')
  },
  own
)

flow(
  'a drained node is not ready, its streams move, its process goes on, and the drain can be taken back',
  async (t, scenario) => {
    const bob = await scenario.addClient('bob', 'laptop', { node: scenario.lastNode })
    const nodeId = await idOf(scenario, scenario.lastNode)
    const put = await operate(scenario, 'PUT', `nodes/${nodeId}/drain`)
    t.match(put, { status: 200, body: { node: { nodeId } } })
    t.equal((await operate(scenario, 'PUT', `nodes/${nodeId}/drain`)).status, 200, 'twice')
    await scenario.advance(WITHIN_MS)
    t.equal(await readiness(scenario, scenario.lastNode), 'node_drained')
    t.match(await statesOf(scenario), { [nodeId]: 'draining 1' })
    if (scenario.lastNode > 0) t.equal(await readiness(scenario, 0), 'ready')
    t.equal((await bob.request('GET', 'calls')).status, 200, 'it serves who still comes')
    await scenario.advance(3_000 + 2_000)
    t.match(await statesOf(scenario), { [nodeId]: 'drained 0' })
    const alice = await scenario.addClient('alice', 'phone')
    await alice.post('calls', { callId: 'c1', to: 'bob' })
    bob.useNode(0)
    await bob.openStream()
    await bob.expectEvent('call.incoming')
    await scenario.advance(31_000)
    for (const who of [alice, bob]) t.match(await who.expectEvent('call.ended'), { reason: 'no_answer' })
    t.match(await operate(scenario, 'DELETE', `nodes/${nodeId}/drain`), { status: 200, body: { node: { nodeId } } })
    await scenario.advance(WITHIN_MS)
    t.equal(await readiness(scenario, scenario.lastNode), 'ready')
    t.match((await statesOf(scenario))[nodeId], /^ready/)
  },
  own
)

flow(
  'a drain that is taken back before the streams left leaves them where they are',
  async (t, scenario) => {
    await scenario.addClient('bob', 'laptop', { node: scenario.lastNode })
    const nodeId = await idOf(scenario, scenario.lastNode)
    await operate(scenario, 'PUT', `nodes/${nodeId}/drain`)
    await scenario.advance(WITHIN_MS)
    await operate(scenario, 'DELETE', `nodes/${nodeId}/drain`)
    await scenario.advance(10_000)
    t.match(await statesOf(scenario), { [nodeId]: 'ready 1' })
  },
  own
)

flow(
  'when the last node is drained no node is ready, and each serves clients that still connect',
  async (t, scenario) => {
    await reportAgain(scenario)
    for (const { nodeId } of await nodesOf(scenario))
      t.equal((await operate(scenario, 'PUT', `nodes/${nodeId}/drain`)).status, 200)
    await scenario.advance(WITHIN_MS + 3_000 + 2_000)
    for (let node = 0; node <= scenario.lastNode; node++) t.equal(await readiness(scenario, node), 'node_drained')
    const [alice, bob] = await scenario.addAliceAndBob()
    await alice.post('calls', { callId: 'c1', to: 'bob' })
    await bob.expectEvent('call.incoming')
    await bob.post('calls/c1/reject')
    await alice.expectEvent('call.ended')
    await scenario.advance(10_000)
    t.equal(scenario.cluster.openStreams(), 2, 'streams that came afterwards stay')
  },
  own
)

flow(
  'a node that starts again is not drained, and one that is drained ends as any other',
  async (t, scenario) => {
    const last = scenario.lastNode
    const nodeId = await idOf(scenario, last)
    await operate(scenario, 'PUT', `nodes/${nodeId}/drain`)
    await scenario.advance(WITHIN_MS + 3_000 + 2_000)
    await scenario.cluster.drainNode(last)
    const again = await scenario.cluster.addNode()
    await scenario.advance(WITHIN_MS)
    t.equal(await readiness(scenario, again), 'ready')
    t.not(await idOf(scenario, again), nodeId)
    t.match(await operate(scenario, 'PUT', `nodes/${nodeId}/drain`, { node: again }), {
      body: { code: 'node_not_found' }
    })
  },
  own
)
