// Blind transfer: alice and bob are in a call, and alice leaves it to carol.
import type { Test } from 'tap'
import type { CallTimeline } from '../../src/schemas/timeline.js'
import { flow, type Scenario } from '../helpers/scenario.js'
import { candidates, sdp } from '../helpers/sdp.js'
import type { TestClient } from '../helpers/test-client.js'

interface Connected {
  readonly alice: TestClient
  readonly bob: TestClient
  readonly carol: TestClient
}

/** alice has called bob, both have reported media, and carol is online. */
async function connect(scenario: Scenario): Promise<Connected> {
  const [alice, bob] = await scenario.addAliceAndBob()
  const carol = await scenario.addClient('carol', 'tablet', { node: scenario.lastNode })
  await alice.post('calls', { callId: 'c1', to: 'bob', offer: { sdp: sdp('aliceA') } })
  await bob.expectEvent('call.incoming')
  await bob.post('calls/c1/accept', { answer: { sdp: sdp('bobA') } })
  await alice.expectEvent('call.accepted')
  await alice.post('calls/c1/connected')
  await bob.expectEvent('call.connected')
  return { alice, bob, carol }
}

const isFree = async (t: Test, scenario: Scenario, client: TestClient) => {
  await scenario.cluster.settle()
  t.same(await scenario.store.leases.list(scenario.toWire(client.user)), [], `${client.user} has no lease`)
}

async function hangUpAll(t: Test, scenario: Scenario, [first, ...others]: readonly TestClient[]) {
  await first?.post('calls/c1/hangup')
  for (const client of others) await client.expectEvent('call.ended')
  for (const client of [first, ...others]) if (client) await isFree(t, scenario, client)
}

flow('the target of a transfer takes the place of the transferor', async (t, scenario) => {
  const { alice, bob, carol } = await connect(scenario)
  const { createdAt, answeredAt, connectedAt } = await bob.call('c1')
  const { call } = await alice.post('calls/c1/transfer', { to: 'carol' })
  t.match(call, { state: 'connected', transfer: { by: 'caller', to: { user: 'carol', device: null } } })
  t.match(await bob.expectEvent('call.transferring'), { by: alice.endpoint, to: { user: 'carol' }, left: false })
  const incoming = await carol.expectEvent('call.incoming')
  t.match(incoming, { from: bob.endpoint, transferredBy: alice.endpoint })
  t.match(incoming.call, {
    state: 'ringing',
    caller: bob.endpoint,
    callee: { user: 'carol', device: null },
    answeredAt: null
  })
  t.match(await carol.call('c1'), { state: 'ringing', caller: bob.endpoint, offerer: 'callee' })
  t.match(await bob.call('c1'), { state: 'connected', caller: alice.endpoint })
  await carol.post('calls/c1/ringing')
  for (const client of [alice, bob])
    t.match(await client.expectEvent('call.ringing'), { by: { user: 'carol', device: null } })

  // alice was the offerer, so carol is now.
  await carol.post('calls/c1/accept', { offer: { sdp: sdp('carolA') }, candidates: candidates(1, 'carolA') })
  t.match(await alice.expectEvent('call.ended'), { reason: 'transferred', endedBy: alice.endpoint })
  const transferred = await bob.expectEvent('call.transferred')
  t.match(transferred, {
    by: alice.endpoint,
    offer: { revision: 3 },
    call: { state: 'connecting', caller: bob.endpoint }
  })
  t.match(transferred.call, { callee: carol.endpoint, createdAt, answeredAt, connectedAt, held: { caller: false } })
  await isFree(t, scenario, alice)
  t.same(await alice.activeCalls(), [])
  t.match(await alice.call('c1'), { state: 'ended', reason: 'transferred' })

  await alice.expectRefusal('call_ended', 'calls/c1/candidates', { candidates: candidates(1, 'aliceA') })
  await bob.expectRefusal('stale_candidate', 'calls/c1/candidates', { candidates: candidates(1, 'bobA') })
  await bob.post('calls/c1/answer', { sdp: sdp('bobB') })
  t.match(await carol.expectEvent('signal.answer'), { revision: 3, from: bob.endpoint })
  await bob.post('calls/c1/candidates', { candidates: candidates(1, 'bobB') })
  await carol.expectEvent('signal.candidates')
  await carol.post('calls/c1/connected')
  await bob.expectEvent('call.connected')
  t.match(await carol.call('c1'), { state: 'connected', connectedAt })
  await hangUpAll(t, scenario, [bob, carol])
})

flow('each user reads the part of the timeline in which they took part', async (t, scenario) => {
  const { alice, bob, carol } = await connect(scenario)
  await alice.post('calls/c1/hold')
  await bob.expectEvent('call.held')
  await scenario.advance(1000)
  await alice.post('calls/c1/transfer', { to: 'carol' })
  await bob.expectEvent('call.transferring')
  await carol.expectEvent('call.incoming')
  await scenario.advance(1000)
  await carol.post('calls/c1/accept')
  await alice.expectEvent('call.ended')
  await bob.expectEvent('call.transferred')
  await scenario.advance(1000)
  await carol.post('calls/c1/hangup')
  await bob.expectEvent('call.ended')
  const read = async (client: TestClient) => {
    const { body } = await client.request('GET', 'calls/c1/timeline')
    return (body as unknown as CallTimeline).entries.map(({ type, by }) => `${type} ${by?.user ?? 'server'}`)
  }
  const before = ['created alice', 'offer alice', 'accepted bob', 'answer bob', 'connected alice', 'held alice']
  const during = ['transferring alice', 'transferred alice']
  t.same(await read(alice), [...before, ...during])
  t.same(await read(bob), [...before, ...during, 'ended carol'])
  t.same(await read(carol), [...during, 'ended carol'])
})

flow('the callee transfers, too, and the caller stays the offerer', async (t, scenario) => {
  const { alice, bob, carol } = await connect(scenario)
  await bob.post('calls/c1/transfer', { to: { user: 'carol', device: 'tablet' } })
  t.match(await alice.expectEvent('call.transferring'), { by: bob.endpoint, to: carol.endpoint })
  t.match(await carol.expectEvent('call.incoming'), { from: alice.endpoint, call: { offerer: 'caller' } })
  await carol.post('calls/c1/accept')
  t.match(await bob.expectEvent('call.ended'), { reason: 'transferred' })
  t.match(await alice.expectEvent('call.transferred'), { call: { caller: alice.endpoint, callee: carol.endpoint } })
  await carol.expectRefusal('wrong_party', 'calls/c1/offer', { sdp: sdp('carolA') })
  for (const late of [{ sdp: sdp('aliceA', 2) }, { sdp: sdp('aliceC'), revision: 2 }])
    await alice.expectRefusal('stale_revision', 'calls/c1/offer', late)
  await alice.post('calls/c1/offer', { sdp: sdp('aliceB') })
  t.match(await carol.expectEvent('signal.offer'), { revision: 3 })
  await carol.post('calls/c1/answer', { sdp: sdp('carolA') })
  await alice.expectEvent('signal.answer')
  await isFree(t, scenario, bob)
  await hangUpAll(t, scenario, [carol, alice])
})

flow('a camera that can only offer is transferred, and offers to the target', async (t, scenario) => {
  const [alice, camera] = await scenario.addAliceAndBob()
  const carol = await scenario.addClient('carol', 'tablet')
  await alice.post('calls', { callId: 'c1', to: 'bob', offerer: 'callee' })
  await camera.expectEvent('call.incoming')
  await camera.post('calls/c1/accept', { offer: { sdp: sdp('camA') } })
  await alice.expectEvent('call.accepted')
  await alice.post('calls/c1/answer', { sdp: sdp('aliceA') })
  await camera.expectEvent('signal.answer')
  await alice.post('calls/c1/connected')
  await camera.expectEvent('call.connected')
  await alice.post('calls/c1/transfer', { to: 'carol' })
  await camera.expectEvent('call.transferring')
  t.match(await carol.expectEvent('call.incoming'), { call: { offerer: 'caller' } })
  await carol.post('calls/c1/accept')
  await alice.expectEvent('call.ended')
  t.match(await camera.expectEvent('call.transferred'), { call: { offerer: 'caller', caller: camera.endpoint } })
  await camera.post('calls/c1/offer', { sdp: sdp('camB') })
  await carol.expectEvent('signal.offer')
  await hangUpAll(t, scenario, [carol, camera])
})

flow('a transfer that fails leaves the call as it was', async (t, scenario) => {
  const { alice, bob, carol } = await connect(scenario)
  const failures: readonly (readonly [
    reason: string,
    fail: () => Promise<unknown>,
    informed: readonly TestClient[],
    seen: string | null
  ])[] = [
    ['declined', () => carol.post('calls/c1/reject'), [alice, bob], null],
    ['no_answer', () => scenario.advance(6500), [alice, bob], 'no_answer'],
    ['cancelled', () => alice.request('DELETE', 'calls/c1/transfer'), [bob], 'cancelled']
  ]
  for (const [reason, fail, informed, seen] of failures) {
    await alice.post('calls/c1/transfer', { to: 'carol', ringTimeoutMs: 5000 })
    await bob.expectEvent('call.transferring')
    await carol.expectEvent('call.incoming')
    await fail()
    for (const client of informed)
      t.match(await client.expectEvent('call.transfer_failed'), { reason, to: { user: 'carol' } })
    if (seen) t.match(await carol.expectEvent('call.ended'), { reason: seen })
    t.match(await alice.call('c1'), { state: 'connected', caller: alice.endpoint })
    t.notOk('transfer' in (await alice.call('c1')), reason)
    t.match(await carol.call('c1'), { state: 'ended', reason })
    await isFree(t, scenario, carol)
    await carol.expectRefusal('call_ended', 'calls/c1/accept')
    await scenario.advance(30_000)
  }
  await hangUpAll(t, scenario, [alice, bob])
})

flow('a target that is busy or unreachable is refused, and nothing rings', async (t, scenario) => {
  const { alice, bob, carol } = await connect(scenario)
  const dave = await scenario.addClient('dave', 'phone')
  await carol.post('calls', { callId: 'c2', to: 'dave' })
  await dave.expectEvent('call.incoming')
  t.match(await alice.expectRefusal('callee_busy', 'calls/c1/transfer', { to: 'carol' }), { currentState: 'connected' })
  await alice.expectRefusal('callee_unreachable', 'calls/c1/transfer', { to: 'erin' })
  await alice.expectRefusal('cannot_call_self', 'calls/c1/transfer', { to: 'alice' })
  await alice.expectRefusal('invalid_request', 'calls/c1/transfer', { to: 'bob' })
  await dave.expectRefusal('call_not_found', 'calls/c1/transfer', { to: 'carol' })
  await carol.post('calls/c2/cancel')
  await dave.expectEvent('call.ended')
  await hangUpAll(t, scenario, [alice, bob])
})

flow('a target that accepts another call meanwhile is busy', async (t, scenario) => {
  const { alice, bob, carol } = await connect(scenario)
  const dave = await scenario.addClient('dave', 'phone')
  await alice.post('calls/c1/transfer', { to: 'carol' })
  await bob.expectEvent('call.transferring')
  await carol.expectEvent('call.incoming')
  await dave.post('calls', { callId: 'c2', to: 'carol' })
  await carol.expectEvent('call.incoming')
  await carol.post('calls/c2/accept')
  await dave.expectEvent('call.accepted')
  for (const client of [alice, bob]) t.match(await client.expectEvent('call.transfer_failed'), { reason: 'busy' })
  t.match(await carol.expectEvent('call.ended'), { callId: 'c1', reason: 'busy' })
  await dave.post('calls/c2/hangup')
  await carol.expectEvent('call.ended')
  await hangUpAll(t, scenario, [bob, alice])
})

flow('a transferor who hangs up leaves, and the call waits for the target', async (t, scenario) => {
  const { alice, bob, carol } = await connect(scenario)
  await alice.post('calls/c1/transfer', { to: 'carol' })
  t.match(await bob.expectEvent('call.transferring'), { left: false })
  await carol.expectEvent('call.incoming')
  await alice.post('calls/c1/hangup')
  t.match(await bob.expectEvent('call.transferring'), { left: true, by: alice.endpoint })
  await isFree(t, scenario, alice)
  t.match(await alice.call('c1'), { state: 'ended', reason: 'hangup' })
  t.match(await bob.call('c1'), { state: 'ringing', caller: bob.endpoint, callee: { user: 'carol', device: null } })
  await carol.post('calls/c1/accept')
  t.match(await bob.expectEvent('call.transferred'), { by: alice.endpoint, call: { callee: carol.endpoint } })
  await hangUpAll(t, scenario, [bob, carol])
})

flow('if the transferor has left and the target declines, the call ends', async (t, scenario) => {
  const { alice, bob, carol } = await connect(scenario)
  await alice.post('calls/c1/transfer', { to: 'carol' })
  await bob.expectEvent('call.transferring')
  await carol.expectEvent('call.incoming')
  await alice.post('calls/c1/hangup')
  await bob.expectEvent('call.transferring')
  await carol.post('calls/c1/reject')
  t.match(await bob.expectEvent('call.ended'), { reason: 'declined', call: { state: 'ended' } })
  for (const client of [alice, bob, carol]) await isFree(t, scenario, client)
})

flow('the other party hangs up: the target stops ringing', async (t, scenario) => {
  const { alice, bob, carol } = await connect(scenario)
  await alice.post('calls/c1/transfer', { to: 'carol' })
  await bob.expectEvent('call.transferring')
  await carol.expectEvent('call.incoming')
  await bob.post('calls/c1/hangup')
  t.match(await alice.expectEvent('call.ended'), { reason: 'hangup' })
  t.match(await carol.expectEvent('call.ended'), { reason: 'cancelled', call: { caller: bob.endpoint } })
  for (const client of [alice, bob, carol]) await isFree(t, scenario, client)
})

flow('a transferor who is lost leaves the call, which waits for the target', async (t, scenario) => {
  const { alice, bob, carol } = await connect(scenario)
  await alice.post('calls/c1/transfer', { to: 'carol', ringTimeoutMs: 90_000 })
  await bob.expectEvent('call.transferring')
  await carol.expectEvent('call.incoming')
  await alice.closeStream()
  await scenario.waitForStreams(2)
  await scenario.advance(scenario.config.graceMs + 1000)
  await bob.expectEvent('call.peer_away')
  t.match(await bob.expectEvent('call.transferring'), { left: true })
  await alice.openStream()
  t.match(await alice.expectEvent('call.ended'), { reason: 'lost', endedBy: alice.endpoint })
  t.match(await alice.call('c1'), { state: 'ended', reason: 'lost' })
  await carol.post('calls/c1/accept')
  await bob.expectEvent('call.transferred')
  await hangUpAll(t, scenario, [bob, carol])
})

flow('requests are repeated without harm, and a second transfer is refused', async (t, scenario) => {
  const { alice, bob, carol } = await connect(scenario)
  const dave = await scenario.addClient('dave', 'phone')
  for (let n = 0; n < 2; n++)
    t.match(await alice.post('calls/c1/transfer', { to: 'carol' }), { call: { state: 'connected' } })
  await alice.expectRefusal('transfer_pending', 'calls/c1/transfer', { to: 'dave' })
  await bob.expectRefusal('transfer_pending', 'calls/c1/transfer', { to: 'dave' })
  await bob.expectEvent('call.transferring')
  await carol.expectEvent('call.incoming')
  t.match(await bob.request('DELETE', 'calls/c1/transfer'), { status: 403, body: { code: 'wrong_party' } })
  t.match(await dave.request('DELETE', 'calls/c1/transfer'), { status: 404 })
  for (let n = 0; n < 2; n++) await carol.post('calls/c1/accept')
  await alice.expectEvent('call.ended')
  await bob.expectEvent('call.transferred')
  t.match(await alice.post('calls/c1/transfer', { to: 'carol' }), { call: { state: 'ended', reason: 'transferred' } })
  t.match(await alice.request('DELETE', 'calls/c1/transfer'), {
    status: 200,
    body: { call: { reason: 'transferred' } }
  })
  await hangUpAll(t, scenario, [carol, bob])
})

flow('both parties transfer at the same moment: one of them does', async (t, scenario) => {
  const { alice, bob, carol } = await connect(scenario)
  const dave = await scenario.addClient('dave', 'phone', { node: scenario.lastNode })
  const replies = await Promise.all([
    alice.request('POST', 'calls/c1/transfer', { to: 'carol' }),
    bob.request('POST', 'calls/c1/transfer', { to: 'dave' })
  ])
  t.same(replies.map(({ status }) => status).sort(), [200, 409])
  const isAlice = replies[0]?.status === 200
  const [by, other, target, spared] = isAlice ? [alice, bob, carol, dave] : [bob, alice, dave, carol]
  await other.expectEvent('call.transferring')
  await target.expectEvent('call.incoming')
  await isFree(t, scenario, spared)
  await target.post('calls/c1/accept')
  await by.expectEvent('call.ended')
  await other.expectEvent('call.transferred')
  await hangUpAll(t, scenario, [target, other])
})

flow('a call goes round in a loop at most eight times', async (t, scenario) => {
  const { alice, bob, carol } = await connect(scenario)
  let [by, other, target]: TestClient[] = [alice, bob, carol]
  for (let n = 1; n <= 8; n++) {
    await by?.post('calls/c1/transfer', { to: target?.user ?? '' })
    await other?.expectEvent('call.transferring')
    await target?.expectEvent('call.incoming')
    await target?.post('calls/c1/accept', other?.user && n % 2 === 0 ? {} : undefined)
    t.match(await by?.expectEvent('call.ended'), { reason: 'transferred' })
    const { call } = (await other?.expectEvent('call.transferred')) ?? {}
    const offers = (call as { offerer: string }).offerer === 'caller' ? other : target
    const answers = offers === other ? target : other
    await offers?.post('calls/c1/offer', { sdp: sdp(`offer${n}A`) })
    await answers?.expectEvent('signal.offer')
    await answers?.post('calls/c1/answer', { sdp: sdp(`answer${n}`) })
    await offers?.expectEvent('signal.answer')
    await other?.post('calls/c1/connected')
    await target?.expectEvent('call.connected')
    if (by) await isFree(t, scenario, by)
    const next: TestClient[] = [other, target, by].filter(client => client !== undefined)
    ;[by, other, target] = next
    await scenario.advance(60_000)
  }
  await by?.expectRefusal('transfer_limit', 'calls/c1/transfer', { to: target?.user ?? '' })
  if (by && other) await hangUpAll(t, scenario, [by, other])
})
