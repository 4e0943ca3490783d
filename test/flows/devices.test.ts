// Bob has several devices: all ring, one answers, and each of the others receives exactly one event that says why it stopped (G8).

import { flow, type Scenario } from '../helpers/scenario.js'
import { candidates, sdp } from '../helpers/sdp.js'
import type { TestClient } from '../helpers/test-client.js'

/** Alice with her phone; bob with three devices, spread over the nodes. */
async function enterAll(
  scenario: Scenario
): Promise<[alice: TestClient, ...bobs: [TestClient, TestClient, TestClient]]> {
  return [
    await scenario.addClient('alice', 'phone'),
    await scenario.addClient('bob', 'laptop', { node: scenario.lastNode }),
    await scenario.addClient('bob', 'watch', { node: 0 }),
    await scenario.addClient('bob', 'tv', { node: scenario.lastNode })
  ]
}

flow('all devices ring, the laptop answers, the others are told', async (t, scenario) => {
  const [alice, laptop, watch, tv] = await enterAll(scenario)
  const tablet = await scenario.addClient('alice', 'tablet', { node: scenario.lastNode })
  t.match(await alice.post('calls', { callId: 'c1', to: 'bob' }), { delivery: { online: 3, queued: 0 } })
  for (const bob of [laptop, watch, tv]) await bob.expectEvent('call.incoming')
  await watch.post('calls/c1/ringing')
  for (const hers of [alice, tablet])
    t.match(await hers.expectEvent('call.ringing'), { by: { user: 'bob', device: null } })
  await tv.post('calls/c1/ringing')
  await laptop.post('calls/c1/accept')
  for (const bob of [watch, tv]) {
    t.match(await bob.expectEvent('call.ended'), { reason: 'answered_elsewhere', endedBy: laptop.endpoint })
  }
  for (const hers of [alice, tablet]) t.match(await hers.expectEvent('call.accepted'), { by: laptop.endpoint })
  await alice.post('calls/c1/offer', { sdp: sdp('aliceA') })
  await laptop.expectEvent('signal.offer')
  t.match(await watch.expectRefusal('other_device', 'calls/c1/answer', { sdp: sdp('watch') }), {
    currentState: 'connecting'
  })
  await tablet.expectRefusal('other_device', 'calls/c1/candidates', { candidates: candidates(1) })
  await laptop.post('calls/c1/connected')
  for (const hers of [alice, tablet]) await hers.expectEvent('call.connected')
  // A phone that died must not keep its owner busy: any device may hang up.
  await watch.post('calls/c1/hangup')
  t.match(await laptop.expectEvent('call.ended'), { reason: 'hangup', endedBy: watch.endpoint })
  for (const hers of [alice, tablet]) t.match(await hers.expectEvent('call.ended'), { reason: 'hangup' })
})

flow('three devices answer at once and one of them wins', async (t, scenario) => {
  const [alice, ...bobs] = await enterAll(scenario)
  for (let round = 1; round <= 5; round++) {
    const callId = `race${round}`
    await alice.post('calls', { callId, to: 'bob' })
    for (const bob of bobs) await bob.expectEvent('call.incoming')
    // Each device tries twice at once, as clients do that did not see the first reply.
    const answers = await Promise.all([...bobs, ...bobs].map(bob => bob.request('POST', `calls/${callId}/accept`)))
    const won = (i: number) => answers[i]?.status === 200
    t.equal(bobs.filter((_, i) => won(i)).length, 1, 'exactly one wins')
    for (const [i, bob] of bobs.entries()) {
      t.equal(won(i), won(i + bobs.length), 'and its second try says the same')
      if (won(i)) continue
      t.match(answers[i]?.body, { code: 'answered_elsewhere', currentState: 'connecting' })
      t.match(await bob.expectEvent('call.ended'), { callId, reason: 'answered_elsewhere' })
    }
    const winner = bobs.find((_, i) => won(i)) as TestClient
    t.match(await alice.expectEvent('call.accepted'), { callId, by: winner.endpoint })
    await alice.post(`calls/${callId}/hangup`)
    t.match(await winner.expectEvent('call.ended'), { callId, reason: 'hangup' })
  }
})

flow('one device declines for itself, then another for everybody', async (t, scenario) => {
  const [alice, laptop, watch, tv] = await enterAll(scenario)
  await alice.post('calls', { callId: 'c1', to: 'bob' })
  for (const bob of [laptop, watch, tv]) await bob.expectEvent('call.incoming')
  t.match(await watch.post('calls/c1/reject', { scope: 'device' }), { call: { state: 'ringing' } })
  await watch.post('calls/c1/reject', { scope: 'device' })
  t.match(await laptop.post('calls/c1/reject', { scope: 'user' }), { call: { state: 'ended', reason: 'declined' } })
  t.match(await tv.expectEvent('call.ended'), { reason: 'declined_elsewhere', endedBy: { user: 'bob', device: null } })
  t.match(await alice.expectEvent('call.ended'), { reason: 'declined', endedBy: { user: 'bob', device: null } })
  t.match(await tv.expectRefusal('call_ended', 'calls/c1/accept'), { currentState: 'ended', reason: 'declined' })
})

flow('when the last device has declined for itself, the call is declined', async (t, scenario) => {
  const [alice, ...bobs] = await enterAll(scenario)
  await alice.post('calls', { callId: 'c1', to: 'bob' })
  for (const bob of bobs) await bob.expectEvent('call.incoming')
  await Promise.all(bobs.map(bob => bob.post('calls/c1/reject', { scope: 'device' })))
  t.match(await alice.expectEvent('call.ended'), { reason: 'declined' })
  // With one device left, declining for oneself is declining.
  const carol = await scenario.addClient('carol', 'phone', { node: scenario.lastNode })
  await alice.post('calls', { callId: 'c3', to: 'carol' })
  await carol.expectEvent('call.incoming')
  await carol.post('calls/c3/reject', { scope: 'device' })
  t.match(await alice.expectEvent('call.ended'), {
    callId: 'c3',
    reason: 'declined',
    endedBy: { user: 'carol', device: null }
  })
})

flow('a device that comes late rings with the time that is left', async (t, scenario) => {
  const [alice, laptop] = await scenario.addAliceAndBob()
  await alice.post('calls', { callId: 'c1', to: 'bob', offer: { sdp: sdp('aliceA') }, ringTimeoutMs: 20_000 })
  t.match(await laptop.expectEvent('call.incoming'), { expiresInMs: 20_000 })
  await scenario.advance(12_000)
  const watch = await scenario.addClient('bob', 'watch')
  t.match(await watch.expectEvent('call.incoming'), {
    expiresInMs: 8000,
    offer: { sdp: sdp('aliceA') },
    call: { version: 1 }
  })
  await watch.post('calls/c1/accept')
  t.match(await laptop.expectEvent('call.ended'), { reason: 'answered_elsewhere', endedBy: watch.endpoint })
  await alice.expectEvent('call.accepted')
  await alice.post('calls/c1/candidates', { candidates: candidates(1, 'aliceA') })
  await watch.expectEvent('signal.candidates')
  await alice.post('calls/c1/cancel')
  t.match(await watch.expectEvent('call.ended'), { reason: 'cancelled' })
  const tv = await scenario.addClient('bob', 'tv')
  t.same(await tv.poll(), [], 'a call that is over is offered to nobody')
})

flow('a device woken by other means answers first and listens afterwards', async (t, scenario) => {
  const [alice, laptop] = await scenario.addAliceAndBob()
  await alice.post('calls', { callId: 'c1', to: 'bob', offer: { sdp: sdp('aliceA') } })
  await laptop.expectEvent('call.incoming')
  await alice.post('calls/c1/candidates', { candidates: candidates(2, 'aliceA') })
  const watch = await scenario.addClient('bob', 'watch', { node: scenario.lastNode, silent: true })
  const { cursor } = await watch.post('calls/c1/accept')
  await alice.expectEvent('call.accepted')
  await laptop.expectEvent('call.ended')
  watch.startFrom(cursor)
  await watch.openStream()
  // Registering by the accept, it was offered what rang, and so it has the early offer before the candidates.
  t.match(await watch.expectEvent('call.incoming'), { offer: { revision: 1, sdp: sdp('aliceA') } })
  t.match(await watch.expectEvent('signal.candidates'), { candidates: candidates(2, 'aliceA') })
  await watch.post('calls/c1/answer', { sdp: sdp('watchA') })
  await alice.expectEvent('signal.answer')
  await watch.post('calls/c1/hangup')
  await alice.expectEvent('call.ended')
})

flow('a device that begins with the snapshot is rung, too', async (t, scenario) => {
  const [alice, laptop] = await scenario.addAliceAndBob()
  await alice.post('calls', { callId: 'c1', to: 'bob' })
  await laptop.expectEvent('call.incoming')
  const watch = await scenario.addClient('bob', 'watch', { node: scenario.lastNode, silent: true })
  const { body } = await watch.request('GET', 'snapshot')
  t.match(body, { calls: [{ callId: 'c1', state: 'ringing' }], rooms: [], presence: { user: 'bob', state: 'online' } })
  watch.startFrom(body.cursor)
  await watch.openStream()
  await watch.expectEvent('call.incoming')
  await alice.post('calls/c1/cancel')
  for (const bob of [laptop, watch]) t.match(await bob.expectEvent('call.ended'), { reason: 'cancelled' })
})

flow(
  'a device too many is refused what would register it, and nothing comes of that',
  async (t, scenario) => {
    const [alice, laptop] = await scenario.addAliceAndBob()
    const tablet = await scenario.addClient('alice', 'tablet', { node: scenario.lastNode, silent: true })
    const watch = await scenario.addClient('bob', 'watch', { silent: true })
    await tablet.expectRefusal('too_many_devices', 'calls', { callId: 'c1', to: 'bob' })
    t.match(await tablet.request('PUT', 'presence', {}), { status: 409, body: { code: 'too_many_devices' } })
    t.match(await tablet.request('GET', 'snapshot'), { status: 409, body: { code: 'too_many_devices' } })
    await alice.post('calls', { callId: 'c2', to: 'bob' })
    await laptop.expectEvent('call.incoming')
    for (const [path, body] of [['accept'], ['reject', { scope: 'device' }]] as const)
      await watch.expectRefusal('too_many_devices', `calls/c2/${path}`, body)
    await watch.post('calls/c2/reject')
    await alice.expectEvent('call.ended')
    await laptop.expectEvent('call.ended')
  },
  { env: { MAX_DEVICES_PER_USER: '1' } }
)

flow('somebody without a device cannot be reached', async (t, scenario) => {
  const alice = await scenario.addClient('alice', 'phone')
  await alice.expectRefusal('callee_unreachable', 'calls', { callId: 'c1', to: 'bob' })
  t.same(await alice.activeCalls(), [])
  const bob = await scenario.addClient('bob', 'laptop', { node: scenario.lastNode })
  t.same(await bob.poll(), [], 'nothing of it is told')
  await alice.post('calls', { callId: 'c2', to: 'bob' })
  await bob.poll()
  await bob.post('calls/c2/reject')
  await alice.expectEvent('call.ended')
  await bob.signOff()
  await alice.expectRefusal('callee_unreachable', 'calls', { callId: 'c3', to: 'bob' })
  const again = await scenario.addClient('bob', 'watch', { node: scenario.lastNode })
  t.match(await alice.post('calls', { callId: 'c4', to: 'bob' }), { resolution: 'created' })
  await again.expectEvent('call.incoming')
  await alice.post('calls/c4/cancel')
  await again.expectEvent('call.ended')
})

flow(
  'or is rung anyway, and the device that comes online meanwhile rings',
  async (t, scenario) => {
    const alice = await scenario.addClient('alice', 'phone')
    t.match(await alice.post('calls', { callId: 'c1', to: 'bob' }), {
      resolution: 'created',
      delivery: { online: 0, queued: 0 }
    })
    await scenario.advance(10_000)
    const bob = await scenario.addClient('bob', 'laptop', { node: scenario.lastNode })
    t.match(await bob.expectEvent('call.incoming'), { expiresInMs: 20_000 })
    await bob.post('calls/c1/accept')
    await alice.expectEvent('call.accepted')
    await bob.post('calls/c1/hangup')
    await alice.expectEvent('call.ended')
  },
  { env: { OFFLINE_CALLS: 'ring' } }
)
