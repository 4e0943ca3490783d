// Offers, answers and candidates of a call: revisions, collisions, ICE generations, waiting candidates.
import t from 'tap'
import type { CallCommand } from '../../src/domain/call/command.js'
import type { CallDecision } from '../../src/domain/call/decision.js'
import type { CallState } from '../../src/domain/call/state.js'
import { WAITING_MAX } from '../../src/domain/negotiation/waiting-candidates.js'
import type { Candidate } from '../../src/schemas/signal.js'
import {
  accept,
  after,
  attempt,
  connecting,
  create,
  decide,
  describe,
  laptop,
  outcomeOf,
  phone,
  ringing,
  simple,
  trickle
} from '../helpers/calls.js'
import { candidate, candidates, sdp } from '../helpers/sdp.js'

/** The values of `field` in all events of one type. */
const sent = (decision: CallDecision, type: string, field: string) =>
  decision.events.filter(event => event.type === type).map(({ data }) => data[field])
const sentCandidates = (decision: CallDecision) =>
  sent(decision, 'signal.candidates', 'candidates').flat() as Candidate[]
const sentEnds = (decision: CallDecision) => sent(decision, 'signal.candidates', 'end')

/** The state after more commands. */
const then = (state: CallState, ...commands: CallCommand[]) =>
  commands.reduce((before, command) => decide(before, command).state, state)

const negotiated = () => then(connecting(), describe('offer', phone, 'a1'), describe('answer', laptop, 'b1'))

t.test('each offer has the next revision, and an answer that of its offer', async t => {
  let state = connecting()
  const rounds = [
    [phone, laptop, 'a1', 'b1'],
    [laptop, phone, 'b2', 'a2'],
    [phone, laptop, 'a3', 'b3']
  ] as const
  for (const [i, [from, to, offered, answered]] of rounds.entries()) {
    const offer = decide(state, describe('offer', from, offered, i + 1))
    t.match(offer.events, [{ to, type: 'signal.offer', data: { from, revision: i + 1, sdp: sdp(offered) } }])
    t.strictSame(offer.state.negotiation, { revision: i + 1, pendingFrom: from === phone ? 'caller' : 'callee' })
    const answer = decide(offer.state, describe('answer', to, answered, i + 1))
    t.match(answer.events, [{ to: from, type: 'signal.answer', data: { from: to, revision: i + 1 } }])
    t.strictSame(answer.state.negotiation, { revision: i + 1, pendingFrom: null })
    state = answer.state
  }
})

t.test('a wrong revision is refused', async t => {
  const offered = then(connecting(), describe('offer', phone, 'a1'))
  t.equal(outcomeOf(connecting(), describe('offer', phone, 'a1', 2)), 'stale_revision')
  t.equal(outcomeOf(offered, describe('offer', phone, 'a2', 1)), 'stale_revision', 'another offer under an old number')
  t.equal(outcomeOf(offered, describe('answer', laptop, 'b1', 2)), 'stale_revision')
  t.equal(outcomeOf(negotiated(), describe('answer', laptop, 'b2', 1)), 'no_offer_pending', 'it has been answered')
  t.match(attempt(offered, describe('answer', laptop, 'b1', 9), 0), { extra: { revision: 1, version: 3 } })
})

t.test('an answer to one’s own offer is refused', async t => {
  const offered = then(connecting(), describe('offer', phone, 'a1'))
  t.equal(outcomeOf(offered, describe('answer', phone, 'a1')), 'no_offer_pending')
})

t.test('when offers collide the first one remains, and the callee is polite', async t => {
  const byCaller = then(negotiated(), describe('offer', phone, 'a2'))
  t.match(attempt(byCaller, describe('offer', laptop, 'b2'), 0), {
    code: 'offer_collision',
    extra: { revision: 2, pendingFrom: 'caller', polite: true }
  })
  const byCallee = then(negotiated(), describe('offer', laptop, 'b2'))
  t.match(attempt(byCallee, describe('offer', phone, 'a2'), 0), {
    code: 'offer_collision',
    extra: { revision: 2, pendingFrom: 'callee', polite: false }
  })
  const settled = then(byCaller, describe('answer', laptop, 'b2'))
  t.equal(
    outcomeOf(settled, describe('offer', laptop, 'b3')),
    'connecting: alice/phone offer',
    'after its answer, again'
  )
})

t.test('a pending offer is replaced by a new offer of the same side with the next revision', async t => {
  const first = then(connecting(), describe('offer', phone, 'a1'))
  const second = decide(first, describe('offer', phone, 'a2', 2))
  t.match(second.events, [{ to: laptop, type: 'signal.offer', data: { revision: 2 } }])
  t.equal(outcomeOf(second.state, describe('answer', laptop, 'b1', 1)), 'stale_revision', 'the first is not answered')
  t.equal(outcomeOf(second.state, describe('answer', laptop, 'b1', 2)), 'connecting: alice/phone answer')
})

t.test('an answer names its revision if the pending offer has superseded another one', async t => {
  const superseded = then(connecting(), describe('offer', phone, 'a1'), describe('offer', phone, 'a2'))
  t.match(attempt(superseded, describe('answer', laptop, 'b1'), 0), {
    code: 'revision_required',
    extra: { revision: 2, currentState: 'connecting' }
  })
  t.equal(outcomeOf(superseded, describe('answer', laptop, 'b1', 1)), 'stale_revision')
  const answered = then(superseded, describe('answer', laptop, 'b1', 2))
  t.equal(outcomeOf(answered, describe('answer', laptop, 'b1')), 'same', 'a retry')
  const next = then(answered, describe('offer', phone, 'a3'))
  t.equal(
    outcomeOf(next, describe('answer', laptop, 'b2')),
    'connecting: alice/phone answer',
    'this one superseded none'
  )
  const repeated = then(connecting(), describe('offer', phone, 'a1'), describe('offer', phone, 'a1'))
  t.equal(
    outcomeOf(repeated, describe('answer', laptop, 'b1')),
    'connecting: alice/phone answer',
    'a retry supersedes none'
  )
  const early = then(
    ringing({ offer: describe('offer', phone, 'a1').description }),
    accept(laptop),
    describe('offer', phone, 'a2')
  )
  t.equal(outcomeOf(early, describe('answer', laptop, 'b1')), 'revision_required', 'an early offer counts')
})

t.test('a description that rejects all media sections restarts no ICE', async t => {
  const all = { description: { sdp: 'rejected', ufrags: [], digest: 'rejected' } }
  const reoffer = { ...describe('offer', phone, 'a1'), ...all }
  const state = then(negotiated(), trickle(phone, [candidate(9, 'a2')]), reoffer)
  t.match(state, { negotiation: { revision: 2 }, signaled: { caller: { ufrags: ['a1'], older: [] } } })
  t.equal(outcomeOf(state, trickle(phone, candidates(1, 'a1'))), 'same: bob/laptop candidates')
  const rejecting = then(connecting(), describe('offer', phone, 'a1'), { ...describe('answer', laptop, 'b1'), ...all })
  t.equal(outcomeOf(rejecting, trickle(laptop, [candidate(1)])), 'same: alice/phone candidates', 'it is described')
  t.equal(outcomeOf(rejecting, trickle(laptop, [], true)), 'same: alice/phone candidates')
})

t.test('a repeated description changes nothing, with and without its revision', async t => {
  const offered = then(connecting(), describe('offer', phone, 'a1'))
  for (const state of [offered, negotiated()]) {
    t.equal(outcomeOf(state, describe('offer', phone, 'a1')), 'same')
    t.equal(outcomeOf(state, describe('offer', phone, 'a1', 1)), 'same')
  }
  t.equal(outcomeOf(negotiated(), describe('answer', laptop, 'b1')), 'same')
  t.equal(outcomeOf(negotiated(), describe('answer', laptop, 'b1', 1)), 'same')
})

t.test('an early offer is revision 1 and part of call.incoming', async t => {
  const { description } = describe('offer', phone, 'a1')
  const created = decide(null, create({ offer: description }))
  t.match(created.events, [{ to: { user: 'bob' }, data: { offer: { revision: 1, sdp: description.sdp } } }])
  t.strictSame(created.state.negotiation, { revision: 1, pendingFrom: 'caller' })
  const accepted = decide(created.state, accept(laptop))
  t.strictSame(accepted.state.early, {}, 'not kept for longer than it is needed')
  t.equal(outcomeOf(accepted.state, describe('offer', phone, 'a1')), 'same', 'the caller may send it again')
  t.match(decide(accepted.state, describe('answer', laptop, 'b1')).events, [{ type: 'signal.answer', to: phone }])
})

t.test('candidates wait for their description and are sent after it', async t => {
  const early = candidates(3, 'a1')
  const held = decide(connecting(), trickle(phone, early))
  t.strictSame(held.events, [])
  t.match(held.outcomes, { accepted: 3, held: [0, 1, 2].map(index => ({ index, reason: 'no_description' })) })
  const offered = decide(held.state, describe('offer', phone, 'a1'))
  t.strictSame(
    offered.events.map(({ type }) => type),
    ['signal.offer', 'signal.candidates']
  )
  t.strictSame(sentCandidates(offered), early)
  t.strictSame(sentEnds(offered), [false])
  const late = decide(offered.state, trickle(phone, candidates(2, 'a1', 10)))
  t.equal(late.state, offered.state, 'after their description they need no commit')
  t.strictSame(sentCandidates(late), candidates(2, 'a1', 10))
  t.equal(
    outcomeOf(late.state, describe('answer', laptop, 'b1')),
    'connecting: alice/phone answer',
    'nothing sent twice'
  )
})

t.test('while the call rings the caller’s candidates wait for the answer', async t => {
  const { description } = describe('offer', phone, 'a1')
  const rung = then(ringing({ offer: description }), trickle(phone, candidates(2, 'a1'), true))
  const accepted = decide(rung, accept(laptop))
  t.strictSame(
    accepted.events.map(({ type }) => type),
    ['call.accepted', 'call.ended', 'signal.candidates']
  )
  t.match(accepted.events[2], { to: laptop, data: { from: phone, revision: 1, end: true } })
  t.strictSame(sentCandidates(accepted), candidates(2, 'a1'))
  const withoutOffer = then(ringing(), trickle(phone, candidates(2)))
  t.strictSame(sentCandidates(decide(withoutOffer, accept(laptop))), [], 'they still wait for their offer')
})

t.test('a candidate without a ufrag belongs to the current generation', async t => {
  const held = then(connecting(), trickle(phone, candidates(2)))
  t.strictSame(sentCandidates(decide(held, describe('offer', phone, 'a1'))), candidates(2))
  t.strictSame(sentCandidates(decide(negotiated(), trickle(phone, [candidate(7)]))), [candidate(7)])
})

t.test('at an ICE restart early candidates wait, old ones are refused, those without a ufrag are sent', async t => {
  const early = then(negotiated(), trickle(phone, candidates(2, 'a2')))
  const restarted = decide(early, describe('offer', phone, 'a2'))
  t.strictSame(sentCandidates(restarted), candidates(2, 'a2'))
  t.match(attempt(restarted.state, trickle(phone, candidates(1, 'a1')), 0), {
    code: 'stale_candidate',
    extra: { revision: 2 }
  })
  t.equal(outcomeOf(restarted.state, trickle(phone, [candidate(5)])), 'same: bob/laptop candidates')
  t.equal(outcomeOf(restarted.state, trickle(laptop, candidates(1, 'b1'))), 'same: alice/phone candidates')
  const back = then(restarted.state, describe('answer', laptop, 'b1'), describe('offer', phone, 'a1'))
  t.equal(outcomeOf(back, trickle(phone, candidates(1, 'a1'))), 'same: bob/laptop candidates', 'current once more')
})

t.test('a renegotiation without an ICE restart keeps the generation', async t => {
  const again = { ...describe('offer', phone, 'a1'), description: { sdp: 'other', ufrags: ['a1'], digest: 'other' } }
  const state = then(negotiated(), again)
  t.equal(state.negotiation.revision, 2)
  t.equal(outcomeOf(state, trickle(phone, candidates(1, 'a1'))), 'same: bob/laptop candidates')
})

t.test('one batch may have current, early and old candidates, and each is judged by itself', async t => {
  const mixed = decide(negotiated(), trickle(phone, [candidate(1, 'a1'), candidate(2, 'a2'), candidate(3)]))
  t.strictSame(sentCandidates(mixed), [candidate(1, 'a1'), candidate(3)])
  t.strictSame(mixed.state.signaled.caller.waiting, [candidate(2, 'a2')])
  const restarted = decide(mixed.state, describe('offer', phone, 'a2'))
  t.strictSame(sentCandidates(restarted), [candidate(2, 'a2')])
  const batch = [candidate(4, 'a1'), candidate(5, 'a2'), candidate(6, 'a3'), candidate(7, 'a1')]
  const withOld = decide(restarted.state, trickle(phone, batch))
  t.strictSame(sentCandidates(withOld), [candidate(5, 'a2')])
  t.strictSame(withOld.state.signaled.caller.waiting, [candidate(6, 'a3')])
  t.match(withOld.outcomes, {
    accepted: 2,
    held: [{ index: 2, reason: 'unknown_ufrag' }],
    rejected: [
      { index: 0, code: 'stale_candidate', detail: /^candidates\[0\]: .*older ICE generation/ },
      { index: 3, code: 'stale_candidate' }
    ]
  })
})

t.test('a request of which every candidate is refused changes nothing and lists all of them', async t => {
  const restarted = then(negotiated(), describe('offer', phone, 'a2'))
  const invalid = { index: 1, code: 'invalid_candidate' as const, detail: 'candidates[1]: …' }
  const batch = { candidates: candidates(2, 'a1'), positions: [0, 2], rejected: [invalid], end: true }
  t.match(attempt(restarted, { type: 'candidates', actor: phone, batch }, 0), {
    code: 'stale_candidate',
    detail: /^candidates\[0\]/,
    extra: { revision: 2, rejected: [{ index: 0 }, invalid, { index: 2 }] }
  })
})

t.test('a held candidate says what it waits for', async t => {
  const { description } = describe('offer', phone, 'a1')
  const rows = [
    [ringing(), candidate(1, 'a1'), 'no_description'],
    [ringing({ offer: description }), candidate(1, 'a1'), 'call_ringing'],
    [ringing({ offer: description }), candidate(1), 'call_ringing'],
    [ringing({ offer: description }), candidate(1, 'a2'), 'unknown_ufrag'],
    [connecting(), candidate(1), 'no_description'],
    [negotiated(), candidate(1, 'a2'), 'unknown_ufrag']
  ] as const
  for (const [state, each, reason] of rows) {
    const { outcomes } = decide(state, trickle(phone, [each]))
    t.strictSame(outcomes?.held, [{ index: 0, reason }])
  }
})

t.test('candidates wait for their generation while another one is described', async t => {
  const state = then(negotiated(), trickle(phone, candidates(1, 'a2')), describe('offer', phone, 'a2'))
  const waiting = then(state, describe('answer', laptop, 'b1'), trickle(phone, [candidate(9, 'a4')]))
  const another = then(waiting, describe('offer', phone, 'a3'))
  t.strictSame(another.signaled.caller.waiting, [candidate(9, 'a4')])
  const came = decide(then(another, describe('answer', laptop, 'b1')), describe('offer', phone, 'a4'))
  t.strictSame(sentCandidates(came), [candidate(9, 'a4')])
})

t.test('the end of candidates waits like the candidates', async t => {
  t.strictSame(sentEnds(decide(negotiated(), trickle(phone, [], true))), [true])
  t.strictSame(sentEnds(decide(negotiated(), trickle(phone, candidates(1, 'a1'), true))), [true])
  const held = then(connecting(), trickle(phone, candidates(1, 'a1')), trickle(phone, [], true))
  t.equal(outcomeOf(held, trickle(phone, [], true)), 'same', 'once is enough')
  const offered = decide(held, describe('offer', phone, 'a1'))
  t.strictSame(sentEnds(offered), [true])
  t.equal(offered.state.signaled.caller.waitingEnd, false)
  const early = decide(negotiated(), trickle(phone, [candidate(1, 'a1'), candidate(2, 'a2')], true))
  t.strictSame(sentEnds(early), [false], 'what is current goes, the end stays with what waits')
  t.strictSame(sentEnds(decide(early.state, describe('offer', phone, 'a2'))), [true])
})

t.test('the end of candidates of a side that has to answer waits for the answer', async t => {
  const restarting = then(negotiated(), describe('offer', phone, 'a2'))
  const early = decide(restarting, trickle(laptop, [], true))
  t.strictSame(early.events, [], 'it does not overtake the answer')
  t.match(decide(early.state, describe('answer', laptop, 'b2')).events, [
    { type: 'signal.answer', to: phone },
    { type: 'signal.candidates', to: phone, data: { revision: 2, candidates: [], end: true } }
  ])
  t.strictSame(sentEnds(decide(restarting, trickle(phone, [], true))), [true], 'the other side owes none')
})

t.test(`at most ${WAITING_MAX} candidates of a side wait, and a batch above that changes nothing`, async t => {
  const full = then(connecting(), trickle(phone, candidates(200, 'a1')), trickle(phone, candidates(56, 'a1', 201)))
  t.equal(outcomeOf(full, trickle(phone, [candidate(999, 'a1')])), 'too_many_waiting_candidates')
  t.equal(outcomeOf(full, trickle(laptop, [candidate(1, 'b1')])), 'connecting', 'the other leg has its own room')
  t.equal(outcomeOf(full, trickle(phone, [], true)), 'connecting', 'the end is no candidate')
  t.equal(sentCandidates(decide(full, describe('offer', phone, 'a1'))).length, WAITING_MAX)
  const now = then(negotiated(), trickle(phone, candidates(WAITING_MAX, 'a2')))
  const mixed = [candidate(1, 'a1'), candidate(999, 'a2')]
  t.equal(outcomeOf(now, trickle(phone, mixed)), 'same: bob/laptop candidates', 'what need not wait is sent')
  t.match(decide(now, trickle(phone, mixed)).outcomes, {
    accepted: 1,
    held: [],
    rejected: [{ index: 1, code: 'too_many_waiting_candidates' }]
  })
  t.equal(outcomeOf(now, trickle(phone, candidates(64, 'a1'))), 'same: bob/laptop candidates')
})

t.test('signals go only to the two devices in the call', async t => {
  const state = then(negotiated(), simple('connected', phone), describe('offer', laptop, 'b2'))
  const decisions = [
    decide(state, describe('answer', phone, 'a2')),
    decide(state, trickle(phone, [candidate(1)])),
    decide(state, trickle(laptop, [candidate(1)]))
  ]
  t.strictSame(
    decisions.flatMap(({ events }) => events.map(({ to }) => `${to.user}/${to.device}`)),
    ['bob/laptop', 'bob/laptop', 'alice/phone']
  )
})

t.test('an ended call has no signals', async t => {
  const state = then(negotiated(), trickle(phone, candidates(5, 'a9')))
  const over = decide(state, { type: 'hangup', actor: laptop, reason: 'hangup' }).state
  t.match(over.signaled, { caller: { ufrags: [], waiting: [] }, callee: { ufrags: [], waiting: [] } })
  t.notMatch(
    JSON.stringify(after(create(), accept(laptop), { type: 'hangup', actor: laptop, reason: 'hangup' })),
    'v=0'
  )
})
