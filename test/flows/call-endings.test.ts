// How calls end: by concurrent requests, and by deadlines.

import { flow } from '../helpers/scenario.js'
import { sdp } from '../helpers/sdp.js'
import type { Reply, TestClient } from '../helpers/test-client.js'

const stateOf = ({ body }: Reply) => (body.call as { state: string } | undefined)?.state

flow('an accept after a cancel is refused, and a cancel after an accept ends the call', async (t, scenario) => {
  const [alice, bob] = await scenario.addAliceAndBob()
  await alice.post('calls', { callId: 'c1', to: 'bob' })
  await bob.expectEvent('call.incoming')
  await alice.post('calls/c1/cancel')
  t.match(await bob.expectRefusal('call_ended', 'calls/c1/accept'), { currentState: 'ended', reason: 'cancelled' })
  t.match(await bob.expectEvent('call.ended'), { reason: 'cancelled', endedBy: alice.endpoint })

  await alice.post('calls', { callId: 'c2', to: 'bob' })
  await bob.expectEvent('call.incoming')
  await bob.post('calls/c2/accept')
  await alice.expectEvent('call.accepted')
  await alice.post('calls/c2/cancel')
  t.match(await bob.expectEvent('call.ended'), { callId: 'c2', reason: 'cancelled' })
})

flow('of a concurrent cancel and accept the call ends as cancelled on all devices', async (t, scenario) => {
  const [alice, bob] = await scenario.addAliceAndBob()
  const watch = await scenario.addClient('bob', 'watch')
  for (let round = 1; round <= 10; round++) {
    const callId = `c${round}`
    await alice.post('calls', { callId, to: 'bob' })
    for (const his of [bob, watch]) await his.expectEvent('call.incoming')
    const acts: (() => Promise<Reply>)[] = [
      () => bob.request('POST', `calls/${callId}/accept`),
      () => alice.request('POST', `calls/${callId}/cancel`)
    ]
    const order = round % 2 === 0 ? [0, 1] : [1, 0]
    const answers = await Promise.all(order.map(i => (acts[i] as () => Promise<Reply>)()))
    const [accepted, cancelled] = (order[0] === 0 ? answers : answers.reverse()) as [Reply, Reply]
    t.equal(stateOf(cancelled), 'ended', 'the cancel succeeds in any case')
    if (accepted.status === 200) {
      t.match(await alice.expectEvent('call.accepted'), { callId, by: bob.endpoint })
      t.match(await watch.expectEvent('call.ended'), { callId, reason: 'answered_elsewhere' })
    } else {
      t.match(accepted.body, { code: 'call_ended', reason: 'cancelled' })
      t.match(await watch.expectEvent('call.ended'), { callId, reason: 'cancelled' })
    }
    t.match(await bob.expectEvent('call.ended'), { callId, reason: 'cancelled' })
    for (const client of [alice, bob]) {
      t.match(await client.call(callId), { state: 'ended', reason: 'cancelled' })
      t.same(await client.activeCalls(), [])
    }
  }
})

flow('two concurrent hang-ups end the call once', async (t, scenario) => {
  const [alice, bob] = await scenario.addAliceAndBob()
  for (let round = 1; round <= 6; round++) {
    const callId = `c${round}`
    await alice.post('calls', { callId, to: 'bob' })
    await bob.expectEvent('call.incoming')
    await bob.post(`calls/${callId}/accept`)
    await alice.expectEvent('call.accepted')
    const replies = await Promise.all([alice, bob].map(client => client.post(`calls/${callId}/hangup`)))
    const ends = replies.map(({ call }) => call as { state: string; version: number; endedBy: { user: string } })
    t.match(ends, [{ state: 'ended' }, { state: 'ended' }])
    t.same(ends[0], ends[1], 'both replies have the same end')
    const other = ends[0]?.endedBy.user === 'alice' ? bob : alice
    t.match(await other.expectEvent('call.ended'), { callId, reason: 'hangup' }, 'the other side gets the event')
  }
})

flow('a call that is not answered ends as no_answer on all devices that ring', async (t, scenario) => {
  const [alice, bob] = await scenario.addAliceAndBob()
  const watch = await scenario.addClient('bob', 'watch')
  await alice.post('calls', { callId: 'c1', to: 'bob', ringTimeoutMs: 10_000 })
  for (const his of [bob, watch]) await his.expectEvent('call.incoming')
  await watch.post('calls/c1/reject', { scope: 'device' })
  await scenario.advance(9_900)
  t.match(await alice.call('c1'), { state: 'ringing', expiresInMs: 100 })
  await scenario.advance(1_600)
  for (const client of [alice, bob])
    t.match(await client.expectEvent('call.ended'), { reason: 'no_answer', endedBy: null })
  await bob.expectRefusal('call_ended', 'calls/c1/accept')
  t.same([await alice.activeCalls(), await bob.activeCalls()], [[], []])
})

flow('a call is connected when its connect time is over and offer and answer were exchanged', async (t, scenario) => {
  const [alice, bob] = await scenario.addAliceAndBob()
  await alice.post('calls', { callId: 'c1', to: 'bob', offer: { sdp: sdp('aliceA') } })
  await bob.expectEvent('call.incoming')
  await bob.post('calls/c1/accept')
  await bob.post('calls/c1/answer', { sdp: sdp('bobA') })
  await alice.expectEvents('call.accepted', 'signal.answer')
  await scenario.advance(31_500)
  for (const client of [alice, bob]) {
    t.match(await client.expectEvent('call.connected'), { by: null, setupMs: null })
    t.match(await client.call('c1'), { state: 'connected', connectedAt: null, expiresInMs: null })
  }
  await bob.post('calls/c1/connected')
  t.match(await alice.expectEvent('call.connected'), { by: bob.endpoint })
  await alice.post('calls/c1/hangup')
  t.match(await bob.expectEvent('call.ended'), { reason: 'hangup' })
})

flow(
  'a call ends as expired when it has lasted as long as allowed',
  async (t, scenario) => {
    const [alice, bob] = await scenario.addAliceAndBob()
    await alice.post('calls', { callId: 'c1', to: 'bob' })
    await bob.expectEvent('call.incoming')
    await bob.post('calls/c1/accept')
    await alice.expectEvent('call.accepted')
    await alice.post('calls/c1/connected')
    await bob.expectEvent('call.connected')
    await scenario.advance(59_000)
    t.match(await alice.call('c1'), { state: 'connected' })
    await scenario.advance(2_500)
    for (const client of [alice, bob]) t.match(await client.expectEvent('call.ended'), { reason: 'expired' })
  },
  { env: { MAX_CALL_DURATION_MS: '60000' } }
)

flow('an answered call without an exchange ends as expired', async (t, scenario) => {
  const [alice, bob] = await scenario.addAliceAndBob()
  await alice.post('calls', { callId: 'c1', to: 'bob' })
  await bob.expectEvent('call.incoming')
  await bob.post('calls/c1/accept')
  await alice.expectEvent('call.accepted')
  await alice.post('calls/c1/offer', { sdp: sdp('aliceA') })
  await bob.expectEvent('signal.offer')
  await scenario.advance(29_500)
  t.match(await alice.call('c1'), { state: 'connecting' })
  await scenario.advance(2_000)
  for (const client of [alice, bob])
    t.match(await client.expectEvent('call.ended'), { reason: 'expired', endedBy: null })
  await alice.expectRefusal('call_ended', 'calls/c1/offer', { sdp: sdp('aliceB') })
})

flow(
  'a call continues to ring, and ends in time, when the node that created it has closed',
  async (t, scenario) => {
    const other = await scenario.cluster.addNode()
    const alice = await scenario.addClient('alice', 'phone', { node: other })
    const bob = await scenario.addClient('bob', 'laptop', { node: other })
    alice.useNode(0)
    await alice.post('calls', { callId: 'c1', to: 'bob' })
    await bob.expectEvent('call.incoming')
    for (let i = 0; i < other; i++) await scenario.cluster.closeNode(i)
    await scenario.advance(28_000)
    t.match(await alice.call('c1'), { state: 'ringing' })
    await scenario.advance(4_000)
    for (const client of [alice, bob]) t.match(await client.expectEvent('call.ended'), { reason: 'no_answer' })
    t.same([await alice.activeCalls(), await bob.activeCalls()], [[], []])
  },
  { ownCluster: true }
)

flow('a repeated cancel, reject or hang-up gets the reply of the first', async (t, scenario) => {
  const [alice, bob] = await scenario.addAliceAndBob()
  const endings: [string, TestClient, string][] = [
    ['cancel', alice, 'cancelled'],
    ['reject', bob, 'declined'],
    ['hangup', bob, 'hangup']
  ]
  for (const [action, who, reason] of endings) {
    const callId = `by-${action}`
    await alice.post('calls', { callId, to: 'bob' })
    await bob.expectEvent('call.incoming')
    if (action === 'hangup') {
      await bob.post(`calls/${callId}/accept`)
      await alice.expectEvent('call.accepted')
    }
    const first = await who.post(`calls/${callId}/${action}`)
    for (let again = 0; again < 3; again++) t.same(await who.post(`calls/${callId}/${action}`), first)
    const peer = who === alice ? bob : alice
    t.match(await peer.expectEvent('call.ended'), { callId, reason })
    t.match(await peer.post(`calls/${callId}/hangup`), first, 'also a hang-up of the other side')
    t.same(await peer.call(callId), first.call)
  }
})
