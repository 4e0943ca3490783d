// Attended transfers that are refused, that cross other requests, or that need leases: alice is in c1 with bob and in c2 with carol.
import t, { type Test } from 'tap'
import type { PolicyQuestion } from '../../src/schemas/policy.js'
import { connect } from '../helpers/connected-call.js'
import { type Consulting, consult, hangUp, isFree, ring, talk } from '../helpers/consultation.js'
import { operate, WITH_ADMIN } from '../helpers/operator.js'
import { PolicyService } from '../helpers/policy-service.js'
import { flow, type Scenario } from '../helpers/scenario.js'
import { sdp } from '../helpers/sdp.js'

const JOIN = { toCall: 'c2' }
const TWO_CALLS = { env: { MAX_CALLS_PER_USER: '2' } }

async function areUnchanged(t: Test, { alice, bob, carol }: Consulting): Promise<void> {
  for (const [client, callId] of [
    [alice, 'c1'],
    [bob, 'c1'],
    [alice, 'c2'],
    [carol, 'c2']
  ] as const) {
    const call = await client.call(callId)
    t.match(call, { state: 'connected' }, `${callId} of ${client.user}`)
    t.notOk('transfer' in call, 'no transfer is pending')
  }
}

async function hangUpBoth(t: Test, scenario: Scenario, { alice, bob, carol }: Consulting): Promise<void> {
  await hangUp('c1', alice, bob)
  await hangUp('c2', alice, carol)
  await isFree(t, scenario, alice, bob, carol)
}

async function accept(t: Test, { alice, bob, carol }: Consulting): Promise<void> {
  await carol.post('calls/c1/accept')
  await bob.expectEvent('call.transferred')
  for (const callId of ['c1', 'c2']) t.match(await alice.expectEvent('call.ended'), { callId, reason: 'transferred' })
  t.match(await carol.expectEvent('call.ended'), { callId: 'c2', reason: 'transferred' })
}

flow('a consultation that rings, also for several users, cannot be joined yet', async (t, scenario) => {
  const [alice, bob] = await scenario.addAliceAndBob()
  const [carol, dave] = [await scenario.addClient('carol', 'tablet'), await scenario.addClient('dave', 'phone')]
  await talk(alice, bob, { callId: 'c1' })
  await scenario.advance(1000)
  await alice.post('calls', { callId: 'c2', to: ['carol', 'dave'], consultationOf: 'c1' })
  for (const client of [carol, dave]) await client.expectEvent('call.incoming')
  const refused = async () => {
    await alice.expectRefusal('wrong_state', 'calls/c1/transfer', JOIN)
    await alice.expectRefusal('wrong_state', 'calls/c2/transfer', { toCall: 'c1' })
  }
  await refused()
  await carol.post('calls/c2/accept')
  await dave.expectEvent('call.ended')
  await alice.expectEvent('call.accepted')
  await refused()
  await alice.post('calls/c2/connected')
  await carol.expectEvent('call.connected')
  await areUnchanged(t, { alice, bob, carol })
  await ring(t, { alice, bob, carol })
  await accept(t, { alice, bob, carol })
  await hangUp('c1', bob, carol)
  await isFree(t, scenario, alice, bob, carol, dave)
})

flow('another device, a pending transfer and a loop are refused, and nothing changes', async (t, scenario) => {
  const users = await consult(scenario)
  const { alice, bob, carol } = users
  const watch = await scenario.addClient('alice', 'watch', { silent: true })
  const dave = await scenario.addClient('dave', 'phone')
  await watch.expectRefusal('other_device', 'calls/c1/transfer', JOIN)
  await watch.expectRefusal('other_device', 'calls', { callId: 'c3', to: 'dave', consultationOf: 'c1' })
  // alice is in a call with each of the two already.
  await carol.expectRefusal('callee_busy', 'calls/c2/transfer', { to: 'bob' })
  await bob.expectRefusal('callee_busy', 'calls/c1/transfer', { to: 'carol' })
  await carol.expectRefusal('invalid_request', 'calls/c2/transfer', { to: 'alice' })
  await carol.expectRefusal('cannot_call_self', 'calls/c2/transfer', { to: 'carol' })
  await areUnchanged(t, users)
  await bob.post('calls/c1/transfer', { to: 'dave' })
  await alice.expectEvent('call.transferring')
  await dave.expectEvent('call.incoming')
  await alice.expectRefusal('transfer_pending', 'calls/c1/transfer', JOIN)
  await alice.expectRefusal('transfer_pending', 'calls/c2/transfer', { toCall: 'c1' })
  await dave.post('calls/c1/reject')
  for (const client of [alice, bob]) await client.expectEvent('call.transfer_failed')
  await areUnchanged(t, users)
  await hangUpBoth(t, scenario, users)
})

flow('requests of both parties that cross: one of the transfers is pending', async (t, scenario) => {
  const { alice, bob, carol } = await consult(scenario)
  const dave = await scenario.addClient('dave', 'phone')
  const replies = await Promise.all([
    alice.request('POST', 'calls/c1/transfer', JOIN),
    alice.request('POST', 'calls/c2/transfer', { toCall: 'c1' }),
    bob.request('POST', 'calls/c1/transfer', { to: 'dave' })
  ])
  const [one, same, byBob] = replies.map(({ status, body }) => (status === 200 ? 'pending' : body.code))
  t.equal(one, same, 'both directions mean the same')
  t.same([one, byBob].sort(), ['pending', 'transfer_pending'])
  const { transfer } = await alice.call('c1')
  t.match(transfer, one === 'pending' ? { by: 'caller', ...JOIN } : { by: 'callee', to: { user: 'dave' } })
  await (one === 'pending' ? bob : alice).post('calls/c1/hangup')
  await carol.post('calls/c2/hangup')
  await isFree(t, scenario, alice, bob, carol, dave)
  for (const client of [alice, bob, carol, dave]) await client.poll()
})

for (const [callId, by] of [
  ['c2', 'alice'],
  ['c2', 'carol'],
  ['c1', 'alice'],
  ['c1', 'bob']
] as const)
  flow(`${by} hangs ${callId} up while the target accepts`, async (t, scenario) => {
    const users = await consult(scenario)
    await ring(t, users)
    const { alice, bob, carol } = users
    const [accepted] = await Promise.all([
      carol.request('POST', 'calls/c1/accept'),
      users[by].request('POST', `calls/${callId}/hangup`)
    ])
    await scenario.cluster.settle()
    const isAccepted = accepted.status === 200
    t.ok(isAccepted || (by === 'bob' && accepted.body.code === 'call_ended'), 'only the end of c1 prevents the accept')
    t.match(await alice.call('c1'), { state: 'ended' })
    t.match(await alice.call('c2'), { state: isAccepted || callId === 'c2' ? 'ended' : 'connected' })
    for (const [client, other] of [
      [bob, 'c1'],
      [alice, 'c2']
    ] as const)
      await client.request('POST', `calls/${other}/hangup`)
    await isFree(t, scenario, alice, bob, carol)
    for (const client of [alice, bob, carol]) await client.poll()
  })

flow('the target is in the newer call with another user when it accepts: it hangs up there', async (t, scenario) => {
  const users = await consult(scenario)
  const { alice, bob, carol } = users
  const dave = await scenario.addClient('dave', 'phone')
  await ring(t, users)
  await alice.post('calls/c2/transfer', { to: 'dave' })
  await carol.expectEvent('call.transferring')
  await dave.expectEvent('call.incoming')
  await dave.post('calls/c2/accept')
  await carol.expectEvent('call.transferred')
  t.match(await alice.expectEvent('call.ended'), { callId: 'c2', reason: 'transferred' })
  await carol.post('calls/c1/accept')
  await bob.expectEvent('call.transferred')
  await alice.expectEvent('call.ended')
  for (const client of [carol, dave])
    t.match(await client.expectEvent('call.ended'), { callId: 'c2', reason: 'hangup', endedBy: carol.endpoint })
  t.same(await carol.activeCalls(), ['c1'])
  await hangUp('c1', bob, carol)
  await isFree(t, scenario, alice, bob, carol, dave)
})

const answers: Readonly<Record<string, object>> = { carol: { allow: true, ringTimeoutMs: 7000 } }
let answer = answers.carol ?? {}
const service = await PolicyService.start((question: PolicyQuestion) =>
  question.action === 'transfer' && question.to === 'carol' ? answer : { allow: true }
)
t.teardown(() => service.close())

flow(
  'the policy is asked with the other call; a redirect joins no calls',
  async (t, scenario) => {
    const users = await consult(scenario)
    const { alice, bob, carol } = users
    const dave = await scenario.addClient('dave', 'phone')
    answer = { allow: false, reason: 'not now' }
    await alice.expectRefusal('policy_denied', 'calls/c2/transfer', { toCall: 'c1' })
    await areUnchanged(t, users)
    const questions = scenario.fromWire(service.received)
    const asked = questions.filter(each => each.action === 'transfer' && each.callId === 'c1')
    t.match(asked, [{ caller: alice.endpoint, transferee: bob.endpoint, to: 'carol', toCall: 'c2' }])
    answer = { allow: true, to: 'dave' }
    const { call } = await alice.post('calls/c1/transfer', JOIN)
    t.match(call, { transfer: { to: { user: 'dave', device: null } } })
    t.notOk('toCall' in ((call as { transfer: object }).transfer ?? {}))
    await bob.expectEvent('call.transferring')
    t.notOk('replaces' in (await dave.expectEvent('call.incoming')))
    await dave.post('calls/c1/accept')
    await bob.expectEvent('call.transferred')
    t.match(await alice.expectEvent('call.ended'), { callId: 'c1' })
    answer = answers.carol ?? {}
    t.match(await carol.call('c2'), { state: 'connected' })
    await hangUp('c1', bob, dave)
    await hangUp('c2', carol, alice)
    await isFree(t, scenario, alice, bob, carol, dave)
  },
  { env: { POLICY_URL: service.url, POLICY_TIMEOUT_MS: '10000' } }
)

for (const blocked of ['alice', 'bob'] as const)
  flow(`a target who blocks ${blocked} since the consultation began is unreachable`, async (t, scenario) => {
    const users = await consult(scenario)
    await users.carol.request('PUT', `blocks/${scenario.toPath(blocked)}`)
    await users.alice.expectRefusal('callee_unreachable', 'calls/c1/transfer', JOIN)
    await areUnchanged(t, users)
    await hangUpBoth(t, scenario, users)
  })

flow(
  'the call that ends does not count when the target accepts: its other calls go on ringing',
  async (t, scenario) => {
    const users = await consult(scenario)
    const erin = await scenario.addClient('erin', 'phone')
    await erin.post('calls', { callId: 'c4', to: 'carol' })
    await users.carol.expectEvent('call.incoming')
    await ring(t, users)
    await accept(t, users)
    await scenario.cluster.settle()
    t.match(await erin.call('c4'), { state: 'ringing' })
    await users.carol.post('calls/c4/accept')
    await erin.expectEvent('call.accepted')
    await hangUp('c4', erin, users.carol)
    await hangUp('c1', users.bob, users.carol)
    await isFree(t, scenario, users.alice, users.bob, users.carol, erin)
  },
  TWO_CALLS
)

flow(
  'the callee of two calls joins their callers',
  async (t, scenario) => {
    const [alice, bob] = await scenario.addAliceAndBob()
    const carol = await scenario.addClient('carol', 'tablet')
    await talk(bob, alice, { callId: 'c1' })
    await scenario.advance(1000)
    await talk(carol, alice, { callId: 'c2' })
    t.match(await alice.post('calls/c2/transfer', { toCall: 'c1' }), {
      call: { callId: 'c1', transfer: { by: 'callee' } }
    })
    await bob.expectEvent('call.transferring')
    await carol.expectEvent('call.incoming')
    await accept(t, { alice, bob, carol })
    await bob.post('calls/c1/offer', { sdp: sdp('bobB') })
    await carol.expectEvent('signal.offer')
    await hangUp('c1', bob, carol)
    await isFree(t, scenario, alice, bob, carol)
  },
  TWO_CALLS
)

flow(
  'a call that an operator has started is joined',
  async (t, scenario) => {
    const [alice, bob] = await scenario.addAliceAndBob()
    const carol = await scenario.addClient('carol', 'tablet')
    const [from, to] = [scenario.toWire('alice'), scenario.toWire('bob')]
    await operate(scenario, 'POST', 'calls', { node: 0, body: { callId: scenario.toWire('c1'), from, to } })
    await alice.expectEvent('call.incoming')
    await alice.post('calls/c1/accept')
    await bob.expectEvent('call.incoming')
    await connect(alice, bob)
    await scenario.advance(1000)
    await talk(alice, carol, { callId: 'c2', consultationOf: 'c1' })
    await ring(t, { alice, bob, carol })
    await accept(t, { alice, bob, carol })
    await hangUp('c1', carol, bob)
    await isFree(t, scenario, alice, bob, carol)
  },
  { env: WITH_ADMIN }
)

flow('leases that Redis has lost are taken again, also those of both calls of alice', async (t, scenario) => {
  const users = await consult(scenario)
  const { alice, bob, carol } = users
  await alice.post('calls/c1/transfer', { ...JOIN, ringTimeoutMs: 90_000 })
  await bob.expectEvent('call.transferring')
  await carol.expectEvent('call.incoming')
  const leasesOf = async (user: string) =>
    (await scenario.store.leases.list(scenario.toWire(user)))
      .map(({ holder, kind }) => `${kind.slice(0, 7)} ${holder}`)
      .sort()
  const before = [await leasesOf('alice'), await leasesOf('bob'), await leasesOf('carol')]
  t.same(
    before.map(({ length }) => length),
    [2, 1, 2]
  )
  for (const user of ['alice', 'bob', 'carol'])
    for (const { holder } of await scenario.store.leases.list(scenario.toWire(user)))
      await scenario.store.leases.release(scenario.toWire(user), holder)
  await scenario.advance(60_000)
  await scenario.cluster.settle()
  t.same([await leasesOf('alice'), await leasesOf('bob'), await leasesOf('carol')], before)
  await accept(t, users)
  await hangUp('c1', bob, carol)
  await isFree(t, scenario, alice, bob, carol)
})
