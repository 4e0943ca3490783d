// A pair: the negotiation of two participants of a room. Each pair is an aggregate of its own, so its commits conflict with no other
// pair's. If offers collide, the first one stands; the participant who joined later is the polite side (W3C WebRTC, section 10.7, perfect
// negotiation).
import { AppError } from '../../errors.js'
import { joinIds } from '../../id-text.js'
import type { CandidateOutcomes } from '../../schemas/signal.js'
import type { Broadcast } from '../negotiation/broadcast.js'
import type { CandidateBatch } from '../negotiation/candidate.js'
import { applyBroadcast, applyCandidates, classifyCandidates } from '../negotiation/candidates.js'
import { applyAnswer, applyOffer, beginAnew } from '../negotiation/negotiation.js'
import type { Description } from '../negotiation/sdp.js'
import {
  isDescribed,
  type Negotiation,
  type NegotiationResult,
  NO_SIGNALS,
  type SideSignals,
  type Signaler
} from '../negotiation/state.js'
import { type ParticipantHead, type ParticipantRef, participantRef } from './state.js'

type PairSide = 'earlier' | 'later'
/** `since`: the version of the room at which they joined. */
export type JoinedParticipant = ParticipantRef & { readonly since: number }

export const toJoinedParticipant = (participant: ParticipantHead): JoinedParticipant => ({
  ...participantRef(participant),
  since: participant.since ?? 0
})

export interface PairState extends Negotiation<PairSide> {
  readonly roomId: string
  readonly version: number
  readonly peers: { readonly [side in PairSide]: ParticipantRef }
  /** The mode of the room in which they negotiate: the version of the room at which it began; 0: the room never had another one. */
  readonly modeSince: number
  /**
   * The version of the room at which the later one joined, or its mode changed after that. Signals are held until it is published: they
   * follow both joinings, and the event of the mode.
   */
  readonly since: number
  /** When to check whether both are still in the room; null: one has left, and the pair is over. */
  readonly checkAt: number | null
}

export type PairCommand =
  | {
      readonly type: 'offer' | 'answer'
      readonly description: Description
      readonly revision?: number | undefined
      readonly batch?: CandidateBatch | undefined
    }
  | { readonly type: 'candidates'; readonly batch: CandidateBatch }
  /** Sends what the sender has broadcast and the pair has not sent yet. */
  | { readonly type: 'broadcast'; readonly broadcast: Broadcast }

export interface PairDecision {
  readonly state: PairState
  readonly isHeld?: boolean
  readonly events: readonly {
    readonly to: { readonly user: string; readonly device: string }
    readonly type: string
    readonly data: Readonly<Record<string, unknown>>
  }[]
  /** Of the candidates of the request, if it had any. */
  readonly outcomes?: CandidateOutcomes | undefined
}

/** The two in the order in which they joined, whichever of them sends. */
export const orderByJoin = (
  a: JoinedParticipant,
  b: JoinedParticipant
): { earlier: JoinedParticipant; later: JoinedParticipant } =>
  a.since < b.since ? { earlier: a, later: b } : { earlier: b, later: a }

/** Room, earlier and later participant (joinIds). */
export const pairId = (
  roomId: string,
  { earlier, later }: { earlier: ParticipantRef; later: ParticipantRef }
): string => joinIds(roomId, earlier.participantId, later.participantId)

export function newPair(
  roomId: string,
  { earlier, later }: { earlier: JoinedParticipant; later: JoinedParticipant }
): PairState {
  return {
    roomId,
    version: 0,
    peers: { earlier: participantRef(earlier), later: participantRef(later) },
    modeSince: 0,
    since: later.since,
    checkAt: null,
    negotiation: { revision: 0, pendingFrom: null },
    signaled: { earlier: NO_SIGNALS, later: NO_SIGNALS }
  }
}

/**
 * The pair in the mode that the room has now. The two have closed the connections of the mode before, so what they signaled in it is over:
 * no offer is pending, and no candidate waits.
 */
export function inMode(state: PairState, modeSince: number): PairState {
  if (state.modeSince === modeSince) return state
  return { ...state, ...beginAnew(state), modeSince, since: Math.max(state.since, modeSince) }
}

interface PairInput {
  readonly from: string
  readonly command: PairCommand
  readonly checkAt: number
  /** Signals are held, which takes a commit: none is sent without one. */
  readonly isHeld: boolean
  /** When the mode of the room began, see PairState. */
  readonly modeSince: number
}

/** @throws AppError offer_collision, stale_revision, no_offer_pending, stale_candidate, too_many_waiting_candidates */
export function decidePair(found: PairState, { from, command, checkAt, isHeld, modeSince }: PairInput): PairDecision {
  const state = inMode(found, modeSince)
  const signaler = signalerOf(state, from)
  const { next: result, signals, outcomes } = apply(state, signaler, command)
  const { negotiation, signaled } = result
  // The first signal creates the pair, even if it changes nothing: signals without a commit need an aggregate.
  const unchanged = result === found && state.version > 0 && !isHeld
  // The next check drops waiting candidates, so it is not postponed while some wait.
  const nextCheckAt = hasWaiting(state) ? (state.checkAt ?? checkAt) : checkAt
  const next = unchanged ? state : { ...state, version: state.version + 1, checkAt: nextCheckAt, negotiation, signaled }
  const { participantId: to, user, device } = state.peers[signaler.other]
  const common = { roomId: state.roomId, version: next.version, from: state.peers[signaler.side], to }
  return {
    state: next,
    isHeld,
    outcomes,
    events: signals.map(({ type, data }) => ({ to: { user, device }, type, data: { ...common, ...data } }))
  }
}

function apply(state: PairState, signaler: Signaler<PairSide>, command: PairCommand): NegotiationResult<PairSide> {
  if (command.type === 'candidates') return applyCandidates(state, signaler, command.batch)
  if (command.type === 'broadcast') return applyBroadcast(state, signaler, command.broadcast)
  return (command.type === 'offer' ? applyOffer : applyAnswer)(state, signaler, command)
}

/**
 * The mode of the room has changed since the request began: the sender has closed the connection that the signal is for.
 * @throws AppError stale_revision, stale_candidate
 */
export function refuseOutdated(state: PairState, { from, command }: Pick<PairInput, 'from' | 'command'>): PairDecision {
  if (command.type === 'broadcast') return { state, events: [] }
  const code = command.type === 'candidates' ? 'stale_candidate' : 'stale_revision'
  throw signalerOf(state, from).refuse(code, 'The mode of the room has changed')
}

/** The participant `from` has sent an offer or answer to the other one. */
export const isDescribedBy = (state: PairState, from: string): boolean => isDescribed(signalsOf(state, from))

/** What the participant `from` has signaled to the other one. */
export const signalsOf = (state: PairState, from: string): SideSignals => state.signaled[signalerOf(state, from).side]

/** What the command `candidates` does with each of them. */
export function judgePairCandidates(state: PairState, from: string, batch: CandidateBatch): CandidateOutcomes {
  return classifyCandidates(state, signalerOf(state, from), batch)
}

/** One of the two has left. */
export const endPair = (state: PairState): PairDecision => ({
  state: { ...state, version: state.version + 1, checkAt: null },
  events: []
})

/** Both are still in the room. Candidates that still wait are dropped: their description has not come since the last check. */
export function dropWaitingCandidates(state: PairState, checkAt: number): PairDecision {
  if (!hasWaiting(state)) return { state: { ...state, checkAt }, events: [] }
  const { earlier, later } = state.signaled
  const signaled = { earlier: withoutWaiting(earlier), later: withoutWaiting(later) }
  return { state: { ...state, version: state.version + 1, checkAt, signaled }, events: [] }
}

const hasWaiting = ({ signaled: { earlier, later } }: PairState): boolean =>
  earlier.waiting.length + later.waiting.length > 0

const withoutWaiting = (mine: SideSignals): SideSignals => ({ ...mine, waiting: [], waitingEnd: false })

function signalerOf(state: PairState, from: string): Signaler<PairSide> {
  const side = state.peers.earlier.participantId === from ? 'earlier' : 'later'
  const { roomId, version, negotiation } = state
  return {
    side,
    other: side === 'earlier' ? 'later' : 'earlier',
    canDeliver: true,
    isPolite: side === 'later',
    refuse: (code, detail, extra = {}) => {
      const pendingFrom = extra.pendingFrom as PairSide | null | undefined
      const pending = pendingFrom ? { pendingFrom: state.peers[pendingFrom].participantId } : {}
      const standing = { roomId, version, revision: negotiation.revision }
      return new AppError(code, { ...(detail ? { detail } : {}), extra: { ...standing, ...extra, ...pending } })
    }
  }
}
