// The negotiation of two sides, for calls and for pairs of a room. One offer at a time is pending; when offers collide, the first one
// stands. A candidate is sent only after the description of its ICE generation was committed (G6): an earlier one waits, one of an older
// generation is refused. RFC 8829 section 4.1, RFC 8838, RFC 8839 section 5.4.
import type { AppError, ErrorCode } from '../../errors.js'
import type { Candidate, CandidatesRequest } from '../../schemas/signal.js'
import type { Broadcast } from './broadcast.js'
import { type Description, ufragOf } from './sdp.js'
import { mayWait, WAITING_BOUNDS } from './waiting-candidates.js'

/** Older generations kept for a side, to refuse their candidates. */
const OLDER_MAX = 16

/** What one side has signaled. */
export interface SideSignals {
  /** The current ICE generation; empty before the side's first description. */
  readonly ufrags: readonly string[]
  /** Older generations, newest last: candidates of these are refused (G6). */
  readonly older: readonly string[]
  /** Candidates that wait for the description of their generation. */
  readonly waiting: readonly Candidate[]
  /** The end of candidates waits. */
  readonly waitingEnd: boolean
  /**
   * How many of the side's broadcast candidates (broadcast.ts) are done: `taken` is the number of the last one that was sent in the current
   * generation; candidates without a ufrag up to `bare` belong to older generations.
   */
  readonly broadcast?: { readonly taken: number; readonly bare: number }
  /** The side's last description, to recognize a retry. */
  readonly last: { readonly kind: 'offer' | 'answer'; readonly revision: number; readonly digest: string } | null
}

const NOTHING_TAKEN = { taken: 0, bare: 0 }

/** The last broadcast candidate without a ufrag that was sent or belongs to an older generation. */
const lastTaken = ({ taken, bare }: typeof NOTHING_TAKEN): number => Math.max(taken, bare)

export const NO_SIGNALS: SideSignals = { ufrags: [], older: [], waiting: [], waitingEnd: false, last: null }

export interface Negotiation<Side extends string> {
  readonly negotiation: { readonly revision: number; readonly pendingFrom: Side | null }
  readonly signaled: { readonly [side in Side]: SideSignals }
}

/** The side that sends a signal. */
export interface Signaler<Side extends string> {
  readonly side: Side
  readonly other: Side
  /** The other side has a device in the call or room; before that, candidates wait. */
  readonly canDeliver: boolean
  /** Rolls back when offers collide. */
  readonly isPolite: boolean
  /** Creates the error, with the current state of the call or pair among its members. */
  readonly refuse: (code: ErrorCode, detail?: string, extra?: Record<string, unknown>) => AppError
}

/** A signal for the other side. */
export interface Signal {
  readonly type: 'signal.offer' | 'signal.answer' | 'signal.candidates'
  readonly data: { readonly revision: number } & Readonly<Record<string, unknown>>
}

export interface NegotiationResult<Side extends string> {
  /** The same object as before if nothing changed. */
  readonly next: Negotiation<Side>
  /** In the order in which they must arrive. */
  readonly signals: readonly Signal[]
}

interface DescriptionSignal {
  readonly description: Description
  readonly revision?: number | undefined
}

/** A retry changes nothing. @throws AppError offer_collision, stale_revision */
export function applyOffer<S extends string>(
  before: Negotiation<S>,
  signaler: Signaler<S>,
  signal: DescriptionSignal
): NegotiationResult<S> {
  const { revision, pendingFrom } = before.negotiation
  if (isRetry(before.signaled[signaler.side], { kind: 'offer', revision }, signal)) return { next: before, signals: [] }
  if (pendingFrom === signaler.other) {
    const extra = { revision, pendingFrom, polite: signaler.isPolite }
    throw signaler.refuse('offer_collision', 'Roll back your offer, answer the pending one, then offer again', extra)
  }
  if (signal.revision !== undefined && signal.revision !== revision + 1) {
    throw signaler.refuse('stale_revision', `The next offer is revision ${revision + 1}`, { revision })
  }
  const negotiation = { revision: revision + 1, pendingFrom: signaler.side }
  return applyDescription({ ...before, negotiation }, signaler, { kind: 'offer', ...signal.description })
}

/** A retry changes nothing. @throws AppError no_offer_pending, stale_revision */
export function applyAnswer<S extends string>(
  before: Negotiation<S>,
  signaler: Signaler<S>,
  signal: DescriptionSignal
): NegotiationResult<S> {
  const { revision, pendingFrom } = before.negotiation
  if (isRetry(before.signaled[signaler.side], { kind: 'answer', revision }, signal))
    return { next: before, signals: [] }
  if (signal.revision !== undefined && signal.revision !== revision) {
    throw signaler.refuse('stale_revision', `The pending offer is revision ${revision}`, { revision })
  }
  if (pendingFrom !== signaler.other) throw signaler.refuse('no_offer_pending', undefined, { revision })
  const negotiation = { revision, pendingFrom: null }
  return applyDescription({ ...before, negotiation }, signaler, { kind: 'answer', ...signal.description })
}

/** Candidates of the current generation are sent at once; others wait. @throws AppError stale_candidate, too_many_waiting_candidates */
export function applyCandidates<S extends string>(
  before: Negotiation<S>,
  signaler: Signaler<S>,
  batch: CandidatesRequest
): NegotiationResult<S> {
  const mine = before.signaled[signaler.side]
  const { current, early } = sortByGeneration(before, signaler, batch.candidates)
  const hasEnd = batch.end === true
  // The end of candidates names no generation. From a side that has to answer it ends the generation that the answer starts.
  const mustAnswer = before.negotiation.pendingFrom === signaler.other
  const sendsEnd =
    hasEnd && !mustAnswer && early.length === 0 && mine.waiting.length === 0 && isDeliverable(mine, signaler)
  const changes = early.length > 0 || (hasEnd && !sendsEnd && !mine.waitingEnd)
  const waiting = [...mine.waiting, ...early]
  if (changes && !mayWait(waiting)) throw signaler.refuse('too_many_waiting_candidates', WAITING_BOUNDS)
  const kept: SideSignals = { ...mine, waiting, waitingEnd: mine.waitingEnd || hasEnd }
  const next = changes ? withSignals(before, signaler.side, kept) : before
  const signals = current.length > 0 || sendsEnd ? [candidatesSignal(next, current, sendsEnd)] : []
  return { next, signals }
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
  const waiting = mine.waiting.filter(
    candidate => !isCurrent(mine, candidate) && !mine.older.includes(ufragOf(candidate) ?? '')
  )
  const sendsEnd = mine.waitingEnd && waiting.length === 0
  const next = withSignals(before, signaler.side, { ...mine, waiting, waitingEnd: mine.waitingEnd && !sendsEnd })
  return { next, signals: ready.length > 0 || sendsEnd ? [candidatesSignal(next, ready, sendsEnd)] : [] }
}

/** The side has sent an offer or an answer. */
export const isDescribed = ({ ufrags }: SideSignals): boolean => ufrags.length > 0

/** How many candidates of the batch would wait. @throws AppError stale_candidate */
export function countWaiting<S extends string>(
  negotiation: Negotiation<S>,
  signaler: Signaler<S>,
  batch: readonly Candidate[]
): number {
  return sortByGeneration(negotiation, signaler, batch).early.length
}

/** The candidate belongs to the side's current generation. */
export function isCurrent({ ufrags }: SideSignals, candidate: Candidate): boolean {
  const ufrag = ufragOf(candidate)
  return ufrag === null || ufrags.includes(ufrag)
}

function isRetry(
  { last }: SideSignals,
  { kind, revision }: { kind: 'offer' | 'answer'; revision: number },
  signal: DescriptionSignal
): boolean {
  if (last === null || last.revision !== revision || last.kind !== kind) return false
  return last.digest === signal.description.digest && (signal.revision ?? revision) === revision
}

/** `before` has the new revision already. */
function applyDescription<S extends string>(
  before: Negotiation<S>,
  signaler: Signaler<S>,
  { kind, sdp, ufrags, digest }: Description & { readonly kind: 'offer' | 'answer' }
): NegotiationResult<S> {
  const mine = before.signaled[signaler.side]
  const { revision } = before.negotiation
  const isSameGeneration = ufrags.every(ufrag => mine.ufrags.includes(ufrag))
  const described: SideSignals = {
    ...mine,
    ufrags,
    older: isSameGeneration ? mine.older : [...mine.older, ...mine.ufrags].slice(-OLDER_MAX),
    ...(isSameGeneration || !mine.broadcast ? {} : { broadcast: { taken: 0, bare: lastTaken(mine.broadcast) } }),
    last: { kind, revision, digest }
  }
  const { next, signals } = releaseWaiting(withSignals(before, signaler.side, described), signaler)
  return { next, signals: [{ type: `signal.${kind}`, data: { revision, sdp } }, ...signals] }
}

/** Candidates of the side's current generation can be sent: its description was committed and the other side can receive. */
const isDeliverable = (mine: SideSignals, { canDeliver }: { canDeliver: boolean }) => isDescribed(mine) && canDeliver

/** `current` can be sent at once, `early` has to wait. @throws AppError stale_candidate */
function sortByGeneration<S extends string>(
  negotiation: Negotiation<S>,
  signaler: Signaler<S>,
  batch: readonly Candidate[]
): { current: Candidate[]; early: Candidate[] } {
  const mine = negotiation.signaled[signaler.side]
  const current: Candidate[] = []
  const early: Candidate[] = []
  for (const candidate of batch) {
    const ufrag = ufragOf(candidate)
    if (ufrag !== null && mine.older.includes(ufrag) && !mine.ufrags.includes(ufrag)) {
      const { revision } = negotiation.negotiation
      throw signaler.refuse('stale_candidate', `The ufrag ${ufrag} is of an older generation`, { revision })
    }
    if (isDeliverable(mine, signaler) && isCurrent(mine, candidate)) current.push(candidate)
    else early.push(candidate)
  }
  return { current, early }
}

function candidatesSignal<S extends string>(
  { negotiation }: Negotiation<S>,
  candidates: readonly Candidate[],
  end: boolean
): Signal {
  return { type: 'signal.candidates', data: { revision: negotiation.revision, candidates, end } }
}

function withSignals<S extends string>(before: Negotiation<S>, side: S, mine: SideSignals): Negotiation<S> {
  return { ...before, signaled: { ...before.signaled, [side]: mine } }
}
