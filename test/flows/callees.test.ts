// One call to several users, at once and in sequence.
import type { Test } from 'tap'
import { joinIds } from '../../src/id-text.js'
import type { Call } from '../../src/schemas/call.js'
import { flow, type Scenario } from '../helpers/scenario.js'
import type { TestClient } from '../helpers/test-client.js'
import { until } from '../helpers/until.js'

const EIGHT = ['bob', 'carol', 'dave', 'erin', 'frank', 'grace', 'heidi', 'ivan']

/** alice on the first node, the users by turns on the last and the first. */
async function addAll(scenario: Scenario, users: readonly string[]): Promise<[alice: TestClient, ...TestClient[]]> {
  const clients: TestClient[] = []
  for (const [i, user] of users.entries())
    clients.push(await scenario.addClient(user, 'phone', { node: i % 2 === 0 ? scenario.lastNode : 0 }))
  return [await scenario.addClient('alice', 'phone'), ...clients]
}

const leasesOf = async (scenario: Scenario, user: string) =>
  (await scenario.store.leases.list(scenario.toWire(user))).length

async function checkNoLeases(t: Test, scenario: Scenario, users: readonly string[]): Promise<void> {
  await scenario.cluster.settle()
  for (const user of users) t.equal(await leasesOf(scenario, user), 0, `${user} has no lease`)
}

/** state/reason of each callee. */
const statesOf = (call: unknown) =>
  (call as Call).callees?.map(({ state, reason }) => (reason === null ? state : `${state}/${reason}`))

flow('eight users ring at once, one of them calls out meanwhile, and the first accept wins', async (t, scenario) => {
  const [alice, ...callees] = await addAll(scenario, EIGHT)
  const zoe = await scenario.addClient('zoe', 'phone', { node: scenario.lastNode })
  const [bob, carol] = callees as [TestClient, TestClient]
  const created = await alice.post('calls', { callId: 'c1', to: EIGHT })
  t.match(created, { call: { callee: null, state: 'ringing' }, delivery: { online: 8, queued: 0 } })
  for (const client of callees) {
    const incoming = await client.expectEvent('call.incoming')
    t.match(incoming, { call: { callee: { user: client.user, device: null } } })
    for (const user of EIGHT) if (user !== client.user) t.notMatch(JSON.stringify(incoming), `"${user}"`)
  }
  // Being rung blocks nothing.
  await bob.post('calls', { callId: 'c2', to: 'zoe' })
  await zoe.expectEvent('call.incoming')
  t.match(await bob.expectRefusal('caller_busy', 'calls/c1/accept'), { activeCallId: 'c2' })
  await carol.post('calls/c1/accept')
  t.match(await alice.expectEvent('call.accepted'), {
    by: { user: 'carol', device: 'phone' },
    call: { callee: { user: 'carol' } }
  })
  for (const client of callees) {
    if (client === carol) continue
    t.match(await client.expectEvent('call.ended'), { reason: 'answered_elsewhere', endedBy: null })
    t.match(await client.call('c1'), { state: 'ended', reason: 'answered_elsewhere', callee: { user: client.user } })
    if (client !== bob) t.same(await client.activeCalls(), [])
  }
  t.match(await bob.expectRefusal('answered_elsewhere', 'calls/c1/accept'), { currentState: 'ended' })
  for (const action of ['cancel', 'reject', 'hangup'])
    t.match(await bob.post(`calls/c1/${action}`), { call: { state: 'ended' } })
  t.same(await bob.activeCalls(), ['c2'], 'and his own call goes on')
  t.match(await alice.call('c1'), { state: 'connecting' })
  await carol.post('calls/c1/hangup')
  await alice.expectEvent('call.ended')
  await bob.post('calls/c2/cancel')
  await zoe.expectEvent('call.ended')
  await checkNoLeases(t, scenario, ['alice', ...EIGHT])
})

flow('eight users ring in sequence, and one who calls out meanwhile is left out', async (t, scenario) => {
  const [alice, ...callees] = await addAll(scenario, EIGHT)
  const zoe = await scenario.addClient('zoe', 'phone', { node: scenario.lastNode })
  const [bob, carol, dave, erin] = callees as [TestClient, TestClient, TestClient, TestClient]
  const to = EIGHT.map(user => ({ user, ringTimeoutMs: user === 'carol' ? 5000 : 10_000 }))
  const { call } = await alice.post('calls', { callId: 'c1', to, ringStrategy: 'sequence' })
  t.strictSame(statesOf(call), ['ringing', ...Array(7).fill('waiting')])
  await bob.expectEvent('call.incoming')
  t.equal((await dave.request('GET', 'calls/c1')).status, 404, 'who waits knows nothing of the call')
  t.equal(await leasesOf(scenario, 'dave'), 0)
  await dave.post('calls', { callId: 'c2', to: 'zoe' })
  await zoe.expectEvent('call.incoming')
  await bob.post('calls/c1/reject')
  t.match(await alice.expectEvent('call.callee_changed'), {
    callee: { user: 'bob', state: 'ended', reason: 'declined' }
  })
  t.match(await alice.expectEvent('call.callee_changed'), { callee: { user: 'carol', state: 'ringing' } })
  t.match(await carol.expectEvent('call.incoming'), { expiresInMs: 5000 })
  // The timer of her ring time may fire on either node, at its next tick. dave is in another call.
  await scenario.advance(6500)
  t.match(await carol.expectEvent('call.ended'), { reason: 'no_answer' })
  t.match(await alice.expectEvent('call.callee_changed'), { callee: { user: 'carol', reason: 'no_answer' } })
  t.match(await alice.expectEvent('call.callee_changed'), { callee: { user: 'dave', state: 'ended', reason: 'busy' } })
  t.match(await alice.expectEvent('call.callee_changed'), { callee: { user: 'erin', state: 'ringing' } })
  await erin.expectEvent('call.incoming')
  await erin.post('calls/c1/accept')
  t.match(await alice.expectEvent('call.accepted'), { by: { user: 'erin' } })
  t.strictSame(statesOf(await alice.call('c1')), [
    ...['ended/declined', 'ended/no_answer', 'ended/busy', 'answered'],
    ...Array(4).fill('ended/answered_elsewhere')
  ])
  await alice.post('calls/c1/hangup')
  await erin.expectEvent('call.ended')
  await dave.post('calls/c2/cancel')
  await zoe.expectEvent('call.ended')
  await checkNoLeases(t, scenario, ['alice', ...EIGHT])
})

flow('of accepts of several users at the same time exactly one wins', async (t, scenario) => {
  const users = EIGHT.slice(0, 4)
  const [alice, ...callees] = await addAll(scenario, users)
  for (const round of [1, 2, 3]) {
    const callId = `c${round}`
    await alice.post('calls', { callId, to: users })
    for (const client of callees) await client.expectEvent('call.incoming')
    const replies = await Promise.all(callees.map(client => client.request('POST', `calls/${callId}/accept`)))
    const winners = callees.filter((_, i) => replies[i]?.status === 200)
    t.equal(winners.length, 1)
    for (const [i, client] of callees.entries()) {
      if (client === winners[0]) continue
      t.equal(replies[i]?.body.code, 'answered_elsewhere')
      t.match(await client.expectEvent('call.ended'), { reason: 'answered_elsewhere' })
    }
    t.match(await alice.expectEvent('call.accepted'), { by: { user: winners[0]?.user } })
    await alice.post(`calls/${callId}/hangup`)
    await winners[0]?.expectEvent('call.ended')
    await checkNoLeases(t, scenario, ['alice', ...users])
  }
})

flow('one device of a user rings, and the others get nothing', async (t, scenario) => {
  const [alice, bob] = await scenario.addAliceAndBob()
  const watch = await scenario.addClient('bob', 'watch', { node: scenario.lastNode })
  await alice.post('calls', { callId: 'c1', to: { user: 'bob', device: 'watch' } })
  await watch.expectEvent('call.incoming')
  t.match(await bob.expectRefusal('other_device', 'calls/c1/accept'), { currentState: 'ringing' })
  const tv = await scenario.addClient('bob', 'tv')
  await watch.post('calls/c1/accept')
  t.match(await alice.expectEvent('call.accepted'), { by: { user: 'bob', device: 'watch' } })
  await alice.post('calls/c1/hangup')
  await watch.expectEvent('call.ended')
  await alice.expectRefusal('callee_unreachable', 'calls', { callId: 'c2', to: { user: 'bob', device: 'car' } })
  await alice.post('calls', { callId: 'c3', to: [{ user: 'bob', device: 'watch' }] })
  await watch.expectEvent('call.incoming')
  await watch.post('calls/c3/reject', { scope: 'device' })
  t.match(await alice.expectEvent('call.ended'), { reason: 'declined' }, 'an array of one is no array')
  await scenario.cluster.settle()
  for (const client of [bob, tv]) t.same(await client.activeCalls(), [])
})

flow(
  'callees who are busy, offline or block the caller are left out; if none is left, the create fails',
  async (t, scenario) => {
    const [alice, bob, carol, dave] = (await addAll(scenario, ['bob', 'carol', 'dave'])) as [
      TestClient,
      TestClient,
      TestClient,
      TestClient
    ]
    const zoe = await scenario.addClient('zoe', 'phone')
    await zoe.post('calls', { callId: 'z1', to: 'bob' })
    await bob.expectEvent('call.incoming')
    await bob.post('calls/z1/accept')
    await zoe.expectEvent('call.accepted')
    await carol.request('PUT', `blocks/${scenario.toPath('alice')}`)
    const { call, delivery } = await alice.post('calls', { callId: 'c1', to: ['bob', 'carol', 'nobody', 'dave'] })
    t.strictSame(statesOf(call), ['ended/busy', 'ended/unreachable', 'ended/unreachable', 'ringing'])
    t.same(delivery, { online: 1, queued: 0 })
    await dave.expectEvent('call.incoming')
    for (const client of [bob, carol]) t.equal((await client.request('GET', 'calls/c1')).status, 404)
    await dave.post('calls/c1/reject')
    t.match(await alice.expectEvent('call.ended'), { reason: 'no_answer' })
    await alice.expectRefusal('callee_busy', 'calls', { callId: 'c2', to: ['bob', 'carol'] })
    await alice.expectRefusal('callee_unreachable', 'calls', { callId: 'c3', to: ['carol', 'nobody'] })
    await alice.expectRefusal('cannot_call_self', 'calls', { callId: 'c4', to: ['bob', 'alice'] })
    await alice.expectRefusal('invalid_request', 'calls', { callId: 'c5', to: ['bob', 'dave', { user: 'bob' }] })
    await alice.expectRefusal('invalid_request', 'calls', { callId: 'c6', to: [] })
    await alice.expectRefusal('too_large', 'calls', { callId: 'c7', to: [...EIGHT, 'judy'] })
    t.same(await alice.activeCalls(), [])
    await zoe.post('calls/z1/hangup')
    await bob.expectEvent('call.ended')
    await checkNoLeases(t, scenario, ['alice', 'bob', 'carol', 'dave'])
  }
)

flow('one of several calls the caller back: that is an accept', async (t, scenario) => {
  const [alice, bob, carol] = (await addAll(scenario, ['bob', 'carol'])) as [TestClient, TestClient, TestClient]
  await alice.post('calls', { callId: 'c1', to: ['bob', 'carol'] })
  for (const client of [bob, carol]) await client.expectEvent('call.incoming')
  t.match(await bob.post('calls', { callId: 'b1', to: 'alice' }), { resolution: 'merged', call: { callId: 'c1' } })
  t.match(await alice.expectEvent('call.accepted'), { by: { user: 'bob' } })
  t.match(await carol.expectEvent('call.ended'), { reason: 'answered_elsewhere' })
  await alice.post('calls/c1/hangup')
  await bob.expectEvent('call.ended')
  await checkNoLeases(t, scenario, ['alice', 'bob', 'carol'])
})

flow(
  'a repeated create rings nobody again, and an accept elsewhere ends the other rings as busy',
  async (t, scenario) => {
    const [alice, bob, carol] = (await addAll(scenario, ['bob', 'carol'])) as [TestClient, TestClient, TestClient]
    const zoe = await scenario.addClient('zoe', 'phone')
    const request = { callId: 'c1', to: ['bob', 'carol'], ringStrategy: 'sequence' }
    await alice.post('calls', request)
    await bob.expectEvent('call.incoming')
    t.match(await alice.post('calls', request), { resolution: 'existing' })
    await zoe.post('calls', { callId: 'z1', to: 'bob' })
    await bob.expectEvent('call.incoming')
    await bob.post('calls/z1/accept')
    await zoe.expectEvent('call.accepted')
    t.match(await bob.expectEvent('call.ended'), { callId: 'c1', reason: 'busy' })
    t.match(await alice.expectEvent('call.callee_changed'), { callee: { user: 'bob', reason: 'busy' } })
    t.match(await alice.expectEvent('call.callee_changed'), { callee: { user: 'carol', state: 'ringing' } })
    await carol.expectEvent('call.incoming')
    await alice.post('calls/c1/cancel')
    t.match(await carol.expectEvent('call.ended'), { reason: 'cancelled' })
    await zoe.post('calls/z1/hangup')
    await bob.expectEvent('call.ended')
    await checkNoLeases(t, scenario, ['alice', 'bob', 'carol'])
  }
)

flow(
  'each callee counts as a call',
  async (t, scenario) => {
    const [alice] = await addAll(scenario, [])
    t.equal((await alice.request('POST', 'calls', { to: EIGHT })).body.code, 'callee_unreachable')
    t.equal((await alice.request('POST', 'calls', { to: EIGHT })).body.code, 'rate_limited')
  },
  { env: { RATE_LIMIT_CALLS: '12' } }
)

flow(
  'who calls back while the call to several is made accepts it',
  async (t, scenario) => {
    const [alice, bob, carol] = (await addAll(scenario, ['bob', 'carol'])) as [TestClient, TestClient, TestClient]
    // Her create has taken the first of its leases, and its call is not committed: on a Cluster these are several steps.
    const [hers, callId] = [scenario.toWire('alice'), scenario.toWire('c1')]
    const lease = {
      holder: joinIds(callId, hers, '1'),
      peer: '',
      kind: 'active',
      role: 'phone',
      at: scenario.now()
    } as const
    await scenario.store.leases.take(hers, lease, {})
    const { clock } = scenario.cluster
    await scenario.cluster.settle()
    const timers = clock.waiting
    const back = bob.request('POST', 'calls', { callId: 'back', to: 'alice' })
    await until('his create waits for hers', () => clock.waiting > timers)
    await alice.post('calls', { callId: 'c1', to: ['bob', 'carol'] })
    t.match(await scenario.cluster.advanceDuring(back), {
      status: 200,
      body: { resolution: 'merged', call: { callId: 'c1' } }
    })
    t.match(await alice.expectEvent('call.accepted'), { by: { user: 'bob' } })
    await bob.expectEvent('call.incoming')
    await carol.expectEvent('call.incoming')
    await carol.expectEvent('call.ended')
  },
  { env: { CALL_WAITING: 'false' } }
)
