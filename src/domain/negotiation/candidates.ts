// The candidates of a negotiation. A candidate is sent only after the description of its ICE generation was committed (G6): an earlier one
// waits, one of an older generation is refused. RFC 8838, RFC 8839 section 5.4.
import type { Candidate, CandidateOutcomes, HeldCandidate, RejectedCandidate } from '../../schemas/signal.js'
import type { Broadcast } from './broadcast.js'
import { type CandidateBatch, ufragOf } from './candidate.js'
import {
  generationOf,
  isCurrent,
  isDescribed,
  type Negotiation,
  type NegotiationResult,
  type SideSignals,
  type Signal,
  type Signaler,
  withSignals
} from './state.js'
import { mayWait, WAITING_BOUNDS } from './waiting-candidates.js'

const NOTHING_TAKEN = { taken: 0, bare: 0 }

/** The last broadcast candidate without a ufrag that was sent or belongs to an older generation. */
export const lastTaken = ({ taken, bare }: typeof NOTHING_TAKEN): number => Math.max(taken, bare)

/** Candidates of the current generation are sent at once; others wait. @throws AppError the code of the first one if all are rejected */
export function applyCandidates<S extends string>(
  before: Negotiation<S>,
  signaler: Signaler<S>,
  batch: CandidateBatch
): BatchResult<S> {
  const result = applyBatch(before, signaler, batch)
  const { accepted, rejected } = result.outcomes
  const [first] = rejected
  if (first && accepted === 0) {
    throw signaler.refuse(first.code, first.detail, { revision: before.negotiation.revision, rejected })
  }
  return result
}

export interface BatchResult<S extends string> extends NegotiationResult<S> {
  readonly outcomes: CandidateOutcomes
}

/** The same for candidates that came with a description, which counts also if all of them are rejected. */
export function applyBatch<S extends string>(
  before: Negotiation<S>,
  signaler: Signaler<S>,
  batch: CandidateBatch
): BatchResult<S> {
  const mine = before.signaled[signaler.side]
  const { current, early, held, rejected } = sortByGeneration(before, signaler, batch)
  const hasEnd = batch.end === true
  // The end of candidates names no generation. From a side that has to answer it ends the generation that the answer starts.
  const mustAnswer = before.negotiation.pendingFrom === signaler.other
  const sendsEnd =
    hasEnd && !mustAnswer && early.length === 0 && mine.waiting.length === 0 && isDeliverable(mine, signaler)
  const changes = early.length > 0 || (hasEnd && !sendsEnd && !mine.waitingEnd)
  const kept: SideSignals = {
    ...mine,
    waiting: [...mine.waiting, ...early],
    waitingEnd: mine.waitingEnd || hasEnd
  }
  const next = changes ? withSignals(before, signaler.side, kept) : before
  const signals = current.length > 0 || sendsEnd ? [candidatesSignal(next, current, sendsEnd)] : []
  return { next, signals, outcomes: { accepted: current.length + early.length, held, rejected } }
}

/** The outcomes of `applyCandidates`. */
export function classifyCandidates<S extends string>(
  before: Negotiation<S>,
  signaler: Signaler<S>,
  batch: CandidateBatch
): CandidateOutcomes {
  const { current, early, held, rejected } = sortByGeneration(before, signaler, batch)
  return { accepted: current.length + early.length, held, rejected }
}

/** The same for candidates that are broadcast. `sides`: what the sender has signaled to each of the others. */
export function classifyBroadcast(
  sides: readonly SideSignals[],
  { candidates, positions, rejected: invalid = [] }: CandidateBatch
): CandidateOutcomes {
  const held: HeldCandidate[] = []
  const rejected: RejectedCandidate[] = [...invalid]
  for (const [i, candidate] of candidates.entries()) {
    const index = positions?.[i] ?? i
    const waiting =
      sides.find(mine => !isDescribed(mine)) ?? sides.find(mine => generationOf(mine, candidate) === 'unknown')
    if (waiting) held.push({ index, reason: heldReason(waiting, candidate) })
    else if (!sides.some(mine => isCurrent(mine, candidate))) rejected.push(staleCandidate(index))
  }
  return { accepted: candidates.length + invalid.length - rejected.length, held, rejected: byIndex(rejected) }
}

/** Sends the broadcast candidates of the side's current generation that were not sent to the other side yet. */
export function applyBroadcast<S extends string>(
  before: Negotiation<S>,
  signaler: Signaler<S>,
  broadcast: Broadcast
): NegotiationResult<S> {
  const mine = before.signaled[signaler.side]
  if (!isDeliverable(mine, signaler)) return { next: before, signals: [] }
  const progress = mine.broadcast ?? NOTHING_TAKEN
  const isNew = ([number, candidate]: readonly [number, Candidate]) =>
    isCurrent(mine, candidate) && number > (ufragOf(candidate) === null ? lastTaken(progress) : progress.taken)
  const candidates = broadcast.candidates.filter(isNew).map(([, candidate]) => candidate)
  const sendsEnd = broadcast.endAt > lastTaken(progress)
  if (candidates.length === 0 && !sendsEnd) return { next: before, signals: [] }
  const next = withSignals(before, signaler.side, { ...mine, broadcast: { ...progress, taken: broadcast.last } })
  return { next, signals: [candidatesSignal(next, candidates, sendsEnd)] }
}

/** Sends the candidates that wait for the side's current generation, if they can be delivered. */
export function releaseWaiting<S extends string>(
  before: Negotiation<S>,
  signaler: Pick<Signaler<S>, 'side' | 'canDeliver'>
): NegotiationResult<S> {
  const mine = before.signaled[signaler.side]
  if (!isDeliverable(mine, signaler) || (mine.waiting.length === 0 && !mine.waitingEnd)) {
    return { next: before, signals: [] }
  }
  const ready = mine.waiting.filter(candidate => isCurrent(mine, candidate))
  const waiting = mine.waiting.filter(candidate => generationOf(mine, candidate) === 'unknown')
  const sendsEnd = mine.waitingEnd && waiting.length === 0
  const next = withSignals(before, signaler.side, { ...mine, waiting, waitingEnd: mine.waitingEnd && !sendsEnd })
  return { next, signals: ready.length > 0 || sendsEnd ? [candidatesSignal(next, ready, sendsEnd)] : [] }
}

/** All of the batch waits already: it is that of a retry. */
export const isWaiting = ({ waiting, waitingEnd }: SideSignals, { candidates, end }: CandidateBatch): boolean => {
  const known = new Set(waiting.map(each => JSON.stringify(each)))
  return (!end || waitingEnd) && candidates.every(each => known.has(JSON.stringify(each)))
}

/** Candidates of the side's current generation can be sent: its description was committed and the other side can receive. */
const isDeliverable = (mine: SideSignals, { canDeliver }: { canDeliver: boolean }) => isDescribed(mine) && canDeliver

interface SortedBatch extends Pick<CandidateOutcomes, 'held' | 'rejected'> {
  /** These can be sent at once. */
  readonly current: readonly Candidate[]
  /** These have to wait. */
  readonly early: readonly Candidate[]
}

function sortByGeneration<S extends string>(
  { signaled }: Negotiation<S>,
  signaler: Signaler<S>,
  { candidates, positions, rejected: invalid = [] }: CandidateBatch
): SortedBatch {
  const mine = signaled[signaler.side]
  const current: Candidate[] = []
  const early: Candidate[] = []
  const held: HeldCandidate[] = []
  const rejected: RejectedCandidate[] = [...invalid]
  for (const [i, candidate] of candidates.entries()) {
    const index = positions?.[i] ?? i
    const generation = generationOf(mine, candidate)
    if (generation === 'older') rejected.push(staleCandidate(index))
    else if (generation === 'current' && isDeliverable(mine, signaler)) current.push(candidate)
    else {
      early.push(candidate)
      held.push({ index, reason: heldReason(mine, candidate) })
    }
  }
  if (early.length === 0 || mayWait([...mine.waiting, ...early])) {
    return { current, early, held, rejected: byIndex(rejected) }
  }
  rejected.push(...held.map(({ index }) => tooManyWaiting(index)))
  return { current, early: [], held: [], rejected: byIndex(rejected) }
}

/** While the call rings, a candidate waits also if its description was sent: the callee has no device yet. */
function heldReason(mine: SideSignals, candidate: Candidate): HeldCandidate['reason'] {
  if (!isDescribed(mine)) return 'no_description'
  return isCurrent(mine, candidate) ? 'call_ringing' : 'unknown_ufrag'
}

const staleCandidate = (index: number): RejectedCandidate => ({
  index,
  code: 'stale_candidate',
  detail: `candidates[${index}]: its ufrag is that of an older ICE generation`
})

const tooManyWaiting = (index: number): RejectedCandidate => ({
  index,
  code: 'too_many_waiting_candidates',
  detail: `candidates[${index}] would have to wait. ${WAITING_BOUNDS}`
})

const byIndex = (rejected: readonly RejectedCandidate[]): RejectedCandidate[] =>
  rejected.toSorted((a, b) => a.index - b.index)

function candidatesSignal<S extends string>(
  { negotiation }: Negotiation<S>,
  candidates: readonly Candidate[],
  end: boolean
): Signal {
  return { type: 'signal.candidates', data: { revision: negotiation.revision, candidates, end } }
}
