// The call of other users looks like a call that does not exist.

import { flow } from '../helpers/scenario.js'
import { candidates, sdp } from '../helpers/sdp.js'

const ACTIONS: readonly [action: string, body?: object][] = [
  ['ringing'],
  ['accept'],
  ['reject', { scope: 'device' }],
  ['reject', { scope: 'user' }],
  ['connected'],
  ['hangup', { reason: 'media_failed' }],
  ['hold'],
  ['resume'],
  ['offer', { sdp: sdp('mallory') }],
  ['answer', { sdp: sdp('mallory') }],
  ['candidates', { candidates: candidates(1) }]
]

const PROBLEM = ['code', 'detail', 'instance', 'retryable', 'status', 'title', 'type']

flow('a stranger gets call_not_found in each state of the call, and changes nothing', async (t, scenario) => {
  const [alice, bob] = await scenario.addAliceAndBob()
  const mallory = await scenario.addClient('mallory', 'phone', { node: scenario.lastNode })
  const tryAll = async (state: string) => {
    const before = await alice.call('c1')
    t.equal(before.state, state)
    const { body } = await mallory.request('GET', 'calls/c1')
    t.equal(body.code, 'call_not_found')
    t.same([body.currentState, body.version], [undefined, undefined], 'the refusal has no state of the call')
    for (const [action, content] of ACTIONS) {
      const refused = await mallory.expectRefusal('call_not_found', `calls/c1/${action}`, content)
      t.equal(refused.currentState, undefined)
    }
    const taken = await mallory.expectRefusal('call_id_taken', 'calls', { callId: 'c1', to: 'bob' })
    t.same(Object.keys(taken).sort(), [...PROBLEM], 'call_id_taken reveals nothing else')
    const [{ call: there }, { call: unknown }] = [
      await mallory.post('calls/c1/cancel'),
      await mallory.post('calls/c0/cancel')
    ]
    t.same({ ...(there as object), callId: 'c0' }, unknown, 'a cancel does not reveal whether the call exists')
    t.same(
      (await mallory.request('GET', 'calls/c0')).body.code,
      'call_not_found',
      'a read after the cancel does not either'
    )
    t.same(await mallory.activeCalls(), [])
    t.same(await alice.call('c1'), before)
  }
  await alice.post('calls', { callId: 'c1', to: 'bob' })
  await bob.expectEvent('call.incoming')
  await tryAll('ringing')
  await bob.post('calls/c1/accept')
  await alice.expectEvent('call.accepted')
  await tryAll('connecting')
  await alice.post('calls/c1/connected')
  await bob.expectEvent('call.connected')
  await tryAll('connected')
  await alice.post('calls/c1/hangup')
  await bob.expectEvent('call.ended')
  await tryAll('ended')
})

flow('an action of the other side is refused with wrong_party, and changes nothing', async (t, scenario) => {
  const [alice, bob] = await scenario.addAliceAndBob()
  await alice.post('calls', { callId: 'c1', to: 'bob' })
  await bob.expectEvent('call.incoming')
  const before = await alice.call('c1')
  for (const action of ['ringing', 'accept', 'reject']) {
    t.match(await alice.expectRefusal('wrong_party', `calls/c1/${action}`), { currentState: 'ringing', version: 1 })
  }
  await bob.expectRefusal('wrong_party', 'calls/c1/cancel')
  for (const action of ['connected', 'hold', 'resume']) {
    for (const client of [alice, bob]) await client.expectRefusal('wrong_state', `calls/c1/${action}`)
  }
  t.same(await alice.call('c1'), before)
  await bob.post('calls/c1/accept')
  await alice.expectEvent('call.accepted')
  await bob.expectRefusal('wrong_party', 'calls/c1/offer', { sdp: sdp('bobA') })
  await alice.expectRefusal('no_offer_pending', 'calls/c1/answer', { sdp: sdp('aliceA') })
  await alice.expectRefusal('invalid_sdp', 'calls/c1/offer', { sdp: 'hello' })
  await alice.expectRefusal('invalid_candidate', 'calls/c1/candidates', { candidates: [{ candidate: 'hello' }] })
  await alice.expectRefusal('cannot_call_self', 'calls', { callId: 'c2', to: 'alice' })
  await bob.post('calls/c1/hangup')
  await alice.expectEvent('call.ended')
})
