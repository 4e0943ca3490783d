// What two sides have signaled to each other, whether they are in a call or in a room. One negotiation is in flight at a time
// and has a number, its revision; crossing offers are decided here: the first one stands. A candidate never arrives before its
// description (G6): until that was committed it waits; one of an older ICE generation is refused. RFC 8829 section 4.1,
// RFC 8838, RFC 8839 section 5.4.
import type { AppError, ErrorCode } from '../../errors.js'
import type { Candidate, CandidatesRequest } from '../../schemas/signal.js'
import type { Broadcast } from './broadcast.js'
import { type Description, ufragOf } from './sdp.js'
import { mayWait, WAITING_BOUNDS } from './waiting-candidates.js'

/** Generations remembered, to tell a late candidate from an early one. */
const OLDER_MAX = 16

/** What one side has signaled. */
export interface Leg {
  /** The current ICE generation; empty before the side's first description. */
  readonly ufrags: readonly string[]
  /** Older generations, newest last: candidates of these are refused (G6). */
  readonly older: readonly string[]
  /** Candidates that wait for the description they belong to. */
  readonly waiting: readonly Candidate[]
  readonly waitingEnd: boolean
  /**
   * Up to which number it has taken what the side broadcast (broadcast.ts): of its current generation, and of candidates that name no
   * generation before this one was described.
   */
  readonly broadcast?: { readonly taken: number; readonly bare: number }
  /** The side's last description, to know a retry by. */
  readonly last: { readonly kind: 'offer' | 'answer'; readonly revision: number; readonly digest: string } | null
}

const NOTHING_TAKEN = { taken: 0, bare: 0 }

export const SILENT_LEG: Leg = { ufrags: [], older: [], waiting: [], waitingEnd: false, last: null }

export interface Talk<Side extends string> {
  readonly negotiation: { readonly revision: number; readonly pendingFrom: Side | null }
  readonly legs: { readonly [side in Side]: Leg }
}

/** One side speaks. */
export interface Turn<Side extends string> {
  readonly side: Side
  readonly other: Side
  /** There is somebody to hear it; until then candidates wait. */
  readonly open: boolean
  /** Gives way when offers cross. */
  readonly polite: boolean
  /** Makes the conflict, with what stands added to it. */
  readonly refuse: (code: ErrorCode, detail?: string, extra?: Record<string, unknown>) => AppError
}

/** What the other side is to hear, in this order. */
export interface Signal {
  readonly type: 'signal.offer' | 'signal.answer' | 'signal.candidates'
  readonly data: { readonly revision: number } & Readonly<Record<string, unknown>>
}

export interface Spoken<Side extends string> {
  /** The very one that was given when nothing changed. */
  readonly talk: Talk<Side>
  readonly signals: readonly Signal[]
}

interface Described {
  readonly description: Description
  readonly revision?: number | undefined
}

/** @throws AppError offer_collision, stale_revision */
export function offerIn<S extends string>(talk: Talk<S>, turn: Turn<S>, described: Described): Spoken<S> {
  const { revision, pendingFrom } = talk.negotiation
  if (isRetry(talk, turn, 'offer', described)) return { talk, signals: [] }
  if (pendingFrom === turn.other) {
    const extra = { revision, pendingFrom, polite: turn.polite }
    throw turn.refuse('offer_collision', 'Roll back your offer, answer the pending one, then offer again', extra)
  }
  if (described.revision !== undefined && described.revision !== revision + 1) {
    throw turn.refuse('stale_revision', `The next offer is revision ${revision + 1}`, { revision })
  }
  return describe(talk, turn, described.description, { revision: revision + 1, pendingFrom: turn.side })
}

/** @throws AppError no_offer_pending, stale_revision */
export function answerIn<S extends string>(talk: Talk<S>, turn: Turn<S>, described: Described): Spoken<S> {
  const { revision, pendingFrom } = talk.negotiation
  if (isRetry(talk, turn, 'answer', described)) return { talk, signals: [] }
  if (described.revision !== undefined && described.revision !== revision) {
    throw turn.refuse('stale_revision', `The pending offer is revision ${revision}`, { revision })
  }
  if (pendingFrom !== turn.other) throw turn.refuse('no_offer_pending', undefined, { revision })
  return describe(talk, turn, described.description, { revision, pendingFrom: null })
}

/** Candidates of the current generation go straight through; others wait. @throws AppError stale_candidate, too_many_waiting_candidates */
export function candidatesIn<S extends string>(talk: Talk<S>, turn: Turn<S>, batch: CandidatesRequest): Spoken<S> {
  const leg = talk.legs[turn.side]
  const { now, later } = sortByGeneration(talk, turn, batch.candidates)
  const end = batch.end === true
  // An end names no generation. From a side that owes an answer it is the end of what the answer begins.
  const owes = talk.negotiation.pendingFrom === turn.other
  const endNow = end && !owes && later.length === 0 && leg.waiting.length === 0 && isHeard(leg, turn)
  const kept = later.length > 0 || (end && !endNow && !leg.waitingEnd)
  const held = [...leg.waiting, ...later]
  if (kept && !mayWait(held)) throw turn.refuse('too_many_waiting_candidates', WAITING_BOUNDS)
  const waiting: Leg = { ...leg, waiting: held, waitingEnd: leg.waitingEnd || end }
  const next = kept ? withLeg(talk, turn.side, waiting) : talk
  return { talk: next, signals: now.length > 0 || endNow ? [candidatesSignal(next, now, endNow)] : [] }
}

/** Sends what the side has broadcast for its current generation and this leg has not taken yet. */
export function takeBroadcast<S extends string>(talk: Talk<S>, turn: Turn<S>, broadcast: Broadcast): Spoken<S> {
  const leg = talk.legs[turn.side]
  if (!isHeard(leg, turn)) return { talk, signals: [] }
  const { taken, bare } = leg.broadcast ?? NOTHING_TAKEN
  const isFresh = ([number, candidate]: readonly [number, Candidate]) =>
    isCurrent(leg, candidate) && number > (ufragOf(candidate) === null ? Math.max(taken, bare) : taken)
  const fresh = broadcast.candidates.filter(isFresh).map(([, candidate]) => candidate)
  const end = broadcast.endAt > Math.max(taken, bare)
  if (fresh.length === 0 && !end) return { talk, signals: [] }
  const next = withLeg(talk, turn.side, { ...leg, broadcast: { taken: broadcast.last, bare } })
  return { talk: next, signals: [candidatesSignal(next, fresh, end)] }
}

/** The side has described something that the other side can hear. */
export const isDescribed = ({ ufrags }: Leg): boolean => ufrags.length > 0

/** How many of these would wait; for the reply. */
export function countLater<S extends string>(talk: Talk<S>, turn: Turn<S>, batch: readonly Candidate[]): number {
  return sortByGeneration(talk, turn, batch).later.length
}

/** Sends what waited for the side's current generation, once the other side can hear it. */
export function releaseIn<S extends string>(talk: Talk<S>, turn: Pick<Turn<S>, 'side' | 'open'>): Spoken<S> {
  const leg = talk.legs[turn.side]
  if (!isHeard(leg, turn) || (leg.waiting.length === 0 && !leg.waitingEnd)) return { talk, signals: [] }
  const ready = leg.waiting.filter(candidate => isCurrent(leg, candidate))
  const waiting = leg.waiting.filter(
    candidate => !isCurrent(leg, candidate) && !leg.older.includes(ufragOf(candidate) ?? '')
  )
  const end = leg.waitingEnd && waiting.length === 0
  const next = withLeg(talk, turn.side, { ...leg, waiting, waitingEnd: leg.waitingEnd && !end })
  return { talk: next, signals: ready.length > 0 || end ? [candidatesSignal(next, ready, end)] : [] }
}

function isRetry<S extends string>(
  { legs, negotiation }: Talk<S>,
  { side }: Turn<S>,
  kind: 'offer' | 'answer',
  { description, revision }: Described
): boolean {
  const last = legs[side].last
  if (last === null || last.revision !== negotiation.revision) return false
  return last.kind === kind && last.digest === description.digest && (revision ?? last.revision) === last.revision
}

function describe<S extends string>(
  talk: Talk<S>,
  turn: Turn<S>,
  description: Description,
  negotiation: Talk<S>['negotiation']
): Spoken<S> {
  const leg = talk.legs[turn.side]
  const kind = negotiation.pendingFrom === null ? 'answer' : 'offer'
  const sameGeneration = description.ufrags.every(ufrag => leg.ufrags.includes(ufrag))
  const described: Leg = {
    ...leg,
    ufrags: description.ufrags,
    older: sameGeneration ? leg.older : [...leg.older, ...leg.ufrags].slice(-OLDER_MAX),
    ...(sameGeneration || !leg.broadcast ? {} : { broadcast: { taken: 0, bare: leg.broadcast.taken } }),
    last: { kind, revision: negotiation.revision, digest: description.digest }
  }
  const released = releaseIn(withLeg({ ...talk, negotiation }, turn.side, described), turn)
  const data = { revision: negotiation.revision, sdp: description.sdp }
  return { talk: released.talk, signals: [{ type: `signal.${kind}`, data }, ...released.signals] }
}

/** The leg has a description and somebody to hear it. */
const isHeard = (leg: Leg, { open }: { open: boolean }) => isDescribed(leg) && open

export function isCurrent(leg: Leg, candidate: Candidate): boolean {
  const ufrag = ufragOf(candidate)
  return ufrag === null || leg.ufrags.includes(ufrag)
}

function sortByGeneration<S extends string>(talk: Talk<S>, turn: Turn<S>, batch: readonly Candidate[]) {
  const leg = talk.legs[turn.side]
  const now: Candidate[] = []
  const later: Candidate[] = []
  for (const candidate of batch) {
    const ufrag = ufragOf(candidate)
    if (ufrag !== null && leg.older.includes(ufrag) && !leg.ufrags.includes(ufrag)) {
      throw turn.refuse('stale_candidate', `The ufrag ${ufrag} is of an older generation`, {
        revision: talk.negotiation.revision
      })
    }
    if (isHeard(leg, turn) && isCurrent(leg, candidate)) now.push(candidate)
    else later.push(candidate)
  }
  return { now, later }
}

function candidatesSignal<S extends string>(
  { negotiation }: Talk<S>,
  candidates: readonly Candidate[],
  end: boolean
): Signal {
  return { type: 'signal.candidates', data: { revision: negotiation.revision, candidates, end } }
}

function withLeg<S extends string>(talk: Talk<S>, side: S, leg: Leg): Talk<S> {
  return { ...talk, legs: { ...talk.legs, [side]: leg } }
}
