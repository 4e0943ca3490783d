// The state of a call as it is stored.
import type { Call } from '../../schemas/call.js'
import type { CandidateType, ConnectionStats } from '../../schemas/call-record.js'
import type { Endpoint } from '../../schemas/common.js'
import type { Candidate } from '../../schemas/signal.js'
import type { TimelineEntry } from '../../schemas/timeline.js'
import type { Negotiation } from '../negotiation/state.js'

export type Phase = Call['state']
export type EndReason = NonNullable<Call['reason']>
export type Side = 'caller' | 'callee'

export interface CallState extends Negotiation<Side> {
  readonly callId: string
  readonly version: number
  readonly phase: Phase
  /** The user who created the call: the leases and the retries of the create are named by them, also when another user is the caller. */
  readonly creator: string
  readonly caller: Endpoint
  /** Which attempt of the creator's create made the call: see nextAttempt in tombstone.ts. */
  readonly attempt: number
  /** The device that has answered; null: none has. */
  readonly callee: Endpoint | null
  /** Empty only in the view of a tombstone, if the call was cancelled before its create. */
  readonly called: readonly CalledUser[]
  /** Oldest first. A user who comes back is removed. */
  readonly former: readonly FormerParty[]
  /** The transfer that rings a user; null: none does. It stays when the call ends meanwhile, so that the end releases that user's lease. */
  readonly transfer: Transfer | null
  /** How many transfers have begun, or were made impossible. */
  readonly transfers: number
  /** The transfers that succeeded, oldest first, for the record of the call. */
  readonly transferred: readonly TransferDone[]
  /** Calls whose two users it has joined, which have to end. Absent: none. */
  readonly replaced?: readonly ReplacedCall[]
  /** How the sides came into the call. */
  readonly joined: { readonly [side in Side]: Joined }
  readonly media: Call['media']
  readonly metadata: Call['metadata']
  /** Who makes the first offer. */
  readonly offerer: Side
  readonly createdAt: number
  readonly answeredAt: number | null
  readonly connectedAt: number | null
  readonly endedAt: number | null
  readonly reason: EndReason | null
  readonly endedBy: Endpoint | null
  /** When the next ring time, the connect time or, once connected, the maximum duration is over. */
  readonly limitAt: number | null
  /** When the maximum duration is over; null before the answer, and without one. */
  readonly endsAt: number | null
  /** The maximum duration that the policy has set; absent: it has set none. */
  readonly maxMs?: number
  /** When the liveness of both sides is checked next. */
  readonly checkAt: number | null
  /** What the create sent, kept while the call rings: devices that register later receive it too. */
  readonly early: RequestSignals
  readonly held: { readonly caller: boolean; readonly callee: boolean }
  readonly away: { readonly caller: boolean; readonly callee: boolean }
  readonly sendsMedia: { readonly [side in Side]: MediaState }
  /** The last application messages of each side, oldest first, to recognize a retry. */
  readonly sent: { readonly [side in Side]: readonly SentMessage[] }
  readonly timeline: Timeline
  /** For the record of the call (record.ts). No rule depends on it. */
  readonly seen: { readonly [side in Side]: SeenSide }
  /** Offers that restarted ICE. */
  readonly iceRestarts: number
}

/** One side leaves the call to another user, who is rung first. */
export interface Transfer {
  /** Counts the transfers of the call from 1. The lease of its target is named by it. */
  readonly number: number
  /** The device of the transferor. */
  readonly by: Endpoint
  readonly target: CalledUser
  readonly startedAt: number
  /** The transferor has hung up or was lost: the other side is the caller already, and the call rings for the target. */
  readonly hasLeft: boolean
  /** Of an attended transfer: the call of its two users that ends for it, and the target's lease of that call. */
  readonly replaces?: { readonly callId: string; readonly lease: string } | undefined
}

/** A call that ends, if these two devices are still in it: at once, and by `endsAt` if a node dies before. */
export interface ReplacedCall {
  readonly callId: string
  readonly by: Endpoint
  readonly to: Endpoint
  readonly endsAt: number
}

/** `afterMs`: the time since the call was created. */
export interface TransferDone {
  readonly by: Endpoint
  readonly to: Endpoint
  readonly afterMs: number
  /** Absent: it was not attended. */
  readonly toCall?: string
}

/** `transfer`: the number of the transfer that brought the user; 0: the create did. `afterMs`: when that began. */
export interface Joined {
  readonly transfer: number
  readonly afterMs: number
}

/** Why the part of a called user has ended. */
export type CalledReason =
  | Extract<EndReason, 'declined' | 'busy' | 'no_answer' | 'answered_elsewhere' | 'cancelled'>
  | 'unreachable'

/** A user whom the call rings. */
export interface CalledUser {
  readonly user: string
  /** The only device that rings; null: all devices of the user. */
  readonly device: string | null
  /**
   * `waiting`: it rings after others. `ringing`: it rings, or rang until the call ended. `ended`: the call went on without this user, who
   * is a former party if a device rang.
   */
  readonly state: 'waiting' | 'ringing' | 'answered' | 'ended'
  readonly reason: CalledReason | null
  readonly ringMs: number
  /** When its ring time is over; null: it has not begun to ring. */
  readonly endsAt: number | null
  /** The user blocks the caller: no device rings, and the user is not a party. */
  readonly isMuted: boolean
  /** A device has reported that it rings. */
  readonly isAlerted: boolean
  /** The devices that were woken; null: there was no push. */
  readonly pushed: readonly string[] | null
  /** Devices that have rejected the call with scope `device`. */
  readonly declined: readonly string[]
}

/** A user whose part in the call ended while the call went on. For them the call has ended, and stays as it was then. */
export interface FormerParty {
  readonly user: string
  /** When the user came into the call, as in `Joined`. */
  readonly afterMs: number
  readonly view: Omit<Call, 'callId' | 'media' | 'metadata'>
}

/** What the server has seen of a side. */
export interface SeenSide {
  /** Of the candidates that it has sent. */
  readonly candidateTypes: readonly CandidateType[]
  readonly resumes: number
  readonly nodeChanges: number
  /** The node that its stream or poll last came to; null: not known. */
  readonly node: string | null
  /** Its last report. */
  readonly stats: ConnectionStats | null
}

export const NOTHING_SEEN: SeenSide = { candidateTypes: [], resumes: 0, nodeChanges: 0, node: null, stats: null }

/** Whether a side sends it or has muted it, by its own report; null: it has reported nothing. */
export interface MediaState {
  readonly audio: boolean | null
  readonly video: boolean | null
}

export const NO_MEDIA_STATE: MediaState = { audio: null, video: null }

/** `digest`: of the message id. `version`: of the call. `afterMs`: the time since the call was created. */
export type SentMessage = readonly [digest: string, version: number, afterMs: number]

/**
 * `afterMs`: the time since the call was created. `by`: a side; in lines from before a transfer that changed the sides an index of
 * `Timeline.parties`. `device`: the one that acted, if it is not the one of its side in the call. `user`: of the callees, if there are several.
 */
export type TimelineLine = readonly [
  afterMs: number,
  type: TimelineEntry['type'],
  by: Side | number | null,
  details?: Omit<TimelineEntry, 'at' | 'type' | 'by'> & { readonly device?: string; readonly user?: string }
]

export type TimelineDetails = NonNullable<TimelineLine[3]>
export type TimelineChange = readonly [type: TimelineEntry['type'], by: Side | number | null, details?: TimelineDetails]

export interface Timeline {
  readonly lines: readonly TimelineLine[]
  /** How many lines were dropped behind the first ones. */
  readonly omitted: number
  /** Absent: no transfer has changed the sides. */
  readonly parties?: readonly Endpoint[]
}

/** The signals of a create or an accept, as members of `call.incoming` or `call.accepted`. */
export interface RequestSignals {
  readonly offer?: DescriptionData
  readonly answer?: DescriptionData
  readonly candidates?: Candidate[]
  readonly end?: boolean
}

interface DescriptionData {
  readonly revision: number
  readonly sdp: string
}

export const otherSide = (side: Side): Side => (side === 'caller' ? 'callee' : 'caller')

/** Every live call has one (G7), and one that has ended while another call has to end. */
export function deadlineOf(state: CallState): number | null {
  const { phase, limitAt, checkAt, replaced = [] } = state
  const ofLive = phase === 'ended' ? [] : [limitAt, checkAt, pendingTransfer(state)?.target.endsAt ?? null]
  const due = [...ofLive, ...replaced.map(({ endsAt }) => endsAt)].filter(at => at !== null)
  return due.length === 0 ? null : Math.min(...due)
}

/** The transfer of which both parties are still in the call. */
export const pendingTransfer = ({ phase, transfer }: CallState): Transfer | null =>
  phase === 'ended' || transfer?.hasLeft ? null : transfer
