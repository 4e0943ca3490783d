// Busy users, glare, and creates that are refused, repeated, cancelled or stalled.

import { joinIds } from '../../src/id-text.js'
import { flow, type Scenario } from '../helpers/scenario.js'
import type { Reply, TestClient } from '../helpers/test-client.js'

flow('a user in a call is busy until the call has ended', async (t, scenario) => {
  const [alice, bob] = await scenario.addAliceAndBob()
  const carol = await scenario.addClient('carol', 'phone', { node: scenario.lastNode })
  await alice.post('calls', { callId: 'c1', to: 'bob' })
  await bob.expectEvent('call.incoming')
  await carol.expectRefusal('callee_busy', 'calls', { callId: 'c3', to: 'alice' })
  await alice.expectRefusal('caller_busy', 'calls', { callId: 'c4', to: 'carol' })
  await bob.post('calls/c1/accept')
  await alice.expectEvent('call.accepted')
  t.match(await carol.expectRefusal('callee_busy', 'calls', { callId: 'c2', to: 'bob' }), { retryable: false })
  await carol.expectRefusal('callee_busy', 'calls', { callId: 'c2', to: 'bob' })
  t.match(await carol.call('c2'), { state: 'ended', reason: 'busy' }, 'a retry gets the same refusal')
  t.same(await carol.activeCalls(), [])
  await alice.post('calls/c1/hangup')
  await bob.expectEvent('call.ended')
  await carol.post('calls', { callId: 'c6', to: 'bob' })
  await bob.expectEvent('call.incoming')
  await bob.post('calls/c6/reject')
  await carol.expectEvent('call.ended')
  t.same([await alice.activeCalls(), await bob.activeCalls()], [[], []])
})

flow('a refusal is kept for its id, and a create without an id is judged anew', async (t, scenario) => {
  const [alice, bob] = await scenario.addAliceAndBob()
  const carol = await scenario.addClient('carol', 'phone', { node: scenario.lastNode })
  await alice.post('calls', { callId: 'c1', to: 'bob' })
  await bob.expectEvent('call.incoming')
  await bob.post('calls/c1/accept')
  await alice.expectEvent('call.accepted')
  const key = { 'idempotency-key': 'k1' }
  const withKey = () => carol.request('POST', 'calls', { to: 'bob' }, key)
  const kept = { code: 'callee_busy', retryable: false, detail: /call again with a new callId/ }
  t.match(await carol.expectRefusal('callee_busy', 'calls', { callId: 'c2', to: 'bob' }), kept)
  t.match((await withKey()).body, kept)
  const anew = await carol.expectRefusal('callee_busy', 'calls', { to: 'bob' })
  t.match(anew, { retryable: true })
  t.notMatch(anew, { activeCallId: String }, 'the call of others is not named')

  const busy = await alice.expectRefusal('caller_busy', 'calls', { callId: 'a1', to: 'carol' })
  t.match(busy, { retryable: false, activeCallId: 'c1', detail: /call again with a new callId/ })
  t.match(await alice.expectRefusal('caller_busy', 'calls', { to: 'carol' }), { retryable: true, activeCallId: 'c1' })
  t.match(await bob.expectRefusal('caller_busy', 'calls', { callId: 'b1', to: 'alice' }), { activeCallId: 'c1' })

  await alice.post('calls/c1/hangup')
  await bob.expectEvent('call.ended')
  t.match(await carol.expectRefusal('callee_busy', 'calls', { callId: 'c2', to: 'bob' }), kept, 'although bob is free')
  t.match((await withKey()).body, kept)
  const again = await alice.expectRefusal('caller_busy', 'calls', { callId: 'a1', to: 'carol' })
  t.match(again, { retryable: false, activeCallId: 'c1' })
  await carol.post('calls', { callId: 'c3', to: 'bob' })
  await bob.expectEvent('call.incoming')
  await carol.post('calls/c3/cancel')
  await bob.expectEvent('call.ended')
})

flow('what comes too early may be repeated, what comes too late may not', async (t, scenario) => {
  const [alice, bob] = await scenario.addAliceAndBob()
  await alice.post('calls', { callId: 'c1', to: 'bob' })
  await bob.expectEvent('call.incoming')
  t.match(await alice.expectRefusal('wrong_state', 'calls/c1/hold'), { retryable: true })
  t.match(await alice.expectRefusal('wrong_state', 'calls/c1/connected'), { retryable: true })
  t.match(await bob.expectRefusal('wrong_state', 'calls/c1/connected'), { retryable: true })
  await bob.post('calls/c1/accept')
  await alice.expectEvent('call.accepted')
  t.match(await bob.expectRefusal('wrong_state', 'calls/c1/ringing'), { retryable: false })
  await bob.post('calls/c1/connected')
  await alice.expectEvent('call.connected')
  t.match(await alice.expectRefusal('wrong_state', 'calls/c1/cancel'), { retryable: false })
  t.match(await bob.expectRefusal('wrong_state', 'calls/c1/reject'), { retryable: false })
  await alice.post('calls/c1/hangup')
  await bob.expectEvent('call.ended')
  t.match(await alice.expectRefusal('call_ended', 'calls/c1/hold'), { retryable: false })
})

flow('while a call rings for a user, others ring too, and the user can call', async (t, scenario) => {
  const [alice, bob] = await scenario.addAliceAndBob()
  const carol = await scenario.addClient('carol', 'phone', { node: scenario.lastNode })
  const dave = await scenario.addClient('dave', 'phone')
  for (const [caller, callId] of [[alice, 'c1'] as const, [carol, 'c2'] as const]) {
    await caller.post('calls', { callId, to: 'bob' })
    await bob.expectEvent('call.incoming')
  }
  t.match(
    (await bob.request('GET', 'snapshot')).body.presence,
    { state: 'online' },
    'a ringing call does not make the user busy'
  )
  await bob.post('calls', { callId: 'b1', to: 'dave' })
  await dave.expectEvent('call.incoming')
  t.same((await bob.activeCalls()).sort(), ['b1', 'c1', 'c2'])
  t.match((await bob.request('GET', 'snapshot')).body.presence, { state: 'busy' })

  const refused = await bob.expectRefusal('caller_busy', 'calls/c1/accept')
  t.match(refused, { activeCallId: 'b1', currentState: 'ringing', retryable: true })
  t.match(await alice.call('c1'), { state: 'ringing', version: 1 }, 'the call continues to ring')
  await bob.post('calls/b1/cancel')
  await dave.expectEvent('call.ended')
  t.match(await bob.post('calls/c1/accept'), { call: { state: 'connecting' } })
  await alice.expectEvent('call.accepted')
  t.match(await carol.expectEvent('call.ended'), { callId: 'c2', reason: 'busy', endedBy: null })
  t.match(await bob.expectEvent('call.ended'), { callId: 'c2', reason: 'busy' })
  await bob.post('calls/c1/hangup')
  await alice.expectEvent('call.ended')
  for (const user of ['alice', 'bob', 'carol', 'dave'])
    t.same(await scenario.store.leases.list(scenario.toWire(user)), [], `${user} has no lease`)
})

/** Two settings in one environment, so that fewer clusters are started. */
const VARIANT = { CALL_WAITING: 'true', ON_GLARE: 'reject' }

flow(
  'with call waiting a second call rings during the first, and can be accepted after its end',
  async (t, scenario) => {
    const [alice, bob] = await scenario.addAliceAndBob()
    const carol = await scenario.addClient('carol', 'phone', { node: scenario.lastNode })
    const dave = await scenario.addClient('dave', 'phone')
    await alice.post('calls', { callId: 'c1', to: 'bob' })
    await carol.post('calls', { callId: 'c2', to: 'bob' })
    await bob.expectEvents('call.incoming', 'call.incoming')
    await bob.post('calls/c1/accept')
    await alice.expectEvent('call.accepted')
    await dave.post('calls', { callId: 'c3', to: 'bob' })
    await bob.expectEvent('call.incoming')
    t.match(await bob.expectRefusal('caller_busy', 'calls/c3/accept'), { activeCallId: 'c1' })
    t.match(await carol.call('c2'), { state: 'ringing' })
    await bob.post('calls/c1/hangup')
    await alice.expectEvent('call.ended')
    await bob.post('calls/c3/accept')
    await dave.expectEvent('call.accepted')
    for (const [caller, action] of [[carol, 'calls/c2/cancel'] as const, [dave, 'calls/c3/hangup'] as const]) {
      await caller.post(action)
      await bob.expectEvent('call.ended')
    }
  },
  { env: VARIANT }
)

const NARROW = { MAX_CALLS_PER_USER: '2', MAX_RINGING_PER_USER: '3' }

flow(
  'when MAX_RINGING_PER_USER calls of unknown callers ring, the callee is busy',
  async (t, scenario) => {
    const [alice, bob] = await scenario.addAliceAndBob()
    const names = ['carol', 'dave', 'eve']
    const strangers = await Promise.all(
      names.map(name => scenario.addClient(name, 'phone', { node: scenario.lastNode }))
    )
    for (const caller of strangers) {
      await caller.post('calls', { callId: caller.user, to: 'bob' })
      await bob.expectEvent('call.incoming')
    }
    await alice.expectRefusal('callee_busy', 'calls', { callId: 'a1', to: 'bob' })
    await strangers[0]?.post('calls/carol/cancel')
    await bob.expectEvent('call.ended')
    await alice.post('calls', { callId: 'a2', to: 'bob' })
    await bob.expectEvent('call.incoming')
    for (const caller of [alice, ...strangers.slice(1)]) {
      await caller.post(`calls/${caller === alice ? 'a2' : caller.user}/cancel`)
      await bob.expectEvent('call.ended')
    }
    t.same(await bob.activeCalls(), [])
  },
  { env: NARROW }
)

flow(
  'with MAX_CALLS_PER_USER=2 the third call ends as busy',
  async (t, scenario) => {
    const [alice, bob] = await scenario.addAliceAndBob()
    const carol = await scenario.addClient('carol', 'phone', { node: scenario.lastNode })
    const dave = await scenario.addClient('dave', 'phone')
    await alice.post('calls', { callId: 'c1', to: 'bob' })
    await carol.post('calls', { callId: 'c2', to: 'bob' })
    await dave.post('calls', { callId: 'c3', to: 'bob' })
    await bob.expectEvents('call.incoming', 'call.incoming', 'call.incoming')
    await alice.expectRefusal('caller_busy', 'calls', { callId: 'c4', to: 'bob' }) // a pair of users has one live call
    await bob.post('calls/c1/accept')
    await alice.expectEvent('call.accepted')
    t.match(await dave.call('c3'), { state: 'ringing' }, 'one active slot is free')
    await bob.post('calls/c2/accept')
    await carol.expectEvent('call.accepted')
    t.match(await dave.expectEvent('call.ended'), { callId: 'c3', reason: 'busy' })
    await bob.expectEvent('call.ended')
    await dave.expectRefusal('callee_busy', 'calls', { callId: 'c5', to: 'bob' })
    t.same((await bob.activeCalls()).sort(), ['c1', 'c2'])
    await alice.post('calls/c1/hangup')
    await bob.expectEvent('call.ended')
    await dave.post('calls', { callId: 'c6', to: 'bob' })
    await bob.expectEvent('call.incoming')
    await bob.post('calls/c6/reject')
    await dave.expectEvent('call.ended')
    await bob.post('calls/c2/hangup')
    await carol.expectEvent('call.ended')
  },
  { env: NARROW }
)

flow('repeated creates with one id, also concurrent ones, make one call', async (t, scenario) => {
  const [alice, bob] = await scenario.addAliceAndBob()
  const body = { callId: 'c1', to: 'bob' }
  const answers = await Promise.all(
    [0, scenario.lastNode, 0, scenario.lastNode].map(node => {
      alice.useNode(node)
      return alice.request('POST', 'calls', body)
    })
  )
  t.same(answers.map(({ status }) => status).sort(), [200, 200, 200, 201])
  await bob.expectEvent('call.incoming')
  t.match(await alice.post('calls', body), {
    resolution: 'existing',
    call: { callId: 'c1', state: 'ringing', version: 1 }
  })
  await bob.post('calls/c1/reject')
  await alice.expectEvent('call.ended')
  t.match(await alice.post('calls', body), { resolution: 'existing', call: { state: 'ended', reason: 'declined' } })
  await bob.expectRefusal('call_id_taken', 'calls', { callId: 'c1', to: 'alice' })
})

const idOf = (answer?: Reply) => String((answer?.body.call as { callId?: string } | undefined)?.callId)

/** Both call each other at the same moment, and some requests are repeated on any node. */
function callEachOther(scenario: Scenario, [alice, bob]: [TestClient, TestClient], round: number): Promise<Reply[]> {
  const call = (client: TestClient, callId: string, to: string, node: number) => {
    client.useNode(node)
    return client.request('POST', 'calls', { callId, to })
  }
  const hers = (node: number) => call(alice, `a${round}`, 'bob', node)
  const his = (node: number) => call(bob, `b${round}`, 'alice', node)
  const { lastNode } = scenario
  const orders = [
    () => [hers(0), his(lastNode)],
    () => [his(lastNode), hers(0), his(0)],
    () => [his(0), his(lastNode), hers(0), hers(lastNode)],
    () => [hers(0), his(0), his(lastNode), his(0)]
  ]
  return scenario.advanceDuring(Promise.all(orders[round % orders.length]?.() ?? []))
}

flow('two users who call each other at the same moment get one call', async (t, scenario) => {
  const both = await scenario.addAliceAndBob()
  for (let round = 1; round <= 12; round++) {
    const answers = await callEachOther(scenario, both, round)
    const refused = answers.filter(({ status }) => status !== 200 && status !== 201)
    t.same(refused, [], `round ${round}: no request is refused`)
    const ids = new Set(answers.map(idOf))
    t.equal(ids.size, 1, 'all replies name the same call')
    const [callId = ''] = ids
    const resolutions = answers.map(({ body }) => body.resolution)
    t.equal(resolutions.filter(each => each === 'created').length, 1, 'one create is `created`')
    t.ok(resolutions.includes('merged'), 'the other is `merged`')
    const [caller, callee] = callId.startsWith('a') ? both : ([both[1], both[0]] as const)
    await callee.expectEvent('call.incoming')
    t.match(await caller.expectEvent('call.accepted'), { callId, by: callee.endpoint })
    for (const client of both) t.same(await client.activeCalls(), [callId])
    await callee.post(`calls/${callId}/hangup`)
    await caller.expectEvent('call.ended')
    for (const client of both) t.same(await client.activeCalls(), [], 'no call remains')
  }
})

flow('a create of the callee while the call rings accepts it', async (t, scenario) => {
  const [alice, bob] = await scenario.addAliceAndBob()
  const watch = await scenario.addClient('bob', 'watch')
  await alice.post('calls', { callId: 'a1', to: 'bob' })
  for (const his of [bob, watch]) await his.expectEvent('call.incoming')
  const merged = { resolution: 'merged', call: { callId: 'a1', state: 'connecting', callee: bob.endpoint } }
  t.match(await bob.post('calls', { callId: 'b1', to: 'alice' }), merged)
  t.match(await bob.post('calls', { callId: 'b1', to: 'alice' }), merged, 'repeated')
  t.match(await watch.expectEvent('call.ended'), { callId: 'a1', reason: 'answered_elsewhere' })
  await alice.expectEvent('call.accepted')
  t.match(await bob.call('b1'), { state: 'ended' }, 'his own call was not made')
  await scenario.addClient('carol', 'phone')
  await bob.expectRefusal('caller_busy', 'calls', { callId: 'b2', to: 'carol' })
  await alice.post('calls/a1/hangup')
  await bob.expectEvent('call.ended')
  t.match(await bob.post('calls', { callId: 'b1', to: 'alice' }), { resolution: 'merged', call: { state: 'ended' } })
})

flow(
  'the create of a callee who is in another call is refused, and the first call continues to ring',
  async (t, scenario) => {
    const [alice, bob] = await scenario.addAliceAndBob()
    const dave = await scenario.addClient('dave', 'phone')
    await alice.post('calls', { callId: 'a1', to: 'bob' })
    await bob.expectEvent('call.incoming')
    await bob.post('calls', { callId: 'b0', to: 'dave' })
    await dave.expectEvent('call.incoming')
    for (let n = 0; n < 2; n++) await bob.expectRefusal('caller_busy', 'calls', { callId: 'b1', to: 'alice' })
    t.match(await alice.call('a1'), { state: 'ringing', version: 1 })
    await bob.post('calls/b0/cancel')
    await dave.expectEvent('call.ended')
    t.match(await bob.post('calls', { callId: 'b2', to: 'alice' }), { resolution: 'merged', call: { callId: 'a1' } })
    await alice.expectEvent('call.accepted')
    await dave.expectRefusal('callee_busy', 'calls', { callId: 'd1', to: 'bob' })
    await alice.post('calls/a1/hangup')
    await bob.expectEvent('call.ended')
  }
)

flow(
  'with ON_GLARE=reject exactly one of two crossing creates is refused',
  async (t, scenario) => {
    const both = await scenario.addAliceAndBob()
    for (let round = 1; round <= 6; round++) {
      const answers = await callEachOther(scenario, both, round)
      const made = answers.filter(({ status }) => status === 201)
      t.equal(made.length, 1, `round ${round}: one call`)
      const callId = idOf(made[0])
      const refused = answers.filter(({ status }) => status === 409)
      t.ok(refused.length > 0 && refused.every(({ body }) => body.code === 'call_glare'))
      const [caller, callee] = callId.startsWith('a') ? both : ([both[1], both[0]] as const)
      await callee.expectEvent('call.incoming')
      await caller.post(`calls/${callId}/cancel`)
      await callee.expectEvent('call.ended')
      for (const client of both) t.same(await client.activeCalls(), [])
    }
  },
  { env: VARIANT }
)

flow('a cancel that arrives before its create prevents it', async (t, scenario) => {
  const [alice, bob] = await scenario.addAliceAndBob()
  t.match(await alice.post('calls/c1/cancel'), { call: { state: 'ended', reason: 'cancelled', callee: null } })
  alice.useNode(scenario.lastNode)
  t.match(await alice.post('calls', { callId: 'c1', to: 'bob' }), {
    resolution: 'existing',
    call: { state: 'ended', reason: 'cancelled' }
  })
  await bob.expectRefusal('call_not_found', 'calls/c1/accept')
  for (let round = 1; round <= 6; round++) {
    const callId = `race${round}`
    await Promise.all([alice.post('calls', { callId, to: 'bob' }), alice.post(`calls/${callId}/cancel`)])
    const { status, body } = await alice.request('GET', `calls/${callId}`)
    if (status === 200) t.match(body, { call: { state: 'ended', reason: 'cancelled' } })
    if (status === 200) await bob.expectEvents('call.incoming', 'call.ended')
    else t.equal(body.code, 'call_not_found', 'it was cancelled before it was created')
    t.same([await alice.activeCalls(), await bob.activeCalls()], [[], []])
  }
})

flow('the leases of a create that stalled before its call are released after 2 s', async (t, scenario) => {
  const [alice, bob] = await scenario.addAliceAndBob()
  const at = scenario.now()
  const [hers, his, ghost] = ['alice', 'bob', 'ghost'].map(name => scenario.toWire(name)) as [string, string, string]
  const holder = joinIds(ghost, hers, '1')
  await scenario.store.leases.take(hers, { holder, peer: his, kind: 'active', role: 'caller/phone', at }, {})
  await scenario.store.leases.take(his, { holder, peer: hers, kind: 'ringing', role: 'callee/phone', at }, {})
  const carol = await scenario.addClient('carol', 'phone', { node: scenario.lastNode })
  await carol.expectRefusal('callee_busy', 'calls', { callId: 'c1', to: 'alice' })
  t.match((await alice.request('GET', 'snapshot')).body, { calls: [], presence: { state: 'online' } })
  await scenario.advance(1900)
  await carol.expectRefusal('callee_busy', 'calls', { callId: 'c2', to: 'alice' })
  await scenario.advance(250)
  t.match(await carol.post('calls', { callId: 'c3', to: 'alice' }), { resolution: 'created' })
  // The call may have been lost in a failover instead, so both users get its end.
  for (const each of [alice, bob]) t.match(await each.expectEvent('call.ended'), { callId: 'ghost', reason: 'server' })
  await alice.expectEvent('call.incoming')
  // The stalled create continues: a tombstone prevents its call, and its leases are taken over.
  t.match(await alice.expectRefusal('call_ended', 'calls', { callId: 'ghost', to: 'bob' }), { currentState: 'ended' })
  t.match(await alice.call('ghost'), { state: 'ended', reason: 'server' })
  await carol.post('calls/c3/cancel')
  await alice.expectEvent('call.ended')
  await alice.post('calls', { callId: 'c4', to: 'bob' })
  await bob.expectEvent('call.incoming')
  await bob.post('calls/c4/reject')
  await alice.expectEvent('call.ended')
})

flow(
  'a hang-up ends a call that rings: for the caller it is a cancel, for the callee a reject',
  async (t, scenario) => {
    const [alice, bob] = await scenario.addAliceAndBob()
    for (const [callId, actor, other, reason] of [
      ['c1', alice, bob, 'cancelled'],
      ['c2', bob, alice, 'declined']
    ] as const) {
      await alice.post('calls', { callId, to: 'bob' })
      await bob.expectEvent('call.incoming')
      t.match(await actor.post(`calls/${callId}/hangup`), {
        call: { state: 'ended', reason, endedBy: { user: actor.user } }
      })
      t.match(await other.expectEvent('call.ended'), { reason })
      t.match(await actor.post(`calls/${callId}/hangup`), { call: { state: 'ended', reason } }, 'a repeat')
    }
  }
)
