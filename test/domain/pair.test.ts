// The negotiation of two participants: which side is polite, what happens when offers collide, and which candidates wait.
import t from 'tap'
import { withBatch } from '../../src/domain/negotiation/broadcast.js'
import { parseDescription } from '../../src/domain/negotiation/sdp.js'
import { WAITING_MAX } from '../../src/domain/negotiation/waiting-candidates.js'
import {
  decidePair,
  dropWaitingCandidates,
  endPair,
  type JoinedParticipant,
  judgePairCandidates,
  newPair,
  orderByJoin,
  type PairCommand,
  type PairDecision,
  type PairState,
  pairId,
  refuseOutdated
} from '../../src/domain/room/pair.js'
import { AppError } from '../../src/errors.js'
import type { Candidate } from '../../src/schemas/signal.js'
import { freeze } from '../helpers/calls.js'
import { candidate, candidates, sdp } from '../helpers/sdp.js'

const joined = (user: string, participantId: string, since: number): JoinedParticipant => ({
  participantId,
  user,
  device: 'phone',
  since
})

// Names and ids are in the opposite order: only the order of joining counts.
const EARLY = joined('zoe', 'p9', 3)
const LATE = joined('adam', 'p1', 7)
const FRESH = freeze(newPair('r1', orderByJoin(EARLY, LATE)))
const CHECK_AT = 1000

const offer = (ufrag: string, revision?: number): PairCommand => ({
  type: 'offer',
  description: parseDescription(sdp(ufrag)),
  revision
})
const answer = (ufrag: string, revision?: number): PairCommand =>
  ({ ...offer(ufrag, revision), type: 'answer' }) as PairCommand
const trickle = (batch: Candidate[], end?: boolean): PairCommand => ({
  type: 'candidates',
  batch: { candidates: batch, ...(end === undefined ? {} : { end }) }
})

/** `modeSince`: in the mode of the room that began at this version. */
type Step = readonly [from: JoinedParticipant, command: PairCommand, modeSince?: number]

function attempt(state: PairState, [{ participantId: from }, command, modeSince = 0]: Step): PairDecision | AppError {
  try {
    return decidePair(state, { from, command, checkAt: CHECK_AT, isHeld: false, modeSince })
  } catch (error) {
    if (error instanceof AppError) return error
    throw error
  }
}

function decide(state: PairState, ...step: Step): PairDecision {
  const outcome = attempt(state, step)
  if (outcome instanceof AppError) throw new Error(`refused with ${outcome.code}`, { cause: outcome })
  return freeze(outcome)
}

const after = (...steps: Step[]) => steps.reduce((state, step) => decide(state, ...step).state, FRESH)

/** `<recipient> <event> <revision>` for each event, `same` or `kept` without events, or the code of the error. */
function outcomeOf(state: PairState, ...step: Step): string {
  const outcome = attempt(state, step)
  if (outcome instanceof AppError) return outcome.code
  const events = outcome.events.map(({ to, type, data }) => {
    const lines = (data.candidates as Candidate[] | undefined)?.map(each => each.candidate.split(' ')[0]?.slice(10))
    return `${to.user} ${type.slice(7)} ${lines ? `${lines}${data.end ? ' end' : ''}` : data.revision}`
  })
  return events.join('; ') || (outcome.state === state ? 'same' : 'kept')
}

t.test('when the two are ordered, the order does not depend on the sender', async t => {
  t.strictSame(orderByJoin(EARLY, LATE), orderByJoin(LATE, EARLY))
  t.equal(pairId('r1', orderByJoin(LATE, EARLY)), 'r1/p9/p1')
})

t.test('when one sends, the other receives it with room, version, sender and recipient', async t => {
  for (const [from, to] of [
    [EARLY, LATE],
    [LATE, EARLY]
  ] as const) {
    const { participantId, user, device } = from
    const { state, events } = decide(FRESH, from, offer('a1'))
    t.match(state, { version: 1, checkAt: CHECK_AT, negotiation: { revision: 1 } })
    const peers = { from: { participantId, user, device }, to: to.participantId }
    const data = { roomId: 'r1', version: 1, ...peers, revision: 1, sdp: sdp('a1') }
    t.strictSame(events, [{ to: { user: to.user, device: 'phone' }, type: 'signal.offer', data }])
    t.equal(outcomeOf(state, to, answer('b1')), `${from.user} answer 1`)
  }
})

t.test('when two offers collide, the first stands and only the later joiner is polite', async t => {
  for (const [first, second, polite] of [
    [EARLY, LATE, true],
    [LATE, EARLY, false]
  ] as const) {
    const state = after([first, offer('a1')])
    const refusal = attempt(state, [second, offer('b1')])
    t.match(refusal, { code: 'offer_collision' })
    t.match((refusal as AppError).extra, { roomId: 'r1', revision: 1, pendingFrom: first.participantId, polite })
    t.equal(outcomeOf(state, second, answer('b1')), `${first.user} answer 1`)
    t.equal(outcomeOf(decide(state, second, answer('b1')).state, second, offer('b2')), `${first.user} offer 2`)
  }
})

t.test('when a signal is repeated, out of order or out of date, its outcome is that of the table', async t => {
  const offered = after([EARLY, offer('a1', 1)])
  const answered = decide(offered, LATE, answer('b1', 1)).state
  const ROWS: [string, Step, fresh: string, offered: string, answered: string][] = [
    ['the same offer again', [EARLY, offer('a1', 1)], 'adam offer 1', 'same', 'same'],
    ['another offer with its revision', [EARLY, offer('a2', 1)], 'adam offer 1', 'stale_revision', 'stale_revision'],
    ['another offer before the answer', [EARLY, offer('a2')], 'adam offer 1', 'adam offer 2', 'adam offer 2'],
    ['the next offer', [EARLY, offer('a2', 2)], 'stale_revision', 'adam offer 2', 'adam offer 2'],
    ['an offer from the other', [LATE, offer('b2')], 'zoe offer 1', 'offer_collision', 'zoe offer 2'],
    ['the answer', [LATE, answer('b1', 1)], 'stale_revision', 'zoe answer 1', 'same'],
    ['an answer without a revision', [LATE, answer('b1')], 'no_offer_pending', 'zoe answer 1', 'same'],
    ['another answer', [LATE, answer('b2', 1)], 'stale_revision', 'zoe answer 1', 'no_offer_pending'],
    ['an answer to its own offer', [EARLY, answer('a1')], 'no_offer_pending', 'no_offer_pending', 'no_offer_pending'],
    [
      'candidates of the offer',
      [EARLY, trickle([candidate(1, 'a1')])],
      'kept',
      'adam candidates 1',
      'adam candidates 1'
    ],
    ['candidates of the answer', [LATE, trickle([candidate(1, 'b1')])], 'kept', 'kept', 'zoe candidates 1'],
    ['candidates without a ufrag', [EARLY, trickle([candidate(1)])], 'kept', 'adam candidates 1', 'adam candidates 1']
  ]
  for (const [name, step, ...outcomes] of ROWS) {
    t.strictSame(
      [FRESH, offered, answered].map(state => outcomeOf(state, ...step)),
      outcomes,
      name
    )
  }
})

t.test('when an offer has superseded another one, the answer must name its revision', async t => {
  const superseded = after([EARLY, offer('a1')], [EARLY, offer('a2')])
  const refusal = attempt(superseded, [LATE, answer('b1')])
  t.match(refusal, { code: 'revision_required', extra: { roomId: 'r1', revision: 2 } })
  t.equal(outcomeOf(superseded, LATE, answer('b1', 2)), `${EARLY.user} answer 2`)
})

t.test('when candidates come before their description, they wait and follow it', async t => {
  const early = after([LATE, trickle(candidates(2, 'b1'))], [LATE, trickle([candidate(3, 'b1')], true)])
  t.equal(early.signaled.later.waiting.length, 3)
  t.equal(outcomeOf(early, LATE, offer('b1')), 'zoe offer 1; zoe candidates 1,2,3 end')
  t.equal(decide(early, LATE, offer('b1')).state.signaled.later.waiting.length, 0)
  t.equal(
    outcomeOf(early, EARLY, offer('a1')),
    'adam offer 1',
    'candidates of one side do not follow the description of the other'
  )
  const batch = { candidates: candidates(2, 'b1') }
  t.match(judgePairCandidates(early, 'p1', batch), { accepted: 2, held: { length: 2 }, rejected: { length: 0 } })
  t.match(judgePairCandidates(decide(early, LATE, offer('b1')).state, 'p1', batch), { held: { length: 0 } })
})

t.test('when candidates are of an older generation, they are refused; those of the next one wait', async t => {
  const restarted = after([EARLY, offer('a1')], [LATE, answer('b1')], [EARLY, offer('a2')])
  t.equal(outcomeOf(restarted, EARLY, trickle([candidate(1, 'a1')])), 'stale_candidate')
  t.equal(outcomeOf(restarted, EARLY, trickle([candidate(1, 'a2')])), 'adam candidates 1')
  t.equal(outcomeOf(restarted, EARLY, trickle([candidate(1, 'a3')])), 'kept')
  t.equal(
    outcomeOf(restarted, LATE, trickle([candidate(1, 'b1')])),
    'zoe candidates 1',
    'the generation of the other side has not changed'
  )
  const done = decide(restarted, LATE, answer('b2')).state
  t.equal(outcomeOf(done, LATE, trickle([candidate(1, 'b1')])), 'stale_candidate')
})

t.test('when too many candidates wait, the next one is refused', async t => {
  const full = after([EARLY, trickle(candidates(WAITING_MAX, 'a1'))])
  t.equal(outcomeOf(full, EARLY, trickle([candidate(999, 'a1')])), 'too_many_waiting_candidates')
  t.equal(outcomeOf(full, LATE, trickle([candidate(999, 'b1')])), 'kept', 'each side has its own limit')
})

t.test('when a signal changes nothing, the version stays; the first signal creates the pair', async t => {
  const state = after([EARLY, offer('a1')])
  const direct = decide(state, EARLY, trickle([candidate(1, 'a1')]))
  t.equal(direct.state, state)
  t.match(direct.events, [{ data: { version: 1 } }])
  t.equal(decide(FRESH, EARLY, trickle([])).state.version, 1)
})

t.test('when a participant has left, the pair is over; else it is checked again', async t => {
  const state = after([EARLY, offer('a1')])
  t.strictSame(dropWaitingCandidates(state, 5000), { state: { ...state, checkAt: 5000 }, events: [] })
  t.strictSame(endPair(state), { state: { ...state, version: 2, checkAt: null }, events: [] })
})

t.test('when a pair is checked, waiting candidates are dropped; signals do not postpone the check', async t => {
  const state = after([EARLY, offer('a1')], [LATE, trickle([candidate(1, 'b1')])])
  const input = { from: LATE.participantId, checkAt: CHECK_AT + 500, isHeld: false, modeSince: 0 }
  const more = decidePair(state, { ...input, command: trickle([candidate(2, 'b1')]) }).state
  t.equal(more.checkAt, CHECK_AT)
  const kept = dropWaitingCandidates(more, 5000).state
  t.match(kept, { version: more.version + 1, checkAt: 5000, signaled: { later: { waiting: [] } } })
  t.equal(outcomeOf(kept, LATE, answer('b1')), 'zoe answer 1')
})

t.test('when broadcast candidates have no ufrag, they are sent once, also after later generations', async t => {
  const broadcast = {
    type: 'broadcast',
    broadcast: withBatch(null, { candidates: candidates(2), end: true }, 0)
  } as const
  let state = after([EARLY, offer('a1')])
  t.equal(outcomeOf(state, EARLY, broadcast), 'adam candidates 1,2 end')
  state = decide(state, EARLY, broadcast).state
  for (const [round, ufrag] of ['a2', 'a3', 'a4'].entries()) {
    state = decide(state, LATE, answer(`b${round}`)).state
    state = decide(state, EARLY, offer(ufrag)).state
    t.equal(outcomeOf(state, EARLY, broadcast), 'same', ufrag)
  }
})

/** The room's mode has changed to sfu and back, so both have closed their connections. */
const AGAIN = 20

t.test(
  'when the mode of the room has changed, what was signaled before neither blocks the next negotiation nor reaches it',
  t => {
    const sent = after([EARLY, offer('a1')])
    const superseded = decide(sent, EARLY, offer('a2')).state
    const answered = decide(sent, LATE, answer('b1')).state
    const waiting = decide(sent, LATE, trickle([candidate(1, 'b1')])).state
    const reoffered = decide(sent, LATE, offer('b2'), AGAIN).state
    const offeredAgain = decide(sent, EARLY, offer('a9'), AGAIN).state
    const ROWS: [string, PairState, Step, expected: string][] = [
      ['an offer, while the other one has one pending of before', sent, [LATE, offer('b2'), AGAIN], 'zoe offer 2'],
      ['an offer, while its own one of before is pending', sent, [EARLY, offer('a9'), AGAIN], 'adam offer 2'],
      ['an offer with the next revision', sent, [LATE, offer('b2', 2), AGAIN], 'zoe offer 2'],
      ['an offer of before again', sent, [EARLY, offer('a1'), AGAIN], 'stale_revision'],
      ['an offer of before again, after the next one', reoffered, [EARLY, offer('a1'), AGAIN], 'stale_revision'],
      ['an offer with a revision of before', answered, [LATE, offer('b2', 1), AGAIN], 'stale_revision'],
      ['an answer to an offer of before', sent, [LATE, answer('b1'), AGAIN], 'no_offer_pending'],
      ['an answer of before with its revision', offeredAgain, [LATE, answer('b1', 1), AGAIN], 'stale_revision'],
      ['an answer that may be one of before', offeredAgain, [LATE, answer('b1'), AGAIN], 'revision_required'],
      ['an answer with the revision', offeredAgain, [LATE, answer('b9', 2), AGAIN], 'zoe answer 2'],
      ['an answer, if no offer of before is without one', reoffered, [EARLY, answer('a9'), AGAIN], 'adam answer 2'],
      [
        'an answer of before again',
        decide(answered, EARLY, offer('a9'), AGAIN).state,
        [LATE, answer('b1'), AGAIN],
        'stale_revision'
      ],
      ['a superseding offer of before again', superseded, [EARLY, offer('a2'), AGAIN], 'stale_revision'],
      ['candidates of before', answered, [EARLY, trickle([candidate(1, 'a1')]), AGAIN], 'stale_candidate'],
      [
        'candidates of before, after the next offer',
        offeredAgain,
        [EARLY, trickle([candidate(1, 'a1')]), AGAIN],
        'stale_candidate'
      ],
      ['candidates of the next offer', answered, [EARLY, trickle([candidate(1, 'a9')]), AGAIN], 'kept'],
      ['candidates that waited before', waiting, [LATE, offer('b1'), AGAIN], 'zoe offer 2']
    ]
    for (const [name, state, step, expected] of ROWS) t.equal(outcomeOf(state, ...step), expected, name)
    t.end()
  }
)

t.test('when the mode of the room has changed, signals are held until that is published', async t => {
  t.match(decide(FRESH, EARLY, offer('a1'), AGAIN).state, { modeSince: AGAIN, since: AGAIN })
  t.match(decide(FRESH, EARLY, offer('a1'), LATE.since - 1).state, { since: LATE.since })
})

t.test('when the mode changes during a request, what it sends is refused', async t => {
  const state = after([EARLY, offer('a1')])
  const refusal = (command: PairCommand) => {
    try {
      return refuseOutdated(state, { from: LATE.participantId, command }).events
    } catch (error) {
      return (error as AppError).code
    }
  }
  t.equal(refusal(answer('b1')), 'stale_revision')
  t.equal(refusal(trickle([candidate(1, 'b1')])), 'stale_candidate')
  const broadcast = withBatch(null, { candidates: candidates(2) }, 0)
  t.strictSame(refusal({ type: 'broadcast', broadcast }), [])
})

t.test('when the mode has changed, broadcast candidates of before are gone and numbers go on', async t => {
  const before = withBatch(null, { candidates: candidates(2), end: true }, 0)
  const next = withBatch(before, { candidates: [candidate(7)] }, AGAIN)
  t.match(next, { last: 4, endAt: 0, candidates: [[4, candidate(7)]] })
  t.equal(next.candidates.length, 1)
})
