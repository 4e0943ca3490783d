// Who makes the first offer of a call, and the accept that brings it.
import t from 'tap'
import {
  accept,
  after,
  attempt,
  create,
  decide,
  describe,
  laptop,
  outcomeOf,
  phone,
  tablet,
  trickle
} from '../helpers/calls.js'
import { candidate, candidates, sdp } from '../helpers/sdp.js'

const { description } = describe('offer', laptop, 'b1')
const ringing = after(create({ offerer: 'callee' }))

t.test('only the side that offerer names makes the first offer, and either side the later ones', async t => {
  for (const [offerer, first, other] of [
    ['caller', phone, laptop],
    ['callee', laptop, phone]
  ] as const) {
    const answered = after(create({ offerer }), accept(laptop))
    t.match(attempt(answered, describe('offer', other, 'x1'), 0), {
      code: 'wrong_party',
      detail: `The ${offerer} makes the first offer`
    })
    const offered = decide(answered, describe('offer', first, 'y1'))
    t.match(offered.events, [{ type: 'signal.offer', to: other, data: { revision: 1 } }])
    const settled = decide(offered.state, describe('answer', other, 'x1')).state
    t.match(decide(settled, describe('offer', other, 'x2')).state.negotiation, { revision: 2 })
  }
})

t.test('an accept with an offer brings it to the device in the call, and to no other', async t => {
  const { state, events } = decide(ringing, accept(laptop, { offer: description }))
  t.match(state, { phase: 'connecting', negotiation: { revision: 1, pendingFrom: 'callee' } })
  t.match(events, [
    { type: 'call.accepted', to: phone, data: { offer: { revision: 1, sdp: sdp('b1') }, call: { offerer: 'callee' } } },
    { type: 'call.accepted', to: { user: 'alice', except: [phone.device] } },
    { type: 'call.ended', to: { user: 'bob', except: [laptop.device] } }
  ])
  t.notOk(JSON.stringify(events[1]).includes('ice-ufrag'), `${tablet.device} follows the call without the offer`)
  t.match(decide(state, describe('answer', phone, 'a1')).events, [{ type: 'signal.answer', to: laptop }])
  t.equal(outcomeOf(state, describe('offer', phone, 'a1')), 'offer_collision')
  t.equal(
    outcomeOf(state, trickle(laptop, candidates(1, 'b1'))),
    'same: alice/phone candidates',
    'they follow the offer'
  )
})

t.test('a repeated accept with an offer changes nothing', async t => {
  const accepted = decide(ringing, accept(laptop, { offer: description })).state
  t.equal(outcomeOf(accepted, accept(laptop, { offer: description })), 'same')
  t.equal(outcomeOf(accepted, describe('offer', laptop, 'b1')), 'same')
})

t.test('an accept with an offer is refused if the caller makes the first offer', async t => {
  t.equal(outcomeOf(after(create()), accept(laptop, { offer: description })), 'wrong_party')
  const early = after(create({ offer: describe('offer', phone, 'a1').description }))
  t.equal(outcomeOf(early, accept(laptop, { offer: description })), 'wrong_party', 'also with an early offer')
})

t.test('candidates of a caller who has to answer wait for the answer', async t => {
  const waiting = decide(ringing, trickle(phone, [candidate(1, 'a1')])).state
  const accepted = decide(waiting, accept(laptop, { offer: description })).state
  t.equal(outcomeOf(accepted, describe('answer', phone, 'a1')), 'connecting: bob/laptop answer; bob/laptop candidates')
})
