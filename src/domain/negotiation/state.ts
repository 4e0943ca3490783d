// What two sides have signaled to each other, for calls and for pairs of a room.
import type { AppError, ErrorCode } from '../../errors.js'
import type { Candidate, CandidateOutcomes } from '../../schemas/signal.js'
import { ufragOf } from './candidate.js'

/** What one side has signaled. */
export interface SideSignals {
  /** The current ICE generation; empty before the side's first description with a media section that is not rejected. */
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
  /** Null before the side's first description. */
  readonly last: SentDescription | null
  readonly former?: FormerSignals
}

/** Of the connections before these ones (beginAnew). */
interface FormerSignals {
  /** Of the side's last description. */
  readonly digest: string
  /** It was an offer that has no answer. */
  readonly isUnanswered: boolean
  /** Their ICE generations, newest last. Absent in states of older versions. */
  readonly ufrags?: readonly string[]
}

/** To recognize a retry. */
interface SentDescription {
  readonly kind: 'offer' | 'answer'
  readonly revision: number
  readonly digest: string
  /** The offer before it had no answer yet. */
  readonly isSuperseding?: boolean
  /** Of the candidates that came with it. */
  readonly batchDigest?: string
}

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
  /** Of the candidates of the request, if it had any. */
  readonly outcomes?: CandidateOutcomes
}

/** The side has sent an offer or an answer. */
export const isDescribed = ({ last }: SideSignals): boolean => last !== null

/** Which ICE generation of the side a candidate belongs to. `unknown`: none of its descriptions has the ufrag. */
export type Generation = 'current' | 'older' | 'unknown'

export function generationOf(mine: SideSignals, candidate: Candidate): Generation {
  const ufrag = ufragOf(candidate)
  if (ufrag === null || mine.ufrags.includes(ufrag)) return 'current'
  return mine.older.includes(ufrag) || isFormer(mine, ufrag) ? 'older' : 'unknown'
}

/** The ICE generation is one of connections that are closed. */
export const isFormer = ({ former }: SideSignals, ufrag: string): boolean => former?.ufrags?.includes(ufrag) === true

export const isCurrent = (mine: SideSignals, candidate: Candidate): boolean =>
  generationOf(mine, candidate) === 'current'

export function withSignals<S extends string>(before: Negotiation<S>, side: S, mine: SideSignals): Negotiation<S> {
  return { ...before, signaled: { ...before.signaled, [side]: mine } }
}
