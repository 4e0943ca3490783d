// A device that can only offer, such as a camera, is called: it accepts with its offer.
import { flow } from '../helpers/scenario.js'
import { candidates, sdp } from '../helpers/sdp.js'

flow('a callee that makes the first offer accepts with it', async (t, scenario) => {
  const [alice, camera] = await scenario.addAliceAndBob()
  const tablet = await scenario.addClient('alice', 'tablet')
  const created = await alice.post('calls', { callId: 'c1', to: 'bob', offerer: 'callee' })
  t.match(created, { call: { offerer: 'callee', negotiation: { revision: 0, pendingFrom: null } } })
  t.match(await camera.expectEvent('call.incoming'), { call: { offerer: 'callee' } })
  await alice.expectRefusal('wrong_state', 'calls/c1/offer', { sdp: sdp('aliceA') })
  await camera.expectRefusal('invalid_sdp', 'calls/c1/accept', { offer: { sdp: 'hello' } })

  const offer = { type: 'offer', sdp: sdp('cameraA') }
  const accepted = await camera.post('calls/c1/accept', { offer })
  t.match(accepted, { call: { state: 'connecting', negotiation: { revision: 1, pendingFrom: 'callee' } } })
  t.match(await alice.expectEvent('call.accepted'), { offer: { revision: 1, sdp: offer.sdp }, call: { version: 2 } })
  t.notOk('offer' in (await tablet.expectEvent('call.accepted')), 'it is for the device in the call')
  t.match(await camera.post('calls/c1/accept', { offer }), accepted, 'a repeat')

  await alice.expectRefusal('offer_collision', 'calls/c1/offer', { sdp: sdp('aliceA') })
  await camera.post('calls/c1/candidates', { candidates: candidates(2, 'cameraA'), end: true })
  t.match(await alice.expectEvent('signal.candidates'), { revision: 1, candidates: { length: 2 }, end: true })
  await alice.post('calls/c1/answer', { sdp: sdp('aliceA'), revision: 1 })
  t.match(await camera.expectEvent('signal.answer'), { revision: 1, sdp: sdp('aliceA') })
  await alice.post('calls/c1/hangup')
  await camera.expectEvent('call.ended')
  await tablet.expectEvent('call.ended')
})

flow('who makes the first offer is decided by the create', async (t, scenario) => {
  const [alice, bob] = await scenario.addAliceAndBob()
  const offer = { type: 'offer', sdp: sdp('aliceA') }
  const refused = await alice.expectRefusal('invalid_request', 'calls', {
    callId: 'c1',
    to: 'bob',
    offerer: 'callee',
    offer
  })
  t.match(refused, { detail: /offer must be left out/ })
  await alice.expectRefusal('invalid_request', 'calls', { callId: 'c1', to: 'bob', offerer: 'bob' })
  t.match(await alice.post('calls', { callId: 'c1', to: 'bob' }), { call: { offerer: 'caller' } })
  await bob.expectEvent('call.incoming')
  await bob.expectRefusal('wrong_party', 'calls/c1/accept', { offer })
  t.match(await bob.call('c1'), { state: 'ringing' }, 'it still rings')
  await bob.expectRefusal('invalid_request', 'calls/c1/accept', { offer: { ...offer, type: 'answer' } })
  await bob.post('calls/c1/accept')
  await alice.expectEvent('call.accepted')
  await bob.expectRefusal('wrong_party', 'calls/c1/offer', { sdp: sdp('bobA') })
})

flow('a callee that offers may accept first and offer later', async (t, scenario) => {
  const [alice, bob] = await scenario.addAliceAndBob()
  await alice.post('calls', { callId: 'c1', to: 'bob', offerer: 'callee' })
  await bob.expectEvent('call.incoming')
  await bob.post('calls/c1/accept')
  await alice.expectEvent('call.accepted')
  t.match(await alice.expectRefusal('wrong_party', 'calls/c1/offer', { sdp: sdp('aliceA') }), {
    detail: 'The callee makes the first offer'
  })
  await bob.post('calls/c1/offer', { sdp: sdp('bobA') })
  t.match(await alice.expectEvent('signal.offer'), { revision: 1 })
})
