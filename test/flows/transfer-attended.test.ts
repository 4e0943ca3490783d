// Attended transfer: alice is in a call with bob, consults carol, and joins the two.
import type { Test } from 'tap'
import type { CallState } from '../../src/domain/call/state.js'
import { deadlineOf } from '../../src/domain/call/state.js'
import type { CallTimeline } from '../../src/schemas/timeline.js'
import { consult, hangUp, isFree, ring, talk } from '../helpers/consultation.js'
import { flow, type Scenario } from '../helpers/scenario.js'

for (const pair of [
  ['c1', 'c2'],
  ['c2', 'c1']
] as const)
  flow(`a transfer of ${pair.join(' to ')} joins bob and carol in the older call`, async (t, scenario) => {
    const { alice, bob, carol } = await consult(scenario)
    await ring(t, { alice, bob, carol }, pair)
    // A repeat, and the same request from the other direction, change nothing.
    for (const [callId, toCall] of [pair, [...pair].reverse()])
      t.match(await alice.post(`calls/${callId}/transfer`, { toCall }), { call: { callId: 'c1', state: 'connected' } })
    await carol.post('calls/c1/accept')
    t.match(await bob.expectEvent('call.transferred'), { by: alice.endpoint, call: { callee: carol.endpoint } })
    const ended = { reason: 'transferred', endedBy: alice.endpoint }
    t.match(await alice.expectEvent('call.ended'), { callId: 'c1', ...ended })
    t.match(await alice.expectEvent('call.ended'), { callId: 'c2', ...ended })
    t.match(await carol.expectEvent('call.ended'), { callId: 'c2', ...ended })
    await isFree(t, scenario, alice)
    t.match(
      await alice.post('calls/c1/transfer', { toCall: 'c2' }),
      { call: { reason: 'transferred' } },
      'a late repeat'
    )
    const { body } = await bob.request('GET', 'calls/c1/timeline')
    const { entries } = body as unknown as CallTimeline
    const joining = entries.filter(({ toCall }) => toCall !== undefined)
    t.match(joining, [
      { type: 'transferring', to: 'carol', toCall: 'c2' },
      { type: 'transferred', to: 'carol', toCall: 'c2' }
    ])
    await hangUp('c1', carol, bob)
    await isFree(t, scenario, bob, carol)
  })

flow('a consultation is one more call, and only of the named one', async (t, scenario) => {
  const { alice, bob, carol } = await consult(scenario)
  const dave = await scenario.addClient('dave', 'phone')
  await alice.expectRefusal('caller_busy', 'calls', { callId: 'c3', to: 'dave' })
  for (const consultationOf of ['c1', 'c2'])
    await alice.expectRefusal('caller_busy', 'calls', { callId: 'c3', to: 'dave', consultationOf })
  await dave.expectRefusal('call_not_found', 'calls', { callId: 'c3', to: 'bob', consultationOf: 'c1' })
  await dave.expectRefusal('callee_busy', 'calls', { callId: 'c3', to: 'alice' })
  await alice.expectRefusal('invalid_request', 'calls/c1/transfer', { toCall: 'c1' })
  await alice.expectRefusal('invalid_request', 'calls/c1/transfer', { toCall: 'c2', to: 'dave' })
  await alice.expectRefusal('invalid_request', 'calls/c1/transfer', {})
  await alice.expectRefusal('call_not_found', 'calls/c1/transfer', { toCall: 'none' })
  await bob.expectRefusal('call_not_found', 'calls/c1/transfer', { toCall: 'c2' })
  await hangUp('c1', alice, bob)
  await alice.expectRefusal('call_ended', 'calls/c2/transfer', { toCall: 'c1' })
  await alice.expectRefusal('call_ended', 'calls', { callId: 'c4', to: 'dave', consultationOf: 'c1' })
  await hangUp('c2', alice, carol)
  t.match(
    await alice.post('calls', { callId: 'c2', to: 'carol', consultationOf: 'c1' }),
    { resolution: 'existing' },
    'a late repeat of the create'
  )
  await isFree(t, scenario, alice, bob, carol)
})

flow('the target declines or does not answer: both calls go on', async (t, scenario) => {
  const { alice, bob, carol } = await consult(scenario)
  for (const reason of ['declined', 'no_answer'] as const) {
    await ring(t, { alice, bob, carol })
    if (reason === 'declined') await carol.post('calls/c1/reject')
    else await scenario.advance(scenario.config.ringTimeoutMs + 1000)
    for (const client of [alice, bob])
      t.match(await client.expectEvent('call.transfer_failed'), { callId: 'c1', reason, to: carol.endpoint })
    if (reason === 'no_answer') t.match(await carol.expectEvent('call.ended'), { callId: 'c1', reason })
    for (const [client, callId] of [
      [bob, 'c1'],
      [carol, 'c2'],
      [alice, 'c1'],
      [alice, 'c2']
    ] as const)
      t.match(await client.call(callId), { state: 'connected' })
  }
  await hangUp('c2', carol, alice)
  await hangUp('c1', bob, alice)
  await isFree(t, scenario, alice, bob, carol)
})

flow('the transferor hangs up one call or both while the target rings', async (t, scenario) => {
  const { alice, bob, carol } = await consult(scenario)
  await ring(t, { alice, bob, carol })
  await alice.post('calls/c1/hangup')
  t.match(await bob.expectEvent('call.transferring'), { left: true, toCall: 'c2' })
  await hangUp('c2', alice, carol)
  await isFree(t, scenario, alice)
  await carol.post('calls/c1/accept')
  t.match(await bob.expectEvent('call.transferred'), { call: { callee: carol.endpoint } })
  await hangUp('c1', bob, carol)
  await isFree(t, scenario, bob, carol)
})

flow('the transferor has left the older call: the newer one ends with the accept', async (t, scenario) => {
  const { alice, bob, carol } = await consult(scenario)
  await ring(t, { alice, bob, carol }, ['c2', 'c1'])
  await alice.post('calls/c1/hangup')
  await bob.expectEvent('call.transferring')
  await carol.post('calls/c1/accept')
  await bob.expectEvent('call.transferred')
  for (const client of [alice, carol])
    t.match(await client.expectEvent('call.ended'), { callId: 'c2', reason: 'transferred' })
  await hangUp('c1', bob, carol)
  await isFree(t, scenario, alice, bob, carol)
})

flow('a transfer of the newer call is taken back when that call ends', async (t, scenario) => {
  const { alice, bob, carol } = await consult(scenario)
  const dave = await scenario.addClient('dave', 'phone')
  await carol.post('calls/c2/transfer', { to: 'dave' })
  await alice.expectEvent('call.transferring')
  await dave.expectEvent('call.incoming')
  await ring(t, { alice, bob, carol })
  await carol.post('calls/c1/accept')
  await bob.expectEvent('call.transferred')
  for (const callId of ['c1', 'c2']) t.match(await alice.expectEvent('call.ended'), { callId, reason: 'transferred' })
  t.match(await carol.expectEvent('call.ended'), { callId: 'c2', reason: 'transferred' })
  t.match(await dave.expectEvent('call.ended'), { callId: 'c2', reason: 'cancelled' })
  await isFree(t, scenario, alice, dave)
  await hangUp('c1', bob, carol)
  await isFree(t, scenario, bob, carol)
})

flow('the target has left the newer call by a transfer of its own, which goes on', async (t, scenario) => {
  const { alice, bob, carol } = await consult(scenario)
  const dave = await scenario.addClient('dave', 'phone')
  await ring(t, { alice, bob, carol })
  await carol.post('calls/c2/transfer', { to: 'dave' })
  await alice.expectEvent('call.transferring')
  await dave.expectEvent('call.incoming')
  await dave.post('calls/c2/accept')
  await alice.expectEvent('call.transferred')
  t.match(await carol.expectEvent('call.ended'), { callId: 'c2', reason: 'transferred', endedBy: carol.endpoint })
  await carol.post('calls/c1/accept')
  await bob.expectEvent('call.transferred')
  t.match(await alice.expectEvent('call.ended'), { callId: 'c1', reason: 'transferred' })
  await scenario.cluster.settle()
  t.match(await alice.call('c2'), { state: 'connecting', callee: dave.endpoint })
  await hangUp('c2', dave, alice)
  await hangUp('c1', carol, bob)
  await isFree(t, scenario, alice, bob, carol, dave)
})

flow('both parties of the newer call join it with another one', async (t, scenario) => {
  const { alice, bob, carol } = await consult(scenario)
  const erin = await scenario.addClient('erin', 'phone', { node: scenario.lastNode })
  await ring(t, { alice, bob, carol })
  await scenario.advance(1000)
  await talk(carol, erin, { callId: 'c3', consultationOf: 'c2' })
  await carol.expectRefusal('caller_busy', 'calls/c1/accept')
  t.match(await carol.post('calls/c3/transfer', { toCall: 'c2' }), { call: { callId: 'c2' } })
  t.match(await alice.expectEvent('call.transferring'), { callId: 'c2', toCall: 'c3' })
  t.match(await erin.expectEvent('call.incoming'), { callId: 'c2', replaces: 'c3', from: alice.endpoint })
  await erin.post('calls/c2/accept')
  await alice.expectEvent('call.transferred')
  for (const callId of ['c2', 'c3']) t.match(await carol.expectEvent('call.ended'), { callId, reason: 'transferred' })
  t.match(await erin.expectEvent('call.ended'), { callId: 'c3', reason: 'transferred' })
  await carol.post('calls/c1/accept')
  await bob.expectEvent('call.transferred')
  t.match(await alice.expectEvent('call.ended'), { callId: 'c1', reason: 'transferred' })
  await scenario.cluster.settle()
  t.match(await alice.call('c2'), { state: 'connecting', callee: erin.endpoint })
  await hangUp('c1', carol, bob)
  await hangUp('c2', erin, alice)
  await isFree(t, scenario, alice, bob, carol, erin)
})

/** The state after an accept whose node has died before it ended the other call. */
async function leaveReplaced(t: Test, scenario: Scenario) {
  const ref = { kind: 'call', id: scenario.toWire('c1') } as const
  const stored = await scenario.store.aggregates.load(ref)
  const before = JSON.parse(stored?.state ?? '') as CallState
  const { version, tag = '' } = stored ?? { version: 0 }
  const now = scenario.now()
  const endpoint = (user: string, device: string) => ({ user: scenario.toWire(user), device })
  const [by, to] = [endpoint('alice', 'phone'), endpoint('carol', 'tablet')]
  const replaced = [{ callId: scenario.toWire('c2'), by, to, endsAt: now + 2000 }]
  const state = { ...before, version: version + 1, replaced }
  const commit = { mail: [], log: [], deadlineAt: deadlineOf(state), expireInMs: null, now }
  const written = { expected: { version, tag }, version: state.version, tag: 'dead', state: JSON.stringify(state) }
  t.match(await scenario.store.aggregates.commit(ref, { ...commit, ...written }), { ok: true })
}

for (const isOver of [false, true])
  flow(
    `a node dies after the accept: the deadline ends the newer call${isOver ? ', also when the older one has ended' : ''}`,
    async (t, scenario) => {
      const { alice, bob, carol } = await consult(scenario)
      await leaveReplaced(t, scenario)
      if (isOver) await hangUp('c1', bob, alice)
      t.match(await carol.call('c2'), { state: 'connected' })
      await scenario.advance(3_000)
      for (const client of [alice, carol])
        t.match(await client.expectEvent('call.ended'), {
          callId: 'c2',
          reason: 'transferred',
          endedBy: alice.endpoint
        })
      if (!isOver) await hangUp('c1', bob, alice)
      await isFree(t, scenario, alice, bob, carol)
    }
  )
