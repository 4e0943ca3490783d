// alice calls bob, they talk, and one of them hangs up: the events of each, their order (G5), and the replies.

import { flow } from '../helpers/scenario.js'
import { candidate, candidates, sdp } from '../helpers/sdp.js'

flow('a whole call: both sides get each event once, and presence is busy until the end', async (t, scenario) => {
  const [alice, bob] = await scenario.addAliceAndBob()
  const created = await alice.post('calls', { callId: 'c1', to: 'bob', media: 'video', metadata: { topic: 'lunch' } })
  t.match(created, {
    resolution: 'created',
    delivery: { online: 1, queued: 0 },
    call: { state: 'ringing', version: 1 }
  })
  const incoming = await bob.expectEvent('call.incoming')
  t.match(incoming, { from: alice.endpoint, media: 'video', metadata: { topic: 'lunch' }, expiresInMs: 30_000 })

  await bob.post('calls/c1/ringing')
  t.match(await alice.expectEvent('call.ringing'), { by: { user: 'bob', device: null } })

  t.match(await bob.post('calls/c1/accept'), { call: { state: 'connecting', callee: bob.endpoint } })
  t.match(await alice.expectEvent('call.accepted'), { by: bob.endpoint, call: { state: 'connecting' } })

  const offered = await alice.post('calls/c1/offer', { sdp: sdp('aliceA') })
  t.match(offered, { revision: 1, delivery: { online: 1, queued: 0 } })
  t.match(await bob.expectEvent('signal.offer'), { from: alice.endpoint, revision: 1, sdp: sdp('aliceA') })
  t.match(await alice.post('calls/c1/candidates', { candidates: candidates(2, 'aliceA') }), {
    accepted: 2,
    held: { length: 0 }
  })
  t.match(await bob.expectEvent('signal.candidates'), { candidates: candidates(2, 'aliceA'), end: false })

  await bob.post('calls/c1/answer', { sdp: sdp('bobA'), revision: 1 })
  t.match(await alice.expectEvent('signal.answer'), { from: bob.endpoint, revision: 1 })
  await bob.post('calls/c1/candidates', { candidates: [candidate(7)], end: true })
  t.match(await alice.expectEvent('signal.candidates'), { from: bob.endpoint, candidates: [candidate(7)], end: true })

  await scenario.advance(1000)
  t.match(await alice.post('calls/c1/connected'), { call: { state: 'connected', setupMs: 1000 } })
  t.match(await bob.expectEvent('call.connected'), { by: alice.endpoint, setupMs: 1000 })
  await bob.post('calls/c1/connected')

  await scenario.advance(5000)
  const over = { state: 'ended', reason: 'hangup', endedBy: bob.endpoint, setupMs: 1000, durationMs: 5000 }
  t.match(await bob.post('calls/c1/hangup'), { call: over })
  t.match(await alice.expectEvent('call.ended'), { reason: 'hangup', endedBy: bob.endpoint, call: over })
  t.match(await alice.call('c1'), over)
  t.same(await alice.activeCalls(), [])
  for (const client of [alice, bob]) {
    t.match(
      await client.request('GET', 'snapshot'),
      { body: { calls: [], presence: { state: 'online' } } },
      'no longer busy'
    )
  }
})

flow('an offer in the create arrives with call.incoming, and its candidates after the accept', async (t, scenario) => {
  const [alice, bob] = await scenario.addAliceAndBob()
  await alice.post('calls', { callId: 'c1', to: 'bob', offer: { sdp: sdp('aliceA') } })
  t.match(await bob.expectEvent('call.incoming'), { offer: { revision: 1, sdp: sdp('aliceA') } })
  t.match(await alice.post('calls/c1/candidates', { candidates: candidates(3, 'aliceA') }), {
    accepted: 3,
    held: { length: 3 }
  })
  await bob.post('calls/c1/accept')
  t.match(await bob.expectEvent('signal.candidates'), { candidates: candidates(3, 'aliceA') })
  await bob.post('calls/c1/answer', { sdp: sdp('bobA') })
  await alice.expectEvents('call.accepted', 'signal.answer')
  await alice.post('calls/c1/hangup', { reason: 'media_failed' })
  t.match(await bob.expectEvent('call.ended'), { reason: 'media_failed', endedBy: alice.endpoint })
})

flow('candidates that are sent before their description are delivered after it', async (t, scenario) => {
  const [alice, bob] = await scenario.addAliceAndBob()
  await alice.post('calls', { callId: 'c1', to: 'bob' })
  await bob.expectEvent('call.incoming')
  await bob.post('calls/c1/accept')
  await alice.expectEvent('call.accepted')
  // alice sends the second half of her candidates to the node of bob.
  t.match(await alice.post('calls/c1/candidates', { candidates: candidates(2, 'aliceA') }), {
    accepted: 2,
    held: { length: 2 }
  })
  alice.useNode(scenario.lastNode)
  t.match(await alice.post('calls/c1/candidates', { candidates: candidates(2, 'aliceA', 3), end: true }), {
    held: { length: 2 }
  })
  await alice.post('calls/c1/offer', { sdp: sdp('aliceA') })
  t.match(await bob.expectEvent('signal.offer'), { revision: 1 })
  t.match(await bob.expectEvent('signal.candidates'), { candidates: candidates(4, 'aliceA'), end: true })
  alice.useNode(0)
  await alice.post('calls/c1/candidates', { candidates: [candidate(9)] })
  t.match(await bob.expectEvent('signal.candidates'), { candidates: [candidate(9)], end: false })
  await alice.post('calls/c1/hangup')
  await bob.expectEvent('call.ended')
})

flow('a description and its candidates sent at once arrive in that order', async (t, scenario) => {
  const [alice, bob] = await scenario.addAliceAndBob()
  await alice.post('calls', { callId: 'c1', to: 'bob' })
  await bob.expectEvent('call.incoming')
  await bob.post('calls/c1/accept')
  await alice.expectEvent('call.accepted')
  for (let round = 1; round <= 5; round++) {
    const ufrag = `gen${round}`
    const batches = Array.from({ length: 6 }, (_, i) => [candidate(10 * round + i, ufrag)])
    const at = [0, scenario.lastNode]
    await Promise.all([
      alice.post('calls/c1/offer', { sdp: sdp(ufrag), revision: round }),
      ...batches.map((batch, i) => {
        alice.useNode(at[i % 2] ?? 0)
        return alice.post('calls/c1/candidates', { candidates: batch })
      })
    ])
    await bob.expectEvent('signal.offer')
    const received: unknown[] = []
    while (received.length < 6) received.push(...((await bob.expectEvent('signal.candidates')).candidates as unknown[]))
    t.same(new Set(received.map(each => JSON.stringify(each))).size, 6, 'each candidate once')
    await bob.post('calls/c1/answer', { sdp: sdp(`bob${round}`) })
    await alice.expectEvent('signal.answer')
  }
  await bob.post('calls/c1/hangup')
  await alice.expectEvent('call.ended')
})

flow(
  'a renegotiation and an ICE restart succeed, and candidates of the older generation are refused',
  async (t, scenario) => {
    const [alice, bob] = await scenario.addAliceAndBob()
    await alice.post('calls', { callId: 'c1', to: 'bob' })
    await bob.expectEvent('call.incoming')
    await bob.post('calls/c1/accept')
    await alice.post('calls/c1/offer', { sdp: sdp('aliceA') })
    await bob.post('calls/c1/answer', { sdp: sdp('bobA') })
    await bob.expectEvent('signal.offer')
    await alice.expectEvents('call.accepted', 'signal.answer')

    t.match(await bob.post('calls/c1/offer', { sdp: sdp('bobA', 2), revision: 2 }), { revision: 2 })
    t.match(await alice.expectEvent('signal.offer'), { revision: 2, from: bob.endpoint })
    await alice.post('calls/c1/answer', { sdp: sdp('aliceA', 2), revision: 2 })
    t.match(await bob.expectEvent('signal.answer'), { revision: 2 })
    await alice.post('calls/c1/candidates', { candidates: candidates(1, 'aliceA') })
    await bob.expectEvent('signal.candidates')

    t.match(await alice.post('calls/c1/candidates', { candidates: candidates(2, 'aliceB') }), { held: { length: 2 } })
    await alice.post('calls/c1/offer', { sdp: sdp('aliceB', 3), revision: 3 })
    t.match(await bob.expectEvent('signal.offer'), { revision: 3 })
    t.match(await bob.expectEvent('signal.candidates'), { revision: 3, candidates: candidates(2, 'aliceB') })
    t.match(
      await alice.expectRefusal('stale_candidate', 'calls/c1/candidates', { candidates: candidates(1, 'aliceA') }),
      {
        revision: 3,
        currentState: 'connecting'
      }
    )
    await bob.post('calls/c1/answer', { sdp: sdp('bobB', 3) })
    await alice.expectEvent('signal.answer')
    await bob.expectRefusal('stale_revision', 'calls/c1/offer', { sdp: sdp('bobC'), revision: 3 })
    await bob.expectRefusal('no_offer_pending', 'calls/c1/answer', { sdp: sdp('bobC') })
    t.match(await bob.post('calls/c1/answer', { sdp: sdp('bobB', 3) }), { revision: 3 }, 'a retry succeeds')
    await bob.post('calls/c1/hangup')
    await alice.expectEvent('call.ended')
  }
)

flow('of two concurrent offers one succeeds and the other is refused as offer_collision', async (t, scenario) => {
  const [alice, bob] = await scenario.addAliceAndBob()
  await alice.post('calls', { callId: 'c1', to: 'bob' })
  await bob.expectEvent('call.incoming')
  await bob.post('calls/c1/accept')
  await alice.expectEvent('call.accepted')
  await alice.post('calls/c1/offer', { sdp: sdp('a0') })
  await bob.expectEvent('signal.offer')
  await bob.post('calls/c1/answer', { sdp: sdp('b0') })
  await alice.expectEvent('signal.answer')
  for (let round = 2; round <= 6; round++) {
    const answers = await Promise.all([
      alice.request('POST', 'calls/c1/offer', { sdp: sdp(`a${round}`) }),
      bob.request('POST', 'calls/c1/offer', { sdp: sdp(`b${round}`) })
    ])
    t.same(answers.map(({ status }) => status).sort(), [202, 409])
    const [winner, loser] = answers[0].status === 202 ? [alice, bob] : [bob, alice]
    const collision = answers.find(({ status }) => status === 409)?.body
    t.match(collision, { code: 'offer_collision', revision: round, polite: loser === bob })
    t.match(await loser.expectEvent('signal.offer'), { revision: round, from: winner.endpoint })
    await loser.post('calls/c1/answer', { sdp: sdp(`c${round}`), revision: round })
    t.match(await winner.expectEvent('signal.answer'), { revision: round })
  }
  await alice.post('calls/c1/hangup')
  await bob.expectEvent('call.ended')
})

flow('a candidate after the end is refused, also by a node that has the call cached', async (t, scenario) => {
  const [alice, bob] = await scenario.addAliceAndBob()
  for (const [i, [last, late]] of [[alice, bob] as const, [bob, alice] as const].entries()) {
    const callId = `c${i}`
    await alice.post('calls', { callId, to: 'bob' })
    await bob.expectEvent('call.incoming')
    await bob.post(`calls/${callId}/accept`)
    await alice.post(`calls/${callId}/offer`, { sdp: sdp('aliceA') })
    await bob.post(`calls/${callId}/answer`, { sdp: sdp('bobA') })
    await late.post(`calls/${callId}/candidates`, { candidates: [candidate(1)] })
    await bob.expectEvent('signal.offer')
    await alice.expectEvents('call.accepted', 'signal.answer')
    await last.expectEvent('signal.candidates')
    await last.post(`calls/${callId}/hangup`)
    const refused = await late.expectRefusal('call_ended', `calls/${callId}/candidates`, { candidates: [candidate(2)] })
    t.match(refused, { currentState: 'ended', reason: 'hangup' })
    await late.expectEvent('call.ended')
  }
})

flow('a node with an outdated cached call repeats a change that another node has reverted', async (t, scenario) => {
  const [alice, bob] = await scenario.addAliceAndBob()
  await alice.post('calls', { callId: 'c1', to: 'bob' })
  await bob.expectEvent('call.incoming')
  await bob.post('calls/c1/accept')
  await bob.post('calls/c1/connected')
  await alice.expectEvents('call.accepted', 'call.connected')
  await alice.post('calls/c1/hold')
  await bob.expectEvent('call.held')
  alice.useNode(scenario.lastNode)
  await alice.post('calls/c1/resume')
  await bob.expectEvent('call.resumed')
  alice.useNode(0)
  t.match(await alice.post('calls/c1/hold'), { call: { held: { caller: true, callee: false } } })
  await bob.expectEvent('call.held')
  await bob.post('calls/c1/hangup')
  await alice.expectEvent('call.ended')
})

flow('each side holds and resumes for itself', async (t, scenario) => {
  const [alice, bob] = await scenario.addAliceAndBob()
  await alice.post('calls', { callId: 'c1', to: 'bob' })
  await bob.expectEvent('call.incoming')
  await bob.post('calls/c1/accept')
  await bob.expectRefusal('wrong_state', 'calls/c1/hold')
  await bob.post('calls/c1/connected')
  await alice.expectEvents('call.accepted', 'call.connected')
  t.match(await alice.post('calls/c1/hold'), { call: { held: { caller: true, callee: false } } })
  t.match(await bob.expectEvent('call.held'), { by: alice.endpoint, held: { caller: true, callee: false } })
  await alice.post('calls/c1/hold')
  await bob.post('calls/c1/hold')
  t.match(await alice.expectEvent('call.held'), { held: { caller: true, callee: true } })
  await alice.post('calls/c1/resume')
  t.match(await bob.expectEvent('call.resumed'), { held: { caller: false, callee: true } })
  await bob.post('calls/c1/hangup')
  await alice.expectEvent('call.ended')
})
