// What an operator sees of calls, and how an operator ends them.
import type { Test } from 'tap'
import type { AdminCall } from '../../src/schemas/admin-call.js'
import { listAll, operate, WITH_ADMIN } from '../helpers/operator.js'
import { flow, type Scenario } from '../helpers/scenario.js'
import { sdp } from '../helpers/sdp.js'
import type { Reply, TestClient } from '../helpers/test-client.js'

const env = WITH_ADMIN
const BY_SERVER = { reason: 'server', endedBy: null }

async function callUp(alice: TestClient, bob: TestClient, callId: string): Promise<void> {
  await alice.post('calls', { callId, to: bob.user })
  await bob.expectEvent('call.incoming')
}

async function answer(alice: TestClient, bob: TestClient, callId: string): Promise<void> {
  await callUp(alice, bob, callId)
  await bob.post(`calls/${callId}/accept`)
  await alice.expectEvent('call.accepted')
}

/** The names of the scenario's calls that are listed. */
async function listed(scenario: Scenario, limit: number): Promise<string[]> {
  const calls = await listAll<AdminCall>(scenario, 'calls', limit)
  return calls
    .map(({ callId }) => callId)
    .filter(callId => /^c\d+$/.test(callId))
    .sort()
}

flow(
  'the live calls of all nodes are listed in pages of any size, from any node, until they end',
  async (t, scenario) => {
    const [alice, bob] = await scenario.addAliceAndBob()
    const carol = await scenario.addClient('carol', 'tablet', { node: scenario.lastNode })
    const others = ['dave', 'erin', 'frank'].map(name => scenario.addClient(name, 'phone', { silent: true }))
    await answer(alice, bob, 'c1')
    for (const [n, other] of (await Promise.all(others)).entries()) {
      await other.post('calls', { callId: `c${n + 2}`, to: 'carol' })
      await carol.expectEvent('call.incoming')
    }
    for (const limit of [1, 2, 3, 200]) t.same(await listed(scenario, limit), ['c1', 'c2', 'c3', 'c4'])
    const calls = await listAll<AdminCall>(scenario, 'calls', 200)
    const isConnecting = { state: 'connecting', caller: alice.endpoint, callee: bob.endpoint, blocked: false }
    t.match(
      calls.find(({ callId }) => callId === 'c1'),
      isConnecting
    )
    await carol.post('calls/c3/reject')
    await bob.post('calls/c1/hangup')
    await alice.expectEvent('call.ended')
    t.same(await listed(scenario, 2), ['c2', 'c4'])
    t.match(await operate(scenario, 'GET', 'calls/c3'), { status: 200, body: { call: { reason: 'declined' } } })
    t.match(await operate(scenario, 'GET', 'calls/none'), { status: 404, body: { code: 'call_not_found' } })
    for (const query of ['limit=0', 'limit=201', 'after=', 'after=a.b', `after=${'x'.repeat(2049)}`, 'state=ringing'])
      t.match(
        await operate(scenario, 'GET', `calls?${query}`),
        { status: 400, body: { code: 'invalid_request' } },
        query
      )
  },
  { env }
)

flow(
  'an operator sees of a call what each party does not: a device that declined, a block, and the whole timeline',
  async (t, scenario) => {
    const [alice, bob] = await scenario.addAliceAndBob()
    const watch = await scenario.addClient('bob', 'watch')
    await callUp(alice, bob, 'c1')
    await watch.expectEvent('call.incoming')
    await watch.post('calls/c1/reject', { scope: 'device' })
    await bob.post('calls/c1/accept')
    await alice.expectEvent('call.accepted')
    const { body } = await operate(scenario, 'GET', 'calls/c1/timeline', { node: scenario.lastNode })
    t.match(body.entries, [
      { type: 'created', by: alice.endpoint },
      { type: 'declined', by: watch.endpoint },
      { type: 'accepted', by: bob.endpoint }
    ])
    await alice.post('calls/c1/hangup')
    await bob.expectEvent('call.ended')
    t.match((await operate(scenario, 'GET', 'calls/c1/timeline')).body.entries, {
      3: { type: 'ended', reason: 'hangup' }
    })
    t.equal((await bob.request('PUT', `blocks/${scenario.toPath('alice')}`)).status, 204)
    await alice.post('calls', { callId: 'c2', to: 'bob', whenOffline: 'ring' })
    t.match((await operate(scenario, 'GET', 'calls/c2')).body.call, { state: 'ringing', blocked: true })
    await alice.post('calls/c2/cancel')
    t.match(await operate(scenario, 'GET', 'calls/none/timeline'), { status: 404, body: { code: 'call_not_found' } })
  },
  { env }
)

const stop = (scenario: Scenario, callId: string) =>
  operate(scenario, 'POST', `calls/${callId}/end`, { node: scenario.lastNode })

/** Both users are free, and the call ended once. */
async function expectStopped(t: Test, [alice, bob]: readonly TestClient[], callId: string): Promise<void> {
  for (const client of [alice, bob] as TestClient[]) {
    t.match(await client.call(callId), { state: 'ended', ...BY_SERVER })
    t.same(await client.activeCalls(), [])
  }
}

const LIVE: Readonly<Record<string, (alice: TestClient, bob: TestClient) => Promise<void>>> = {
  ringing: (alice, bob) => callUp(alice, bob, 'c1'),
  connecting: (alice, bob) => answer(alice, bob, 'c1'),
  async connected(alice, bob) {
    await answer(alice, bob, 'c1')
    await alice.post('calls/c1/connected')
    await bob.expectEvent('call.connected')
  },
  async 'on hold, in a negotiation'(alice, bob) {
    await answer(alice, bob, 'c1')
    await alice.post('calls/c1/connected')
    await bob.expectEvent('call.connected')
    await bob.post('calls/c1/hold')
    await alice.expectEvent('call.held')
    await alice.post('calls/c1/offer', { sdp: sdp('aliceA') })
    await bob.expectEvent('signal.offer')
  }
}

for (const [state, begin] of Object.entries(LIVE))
  flow(
    `a call that is ${state} is ended by an operator, once: both sides learn it and are free`,
    async (t, scenario) => {
      const [alice, bob] = await scenario.addAliceAndBob()
      await begin(alice, bob)
      const first = await stop(scenario, 'c1')
      t.match(first, { status: 200, body: { call: { state: 'ended', ...BY_SERVER } } })
      t.same((await stop(scenario, 'c1')).body.call, first.body.call, 'the second request changes nothing')
      for (const client of [alice, bob]) t.match(await client.expectEvent('call.ended'), { callId: 'c1', ...BY_SERVER })
      await expectStopped(t, [alice, bob], 'c1')
      const { body } = await operate(scenario, 'GET', 'calls/c1/timeline')
      t.match((body.entries as object[]).at(-1), { type: 'ended', by: null, reason: 'server' })
      await alice.expectRefusal('call_ended', 'calls/c1/hold')
      t.match(await alice.post('calls/c1/hangup'), { call: BY_SERVER }, 'a hang-up that comes later succeeds')
      await callUp(bob, alice, 'c2')
      await bob.post('calls/c2/cancel')
      await alice.expectEvent('call.ended')
    },
    { env }
  )

flow(
  'a call that a party has ended keeps its end, and there is no such call without one',
  async (t, scenario) => {
    const [alice, bob] = await scenario.addAliceAndBob()
    await callUp(alice, bob, 'c1')
    await bob.post('calls/c1/reject')
    await alice.expectEvent('call.ended')
    t.match(await stop(scenario, 'c1'), {
      status: 200,
      body: { call: { reason: 'declined', endedBy: { user: 'bob' } } }
    })
    t.match(await stop(scenario, 'none'), { status: 404, body: { code: 'call_not_found' } })
    await alice.post('calls/early/cancel')
    t.match(await stop(scenario, 'early'), { status: 404 }, 'a tombstone is no call')
  },
  { env }
)

flow(
  'of an end by an operator and what a user does at the same moment, one comes first and the call is over',
  async (t, scenario) => {
    const [alice, bob] = await scenario.addAliceAndBob()
    const acts: Readonly<Record<string, (callId: string) => Promise<Reply>>> = {
      accept: callId => bob.request('POST', `calls/${callId}/accept`),
      cancel: callId => alice.request('POST', `calls/${callId}/cancel`),
      reject: callId => bob.request('POST', `calls/${callId}/reject`)
    }
    for (const [n, [act, run]] of [...Object.entries(acts), ...Object.entries(acts)].entries()) {
      const callId = `c${n}`
      await callUp(alice, bob, callId)
      const both = [() => stop(scenario, callId), () => run(callId)]
      const replies = await Promise.all((n < 3 ? both : both.reverse()).map(each => each()))
      const [stopped, acted] = n < 3 ? replies : replies.reverse()
      t.equal(stopped?.status, 200, act)
      const { reason } = await alice.call(callId)
      if (act === 'accept') {
        t.equal(reason, 'server')
        if (acted?.status === 200) await alice.expectEvent('call.accepted')
        else t.match(acted?.body, { code: 'call_ended', reason: 'server' })
        for (const client of [alice, bob]) t.match(await client.expectEvent('call.ended'), { callId, ...BY_SERVER })
      } else {
        t.equal(acted?.status, 200)
        const [actor, other] = act === 'cancel' ? [alice, bob] : [bob, alice]
        t.match(await other.expectEvent('call.ended'), { callId, reason })
        if (reason === 'server') t.match(await actor.expectEvent('call.ended'), { callId, ...BY_SERVER })
      }
      for (const client of [alice, bob]) t.same(await client.activeCalls(), [])
    }
  },
  { env }
)
