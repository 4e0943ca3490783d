// A node dies right after a commit, before its events are delivered, as it can on a Cluster: the same commit is made here through the
// store port with its mail held back, and nobody goes on from there but the nodes that live.

import type { CallCommand } from '../../src/domain/call/command.js'
import { decideCall } from '../../src/domain/call/decide-call.js'
import { type CallState, deadlineOf } from '../../src/domain/call/state.js'
import { decideRefusal } from '../../src/domain/call/tombstone.js'
import { createIds } from '../../src/ids.js'
import { holderOfCall } from '../../src/services/call/lease-holder.js'
import { toMail } from '../../src/services/mail.js'
import { flow, type Scenario } from '../helpers/scenario.js'
import { sdp } from '../helpers/sdp.js'
import type { TestClient } from '../helpers/test-client.js'

/** See docs/architecture.md, "What a commit does". */
const DELIVERED_WITHIN_MS = 2_000

async function commitAndDie(
  scenario: Scenario,
  callId: string,
  command: (client: TestClient) => CallCommand,
  actor: TestClient
) {
  const ref = { kind: 'call', id: scenario.toWire(callId) } as const
  const known = await scenario.store.aggregates.load(ref)
  const before = JSON.parse(known?.state ?? 'null') as CallState | null
  const now = scenario.now()
  const { state, events } = decideCall(before, command(actor), now)
  const parties = ['alice', 'bob'].map(name => scenario.toWire(name))
  const said = state.phase === 'ended' ? { release: holderOfCall(state) } : {}
  const { ok } = await scenario.store.aggregates.commit(ref, {
    expected: known && { version: known.version, tag: known.tag },
    version: state.version,
    tag: createIds().tag(),
    state: JSON.stringify(state),
    mail: toMail({ events, now }, parties, said),
    isHeld: true,
    log: [],
    deadlineAt: deadlineOf(state),
    expireInMs: state.phase === 'ended' ? scenario.config.retentionMs : null,
    now
  })
  if (!ok) throw new Error('nobody else was there')
}

flow('what it committed is delivered within two seconds', async (t, scenario) => {
  const [alice, bob] = await scenario.addAliceAndBob()
  const watch = await scenario.addClient('bob', 'watch')
  const as = ({ user, device }: TestClient) => ({ user: scenario.toWire(user), device })
  await alice.post('calls', { callId: 'c1', to: 'bob' })
  for (const his of [bob, watch]) await his.expectEvent('call.incoming')

  await commitAndDie(
    scenario,
    'c1',
    who => ({ type: 'accept', actor: as(who), connectMs: 30_000, checkMs: 15_000 }),
    bob
  )
  await scenario.advance(DELIVERED_WITHIN_MS)
  // The clock stands still from here: whatever is heard was delivered in time.
  t.match(await alice.expectEvent('call.accepted'), { by: bob.endpoint })
  t.match(await watch.expectEvent('call.ended'), { reason: 'answered_elsewhere' })

  await commitAndDie(scenario, 'c1', who => ({ type: 'hangup', actor: as(who), reason: 'hangup' }), alice)
  await scenario.advance(DELIVERED_WITHIN_MS)
  t.match(await bob.expectEvent('call.ended'), { reason: 'hangup', endedBy: alice.endpoint })
  await alice.post('calls', { callId: 'c2', to: 'bob' })
  for (const his of [bob, watch]) await his.expectEvent('call.incoming')
  await alice.post('calls/c2/cancel')
  for (const his of [bob, watch]) await his.expectEvent('call.ended')
})

flow('a device that comes before it is delivered rings once', async (t, scenario) => {
  const [alice, laptop] = await scenario.addAliceAndBob()
  const [caller, to, callId] = [
    { user: scenario.toWire('alice'), device: 'phone' },
    scenario.toWire('bob'),
    scenario.toWire('c1')
  ]
  const lease = { holder: `${callId}/${caller.user}/1`, at: scenario.now() }
  await scenario.store.leases.take(caller.user, { ...lease, peer: to, kind: 'active', role: 'caller/phone' }, {})
  await scenario.store.leases.take(to, { ...lease, peer: caller.user, kind: 'ringing', role: 'callee/phone' }, {})
  const create = {
    type: 'create',
    callId,
    actor: caller,
    to,
    media: null,
    metadata: {},
    offer: null,
    attempt: 1
  } as const
  await commitAndDie(scenario, 'c1', () => ({ ...create, ringMs: 30_000 }), alice)
  // One comes with a stream, one asks where things stand, one does both at once, one only shows that it is there.
  const watch = await scenario.addClient('bob', 'watch', { node: scenario.lastNode })
  const [tv, car, fridge] = (await Promise.all(
    ['tv', 'car', 'fridge'].map(device => scenario.addClient('bob', device, { node: scenario.lastNode, silent: true }))
  )) as [TestClient, TestClient, TestClient]
  tv.startFrom((await tv.request('GET', 'snapshot')).body.cursor)
  await tv.openStream()
  await Promise.all([car.request('GET', 'snapshot'), car.openStream()])
  await fridge.request('PUT', 'presence', {})
  await fridge.openStream('start')
  for (const his of [laptop, watch, tv, car, fridge]) t.match(await his.expectEvent('call.incoming'), { callId: 'c1' })
  await alice.post('calls/c1/cancel')
  for (const his of [laptop, watch, tv, car, fridge])
    t.match(await his.expectEvent('call.ended'), { reason: 'cancelled' })
})

flow('or before that, by the next command of that call, and in order', async (t, scenario) => {
  const [alice, bob] = await scenario.addAliceAndBob()
  const as = ({ user, device }: TestClient) => ({ user: scenario.toWire(user), device })
  await alice.post('calls', { callId: 'c1', to: 'bob' })
  await bob.expectEvent('call.incoming')
  await commitAndDie(
    scenario,
    'c1',
    who => ({ type: 'accept', actor: as(who), connectMs: 30_000, checkMs: 15_000 }),
    bob
  )
  t.match(await alice.post('calls/c1/offer', { sdp: sdp('aliceA') }), { revision: 1 })
  await alice.expectEvent('call.accepted')
  await bob.expectEvent('signal.offer')
  await commitAndDie(scenario, 'c1', who => ({ type: 'connected', actor: as(who) }), alice)
  await bob.post('calls/c1/accept')
  await bob.expectEvent('call.connected')
  await commitAndDie(scenario, 'c1', who => ({ type: 'hangup', actor: as(who), reason: 'hangup' }), alice)
  t.match(await bob.post('calls/c1/hangup'), { call: { state: 'ended', endedBy: alice.endpoint } })
  t.match(await bob.expectEvent('call.ended'), { endedBy: alice.endpoint })
  t.same([await alice.activeCalls(), await bob.activeCalls()], [[], []])
})

flow('a retry of what it committed finds it done', async (t, scenario) => {
  const [alice, bob] = await scenario.addAliceAndBob()
  const as = ({ user, device }: TestClient) => ({ user: scenario.toWire(user), device })
  await alice.post('calls', { callId: 'c1', to: 'bob' })
  await bob.expectEvent('call.incoming')
  await commitAndDie(
    scenario,
    'c1',
    who => ({ type: 'accept', actor: as(who), connectMs: 30_000, checkMs: 15_000 }),
    bob
  )
  t.match(await bob.post('calls/c1/accept'), { call: { state: 'connecting', version: 2 } })
  t.match(await alice.expectEvent('call.accepted'), { call: { version: 2 } })
  await bob.post('calls/c1/hangup')
  await alice.expectEvent('call.ended')
})

flow('a merge that it left half done is finished by the retry', async (t, scenario) => {
  const [alice, bob] = await scenario.addAliceAndBob()
  await alice.post('calls', { callId: 'a1', to: 'bob' })
  await bob.expectEvent('call.incoming')
  const [actor, to] = [{ user: scenario.toWire('bob'), device: 'laptop' }, scenario.toWire('alice')]
  const because = { code: 'merged', into: scenario.toWire('a1') } as const
  const { state } = decideRefusal(
    null,
    { callId: scenario.toWire('b1'), actor, to, attempt: 1, because, keepMs: scenario.config.retentionMs },
    scenario.now()
  )
  await scenario.store.aggregates.commit(
    { kind: 'call', id: scenario.toWire('b1') },
    {
      expected: null,
      version: 1,
      tag: 'merge',
      state: JSON.stringify(state),
      mail: [],
      log: [],
      deadlineAt: null,
      expireInMs: 60_000,
      now: scenario.now()
    }
  )
  const merged = { resolution: 'merged', call: { callId: 'a1', state: 'connecting', callee: bob.endpoint } }
  t.match(await bob.post('calls', { callId: 'b1', to: 'alice' }), merged)
  t.match(await alice.expectEvent('call.accepted'), { by: bob.endpoint })
  t.match(await bob.post('calls', { callId: 'b1', to: 'alice' }), merged)
  await alice.post('calls/a1/hangup')
  await bob.expectEvent('call.ended')
})
