// bob has several devices: all ring, one answers, and each of the others gets exactly one event with the reason (G8).

import { flow, type Scenario } from '../helpers/scenario.js'
import { candidates, sdp } from '../helpers/sdp.js'
import type { TestClient } from '../helpers/test-client.js'

/** alice with her phone, and bob with three devices on different nodes. */
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

flow('all devices ring; when one answers, the others get answered_elsewhere', async (t, scenario) => {
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
  // Any device may hang up, so that a dead phone does not keep its user busy.
  await watch.post('calls/c1/hangup')
  t.match(await laptop.expectEvent('call.ended'), { reason: 'hangup', endedBy: watch.endpoint })
  for (const hers of [alice, tablet]) t.match(await hers.expectEvent('call.ended'), { reason: 'hangup' })
})

flow('of three concurrent accepts exactly one succeeds', async (t, scenario) => {
  const [alice, ...bobs] = await enterAll(scenario)
  for (let round = 1; round <= 5; round++) {
    const callId = `race${round}`
    await alice.post('calls', { callId, to: 'bob' })
    for (const bob of bobs) await bob.expectEvent('call.incoming')
    // Each device sends two requests, as a client does that has not received the first reply.
    const answers = await Promise.all([...bobs, ...bobs].map(bob => bob.request('POST', `calls/${callId}/accept`)))
    const won = (i: number) => answers[i]?.status === 200
    t.equal(bobs.filter((_, i) => won(i)).length, 1, 'exactly one wins')
    for (const [i, bob] of bobs.entries()) {
      t.equal(won(i), won(i + bobs.length), 'its second request gets the same result')
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

flow('a reject with scope device stops one device, a reject with scope user declines the call', async (t, scenario) => {
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

flow('the call is declined when each device has rejected it with scope device', async (t, scenario) => {
  const [alice, ...bobs] = await enterAll(scenario)
  await alice.post('calls', { callId: 'c1', to: 'bob' })
  for (const bob of bobs) await bob.expectEvent('call.incoming')
  await Promise.all(bobs.map(bob => bob.post('calls/c1/reject', { scope: 'device' })))
  t.match(await alice.expectEvent('call.ended'), { reason: 'declined' })
  // A user with one device declines the call with scope device.
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

flow('a device that registers while the call rings gets the offer and the remaining ring time', async (t, scenario) => {
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
  t.same(await tv.poll(), [], 'an ended call is not offered')
})

flow(
  'a device that registers by its accept gets the offer and the candidates from the cursor of the reply on',
  async (t, scenario) => {
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
    // Registration by the accept offered the ringing call, so the early offer precedes the candidates.
    t.match(await watch.expectEvent('call.incoming'), { offer: { revision: 1, sdp: sdp('aliceA') } })
    t.match(await watch.expectEvent('signal.candidates'), { candidates: candidates(2, 'aliceA') })
    await watch.post('calls/c1/answer', { sdp: sdp('watchA') })
    await alice.expectEvent('signal.answer')
    await watch.post('calls/c1/hangup')
    await alice.expectEvent('call.ended')
  }
)

flow('a device that registers by its snapshot rings', async (t, scenario) => {
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
  'a device above MAX_DEVICES_PER_USER is refused whatever would register it, and changes nothing',
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

flow(
  'ids of devices that only acted lock no user out',
  async (t, scenario) => {
    const [alice, laptop] = await scenario.addAliceAndBob()
    for (let load = 1; load <= 8; load++) {
      const page = await scenario.addClient('bob', `page${load}`, { node: load % 2, silent: true })
      t.equal((await page.request('PUT', 'presence', {})).status, 200)
    }
    const phone = await scenario.addClient('bob', 'phone')
    await alice.post('calls', { callId: 'c1', to: 'bob' })
    for (const bob of [laptop, phone]) await bob.expectEvent('call.incoming')
    await alice.post('calls/c1/cancel')
    for (const bob of [laptop, phone]) await bob.expectEvent('call.ended')
  },
  { env: { MAX_DEVICES_PER_USER: '3' } }
)

flow(
  'a user without a registered device is unreachable, and gets no event of the refused call',
  async (t, scenario) => {
    const alice = await scenario.addClient('alice', 'phone')
    await alice.expectRefusal('callee_unreachable', 'calls', { callId: 'c1', to: 'bob' })
    t.same(await alice.activeCalls(), [])
    const bob = await scenario.addClient('bob', 'laptop', { node: scenario.lastNode })
    t.same(await bob.poll(), [], 'no event of the refused call')
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
  }
)

flow(
  'with OFFLINE_CALLS=ring a device that registers while the call rings gets it',
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
