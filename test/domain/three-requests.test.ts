// Candidates that come with a description: in the create, in the accept, and with later offers and answers.
import t from 'tap'
import type { CallCommand } from '../../src/domain/call/command.js'
import type { CallDecision } from '../../src/domain/call/decision.js'
import {
  accept,
  after,
  appeared,
  create,
  decide,
  describe,
  laptop,
  outcomeOf,
  phone,
  trickle,
  watch
} from '../helpers/calls.js'
import { candidate, candidates, sdp } from '../helpers/sdp.js'

const offer = describe('offer', phone, 'a1').description
const answer = describe('answer', laptop, 'b1').description
const batch = (ufrag: string, count = 2, end = true) => ({ candidates: candidates(count, ufrag), end })
const early = create({ offer, batch: batch('a1') })

const typesOf = ({ events }: CallDecision) => events.map(({ type }) => type)
const withBatch = (command: ReturnType<typeof describe>, given: ReturnType<typeof batch>): CallCommand => ({
  ...command,
  batch: given
})

t.test('a call in three requests: no signal is needed besides call.incoming and call.accepted', async t => {
  const created = decide(null, early)
  t.match(created.events, [
    {
      type: 'call.incoming',
      data: { offer: { revision: 1, sdp: sdp('a1') }, candidates: candidates(2, 'a1'), end: true }
    }
  ])
  t.match(created.outcomes, { accepted: 2, held: [], rejected: [] })
  const accepted = decide(created.state, accept(laptop, { answer, batch: batch('b1') }))
  t.match(accepted.events, [
    {
      to: phone,
      type: 'call.accepted',
      data: { answer: { revision: 1, sdp: sdp('b1') }, candidates: candidates(2, 'b1'), end: true }
    },
    { to: { user: 'alice', except: ['phone'] }, type: 'call.accepted' },
    { type: 'call.ended', to: { user: 'bob' } }
  ])
  t.notMatch(accepted.events[1]?.data, { answer: {} }, 'only the device in the call gets the signals')
  t.match(accepted.state.negotiation, { revision: 1, pendingFrom: null })
  t.match(accepted.state, { early: {}, signaled: { caller: { waiting: [] }, callee: { waiting: [] } } })
  t.match(accepted.outcomes, { accepted: 2 })
})

t.test('a device that registers while the call rings gets the candidates too', async t => {
  const { events } = decide(after(early), appeared(watch, true))
  t.match(events, [{ to: watch, data: { offer: { revision: 1 }, candidates: candidates(2, 'a1'), end: true } }])
})

t.test('candidates that are sent while the call rings follow the accept, those of the create do not', async t => {
  const ringing = after(early, trickle(phone, candidates(1, 'a1', 9)))
  const accepted = decide(ringing, accept(laptop, { answer }))
  t.strictSame(typesOf(accepted), ['call.accepted', 'call.accepted', 'call.ended', 'signal.candidates'])
  t.match(accepted.events.at(-1), { to: laptop, data: { candidates: candidates(1, 'a1', 9) } })
})

t.test('candidates of a create without an offer wait for it', async t => {
  const created = decide(null, create({ batch: batch('a1') }))
  t.notOk('candidates' in (created.events[0]?.data ?? {}))
  t.match(created.outcomes, { accepted: 2, held: [{ index: 0, reason: 'no_description' }, { index: 1 }] })
  const offered = decide(decide(created.state, accept(laptop)).state, describe('offer', phone, 'a1'))
  t.match(offered.events, [{ type: 'signal.offer' }, { data: { candidates: candidates(2, 'a1'), end: true } }])
})

t.test('candidates of an accept without an answer wait for it', async t => {
  const accepted = decide(after(early), accept(laptop, { batch: batch('b1') }))
  t.strictSame(typesOf(accepted), ['call.accepted', 'call.ended'])
  t.match(accepted.outcomes, { held: [{ reason: 'no_description' }, {}] })
  const answered = decide(accepted.state, describe('answer', laptop, 'b1'))
  t.match(answered.events, [{ type: 'signal.answer' }, { data: { candidates: candidates(2, 'b1'), end: true } }])
})

t.test('an answer is refused with the accept if no offer is pending, and the call rings on', async t => {
  t.equal(outcomeOf(after(create()), accept(laptop, { answer })), 'no_offer_pending')
  t.equal(outcomeOf(after(create({ offerer: 'callee' })), accept(laptop, { answer })), 'no_offer_pending')
})

t.test('a repeated accept changes nothing; its description counts if it is the first one', async t => {
  const accepted = after(early, accept(laptop, { answer, batch: batch('b1') }))
  t.equal(outcomeOf(accepted, accept(laptop, { answer, batch: batch('b1') })), 'same')
  const renegotiating = decide(accepted, describe('offer', phone, 'a2')).state
  t.equal(outcomeOf(renegotiating, accept(laptop, { answer })), 'same', 'it does not answer a later offer')
  const unanswered = after(early, accept(laptop))
  t.equal(
    outcomeOf(unanswered, accept(laptop, { answer, batch: batch('b1') })),
    'connecting: alice/phone answer; alice/phone candidates'
  )
})

t.test('candidates of a repeated accept count unless they are those of the first one', async t => {
  const more = batch('b1', 3)
  const accepted = after(early, accept(laptop, { answer, batch: batch('b1') }))
  const again = decide(accepted, accept(laptop, { answer, batch: more }))
  t.match(again.events, [{ to: phone, type: 'signal.candidates', data: { candidates: more.candidates, end: true } }])
  const alone = decide(accepted, accept(laptop, { batch: more }))
  t.match(alone.events, [{ to: phone, type: 'signal.candidates', data: { candidates: more.candidates } }])
  const renegotiating = decide(accepted, describe('offer', phone, 'a2')).state
  t.equal(outcomeOf(renegotiating, accept(laptop, { answer, batch: more })), 'same', 'those of an earlier answer')

  const waiting = after(early, accept(laptop, { batch: batch('b1', 1, false) }))
  t.equal(outcomeOf(waiting, accept(laptop, { batch: batch('b1', 1, false) })), 'same')
  const late = decide(after(early, accept(laptop)), accept(laptop, { batch: batch('b1') }))
  t.match(late.outcomes, { accepted: 2, held: [{}, {}] })
  t.match(decide(late.state, describe('answer', laptop, 'b1')).events, [
    { type: 'signal.answer' },
    { data: { candidates: candidates(2, 'b1'), end: true } }
  ])
})

t.test('later descriptions bring candidates in the same way, behind those that waited', async t => {
  const state = after(early, accept(laptop, { answer }), trickle(phone, [candidate(7, 'a2')]))
  const restarted = decide(state, withBatch(describe('offer', phone, 'a2'), batch('a2')))
  t.match(restarted.events, [
    { type: 'signal.offer' },
    { type: 'signal.candidates', data: { candidates: [candidate(7, 'a2')], end: false } },
    { type: 'signal.candidates', data: { candidates: candidates(2, 'a2'), end: true } }
  ])
  const answered = decide(restarted.state, withBatch(describe('answer', laptop, 'b2'), batch('b2')))
  t.strictSame(typesOf(answered), ['signal.answer', 'signal.candidates'])
})

t.test('a description counts also if all its candidates are rejected', async t => {
  const state = after(early, accept(laptop, { answer }))
  const restarted = decide(state, withBatch(describe('offer', phone, 'a2'), batch('a1', 2, false)))
  t.strictSame(typesOf(restarted), ['signal.offer'])
  t.match(restarted.outcomes, { accepted: 0, rejected: [{ index: 0, code: 'stale_candidate' }, { index: 1 }] })
})

t.test('a retried description does not send its candidates again, but new ones', async t => {
  const state = after(early, accept(laptop, { answer }))
  const command = withBatch(describe('offer', phone, 'a2'), batch('a2'))
  const offered = decide(state, command).state
  t.equal(outcomeOf(offered, command), 'same')
  t.match(decide(offered, command).outcomes, { accepted: 2, held: [], rejected: [] })
  const more = withBatch(describe('offer', phone, 'a2'), batch('a2', 3))
  t.equal(outcomeOf(offered, more), 'same: bob/laptop candidates')
})
