// A call in three requests: create with offer and candidates, accept with answer and candidates, hang-up. And candidates that come with any
// other description.
import { meet } from '../helpers/rooms.js'
import { flow } from '../helpers/scenario.js'
import { candidate, candidates, sdp } from '../helpers/sdp.js'

const offer = { type: 'offer', sdp: sdp('aliceA') }
const answer = { type: 'answer', sdp: sdp('bobA') }

flow('a call takes three requests and two events', async (t, scenario) => {
  const [alice, bob] = await scenario.addAliceAndBob()
  const early = [...candidates(2, 'aliceA'), null]
  const created = await alice.post('calls', { callId: 'c1', to: 'bob', offer, candidates: early })
  t.match(created, { outcomes: { accepted: 2, held: [], rejected: [] }, delivery: { online: 1 } })
  t.match(await alice.post('calls', { callId: 'c1', to: 'bob', offer, candidates: early }), {
    resolution: 'existing',
    outcomes: created.outcomes
  })
  t.match(await bob.expectEvent('call.incoming'), {
    offer: { revision: 1, sdp: offer.sdp },
    candidates: candidates(2, 'aliceA'),
    end: true
  })
  const accept = { answer, candidates: candidates(3, 'bobA'), end: true }
  const accepted = await bob.post('calls/c1/accept', accept)
  t.match(accepted, { outcomes: { accepted: 3 }, call: { negotiation: { revision: 1, pendingFrom: null } } })
  t.match(await alice.expectEvent('call.accepted'), {
    by: bob.endpoint,
    answer: { revision: 1, sdp: answer.sdp },
    candidates: candidates(3, 'bobA'),
    end: true
  })
  bob.useNode(0)
  t.match(await bob.post('calls/c1/accept', accept), accepted, 'a repeat')
  await alice.post('calls/c1/hangup')
  t.match(await bob.expectEvent('call.ended'), { reason: 'hangup', call: { negotiation: { pendingFrom: null } } })
})

flow('a client may gather on: later candidates arrive in order, each once', async (t, scenario) => {
  const [alice, bob] = await scenario.addAliceAndBob()
  const watch = await scenario.addClient('bob', 'watch')
  await alice.post('calls', { callId: 'c1', to: 'bob', offer, candidates: candidates(2, 'aliceA') })
  await alice.post('calls/c1/candidates', { candidates: [candidate(3, 'aliceA')] })
  for (const his of [bob, watch]) t.match(await his.expectEvent('call.incoming'), { candidates: { length: 2 } })
  await bob.post('calls/c1/accept', { answer, candidates: candidates(1, 'bobA') })
  t.match(await bob.expectEvent('signal.candidates'), { candidates: [candidate(3, 'aliceA')] })
  t.match(await alice.expectEvent('call.accepted'), { candidates: candidates(1, 'bobA'), end: false })
  await watch.expectEvent('call.ended')
  await bob.post('calls/c1/candidates', { candidates: [candidate(2, 'bobA')], end: true })
  t.match(await alice.expectEvent('signal.candidates'), { candidates: [candidate(2, 'bobA')], end: true })
  await alice.post('calls/c1/hangup')
  await bob.expectEvent('call.ended')
})

flow('a device that registers while the call rings gets offer and candidates', async (t, scenario) => {
  const [alice, bob] = await scenario.addAliceAndBob()
  await alice.post('calls', { callId: 'c1', to: 'bob', offer, candidates: candidates(2, 'aliceA'), end: true })
  await bob.expectEvent('call.incoming')
  const watch = await scenario.addClient('bob', 'watch', { node: scenario.lastNode })
  t.match(await watch.expectEvent('call.incoming'), {
    offer: { sdp: offer.sdp },
    candidates: candidates(2, 'aliceA'),
    end: true
  })
  await alice.post('calls/c1/cancel')
  for (const his of [bob, watch]) await his.expectEvent('call.ended')
})

flow('later offers and answers take candidates too, which follow them', async (t, scenario) => {
  const [alice, bob] = await scenario.addAliceAndBob()
  await alice.post('calls', { callId: 'c1', to: 'bob', offer })
  await bob.expectEvent('call.incoming')
  await bob.post('calls/c1/accept', { answer })
  t.match(await alice.expectEvent('call.accepted'), { answer: { sdp: answer.sdp } })
  const restart = { sdp: sdp('aliceB'), candidates: [candidate(1, 'aliceB'), candidate(2, 'aliceA')], end: true }
  t.match(await alice.post('calls/c1/offer', restart), {
    revision: 2,
    outcomes: { accepted: 1, held: [], rejected: [{ index: 1, code: 'stale_candidate' }] }
  })
  t.match(await bob.expectEvent('signal.offer'), { revision: 2 })
  t.match(await bob.expectEvent('signal.candidates'), { candidates: [candidate(1, 'aliceB')], end: true })
  await bob.post('calls/c1/answer', { sdp: sdp('bobB'), candidates: candidates(2, 'bobB') })
  await alice.expectEvent('signal.answer')
  t.match(await alice.expectEvent('signal.candidates'), { candidates: candidates(2, 'bobB'), end: false })
  t.notOk('outcomes' in (await alice.post('calls/c1/offer', { sdp: sdp('aliceC') })), 'only if there are candidates')
  await bob.expectEvent('signal.offer')
  await alice.post('calls/c1/hangup')
  await bob.expectEvent('call.ended')
})

flow('an accept with an answer to no offer is refused, and the call rings on', async (t, scenario) => {
  const [alice, bob] = await scenario.addAliceAndBob()
  await alice.post('calls', { callId: 'c1', to: 'bob' })
  await bob.expectEvent('call.incoming')
  t.match(await bob.expectRefusal('no_offer_pending', 'calls/c1/accept', { answer }), { currentState: 'ringing' })
  await bob.expectRefusal('invalid_request', 'calls/c1/accept', { answer, offer })
  await bob.expectRefusal('invalid_request', 'calls/c1/accept', { answer: offer })
  t.match(await alice.call('c1'), { state: 'ringing' })
  await bob.post('calls/c1/accept', { candidates: candidates(1, 'bobA') })
  await alice.expectEvent('call.accepted')
  await alice.post('calls/c1/offer', { sdp: offer.sdp })
  await bob.expectEvent('signal.offer')
  await bob.post('calls/c1/answer', { sdp: answer.sdp })
  await alice.expectEvent('signal.answer')
  t.match(await alice.expectEvent('signal.candidates'), { candidates: candidates(1, 'bobA') })
})

flow('the reply to a merged create has the offer and the candidates to answer', async (t, scenario) => {
  const [alice, bob] = await scenario.addAliceAndBob()
  await alice.post('calls', { callId: 'a1', to: 'bob', offer, candidates: candidates(2, 'aliceA'), end: true })
  await bob.expectEvent('call.incoming')
  const merged = await bob.post('calls', { callId: 'b1', to: 'alice', offer: { sdp: sdp('bobX') } })
  t.match(merged, {
    resolution: 'merged',
    call: { callId: 'a1', state: 'connecting' },
    offer: { revision: 1, sdp: offer.sdp },
    candidates: candidates(2, 'aliceA'),
    end: true
  })
  await alice.expectEvent('call.accepted')
  await bob.post('calls/a1/answer', { sdp: answer.sdp })
  t.match(await alice.expectEvent('signal.answer'), { sdp: answer.sdp })
  await alice.post('calls/a1/hangup')
  await bob.expectEvent('call.ended')
})

flow('in a room a description brings its candidates to the participant it is for', async (t, scenario) => {
  const [alice, bob] = await meet(scenario)
  const request = { to: bob.id, sdp: sdp('aliceA'), candidates: candidates(2, 'aliceA'), end: true }
  t.match(await alice.who.post('rooms/r1/offer', request), { revision: 1, outcomes: { accepted: 2 } })
  await bob.who.expectEvent('signal.offer')
  t.match(await bob.who.expectEvent('signal.candidates'), { candidates: candidates(2, 'aliceA'), end: true })
  await alice.who.post('rooms/r1/offer', request)
  const reply = { to: alice.id, sdp: sdp('bobA'), candidates: [candidate(1, 'bobA'), candidate(2, 'bobB')] }
  t.match(await bob.who.post('rooms/r1/answer', reply), {
    outcomes: { accepted: 2, held: [{ index: 1, reason: 'unknown_ufrag' }] }
  })
  await alice.who.expectEvent('signal.answer')
  t.match(await alice.who.expectEvent('signal.candidates'), { candidates: [candidate(1, 'bobA')], end: false })
})
