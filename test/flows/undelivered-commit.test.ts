// A node of a Cluster dies after a commit, before its mail is delivered. The tests make the same commit through the store port, with its mail held
// back; the live nodes must deliver the mail.
import type { CallCommand } from '../../src/domain/call/command.js'
import { decideCall } from '../../src/domain/call/decide-call.js'
import { type CallState, deadlineOf } from '../../src/domain/call/state.js'
import { decideRefusal } from '../../src/domain/call/tombstone.js'
import { joinIds } from '../../src/id-text.js'
import { createIds } from '../../src/ids.js'
import { holderOf } from '../../src/services/call/lease-holder.js'
import { toMail } from '../../src/services/mail.js'
import { flow, type Scenario } from '../helpers/scenario.js'
import { sdp } from '../helpers/sdp.js'
import type { TestClient } from '../helpers/test-client.js'

/** See docs/architecture.md, "What a commit does". */
const DELIVERED_WITHIN_MS = 2_000

async function commitWithoutDelivery(
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
  const lifecycle = (user: string) => (state.phase === 'ended' ? { release: holderOf(state, user), ends: true } : {})
  const { ok } = await scenario.store.aggregates.commit(ref, {
    expected: known && { version: known.version, tag: known.tag },
    version: state.version,
    tag: createIds().tag(),
    state: JSON.stringify(state),
    mail: toMail({ events, now }, parties).map(mail => ({ ...mail, ...lifecycle(mail.user) })),
    isHeld: true,
    log: [],
    deadlineAt: deadlineOf(state),
    expireInMs: state.phase === 'ended' ? scenario.config.retentionMs : null,
    now
  })
  if (!ok) throw new Error('the commit was refused')
}

flow('the mail of a dead node is delivered within two seconds', async (t, scenario) => {
  const [alice, bob] = await scenario.addAliceAndBob()
  const watch = await scenario.addClient('bob', 'watch')
  const as = ({ user, device }: TestClient) => ({ user: scenario.toWire(user), device })
  await alice.post('calls', { callId: 'c1', to: 'bob' })
  for (const client of [bob, watch]) await client.expectEvent('call.incoming')

  await commitWithoutDelivery(
    scenario,
    'c1',
    who => ({ type: 'accept', actor: as(who), connectMs: 30_000, checkMs: 15_000, maxMs: null }),
    bob
  )
  await scenario.advance(DELIVERED_WITHIN_MS)
  // The manual clock does not advance from here on, so these events were delivered in time.
  t.match(await alice.expectEvent('call.accepted'), { by: bob.endpoint })
  t.match(await watch.expectEvent('call.ended'), { reason: 'answered_elsewhere' })

  await commitWithoutDelivery(scenario, 'c1', who => ({ type: 'hangup', actor: as(who), reason: 'hangup' }), alice)
  await scenario.advance(DELIVERED_WITHIN_MS)
  t.match(await bob.expectEvent('call.ended'), { reason: 'hangup', endedBy: alice.endpoint })
  await alice.post('calls', { callId: 'c2', to: 'bob' })
  for (const client of [bob, watch]) await client.expectEvent('call.incoming')
  await alice.post('calls/c2/cancel')
  for (const client of [bob, watch]) await client.expectEvent('call.ended')
})

flow('a device that connects before the mail is delivered rings once', async (t, scenario) => {
  const [alice, laptop] = await scenario.addAliceAndBob()
  const [caller, to, callId] = [
    { user: scenario.toWire('alice'), device: 'phone' },
    scenario.toWire('bob'),
    scenario.toWire('c1')
  ]
  const lease = { holder: joinIds(callId, caller.user, '1'), at: scenario.now() }
  await scenario.store.leases.take(caller.user, { ...lease, peer: to, kind: 'active', role: 'caller/phone' }, {})
  await scenario.store.leases.take(to, { ...lease, peer: caller.user, kind: 'ringing', role: 'callee/phone' }, {})
  const create = {
    type: 'create',
    callId,
    actor: caller,
    callees: [{ user: to, ringMs: 30_000 }],
    media: null,
    metadata: {},
    offer: null,
    attempt: 1
  } as const
  await commitWithoutDelivery(scenario, 'c1', () => create, alice)
  // The watch opens a stream, the TV reads the snapshot first, the car does both at once, and the fridge sends a keepalive first.
  const watch = await scenario.addClient('bob', 'watch', { node: scenario.lastNode })
  const [tv, car, fridge] = (await Promise.all(
    ['tv', 'car', 'fridge'].map(device => scenario.addClient('bob', device, { node: scenario.lastNode, silent: true }))
  )) as [TestClient, TestClient, TestClient]
  tv.startFrom((await tv.request('GET', 'snapshot')).body.cursor)
  await tv.openStream()
  await Promise.all([car.request('GET', 'snapshot'), car.openStream()])
  await fridge.request('PUT', 'presence', {})
  await fridge.openStream('start')
  for (const client of [laptop, watch, tv, car, fridge])
    t.match(await client.expectEvent('call.incoming'), { callId: 'c1' })
  await alice.post('calls/c1/cancel')
  for (const client of [laptop, watch, tv, car, fridge])
    t.match(await client.expectEvent('call.ended'), { reason: 'cancelled' })
})

flow('the next command of a call delivers the mail of a dead node first', async (t, scenario) => {
  const [alice, bob] = await scenario.addAliceAndBob()
  const as = ({ user, device }: TestClient) => ({ user: scenario.toWire(user), device })
  await alice.post('calls', { callId: 'c1', to: 'bob' })
  await bob.expectEvent('call.incoming')
  await commitWithoutDelivery(
    scenario,
    'c1',
    who => ({ type: 'accept', actor: as(who), connectMs: 30_000, checkMs: 15_000, maxMs: null }),
    bob
  )
  t.match(await alice.post('calls/c1/offer', { sdp: sdp('aliceA') }), { revision: 1 })
  await alice.expectEvent('call.accepted')
  await bob.expectEvent('signal.offer')
  await commitWithoutDelivery(scenario, 'c1', who => ({ type: 'connected', actor: as(who) }), alice)
  await bob.post('calls/c1/accept')
  await bob.expectEvent('call.connected')
  await commitWithoutDelivery(scenario, 'c1', who => ({ type: 'hangup', actor: as(who), reason: 'hangup' }), alice)
  t.match(await bob.post('calls/c1/hangup'), { call: { state: 'ended', endedBy: alice.endpoint } })
  t.match(await bob.expectEvent('call.ended'), { endedBy: alice.endpoint })
  t.same([await alice.activeCalls(), await bob.activeCalls()], [[], []])
})

flow('a retry of a committed request succeeds after its node has died', async (t, scenario) => {
  const [alice, bob] = await scenario.addAliceAndBob()
  const as = ({ user, device }: TestClient) => ({ user: scenario.toWire(user), device })
  await alice.post('calls', { callId: 'c1', to: 'bob' })
  await bob.expectEvent('call.incoming')
  await commitWithoutDelivery(
    scenario,
    'c1',
    who => ({ type: 'accept', actor: as(who), connectMs: 30_000, checkMs: 15_000, maxMs: null }),
    bob
  )
  t.match(await bob.post('calls/c1/accept'), { call: { state: 'connecting', version: 2 } })
  t.match(await alice.expectEvent('call.accepted'), { call: { version: 2 } })
  await bob.post('calls/c1/hangup')
  await alice.expectEvent('call.ended')
})

flow('a retry finishes a glare merge that a dead node has begun', async (t, scenario) => {
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
