// The state of a call as it is stored, and the parts of a decision.
import type { Call } from '../../schemas/call.js'
import type { CandidateType, ConnectionStats } from '../../schemas/call-record.js'
import type { Endpoint } from '../../schemas/common.js'
import type { Candidate, CandidateOutcomes } from '../../schemas/signal.js'
import type { TimelineEntry } from '../../schemas/timeline.js'
import type { Negotiation } from '../negotiation/state.js'

export type Phase = Call['state']
export type EndReason = NonNullable<Call['reason']>
export type Side = 'caller' | 'callee'

export interface CallState extends Negotiation<Side> {
  readonly callId: string
  readonly version: number
  readonly phase: Phase
  readonly caller: Endpoint
  /** Which attempt of the caller's create made the call: see nextAttempt in tombstone.ts. */
  readonly attempt: number
  /** Null only in the view of a tombstone, if the call was cancelled before its create. */
  readonly callee: { readonly user: string; readonly device: string | null } | null
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
  /** When the ring time, the connect time or, once connected, the maximum duration is over. */
  readonly limitAt: number | null
  /** When the maximum duration is over; null before the answer, and without one. */
  readonly endsAt: number | null
  /** The maximum duration that the policy has set; absent: it has set none. */
  readonly maxMs?: number
  /** When the liveness of both sides is checked next. */
  readonly checkAt: number | null
  /** What the create sent, kept while the call rings: devices that register later receive it too. */
  readonly early: RequestSignals
  /** A device of the callee has reported that it rings. */
  readonly isAlerted: boolean
  readonly held: { readonly caller: boolean; readonly callee: boolean }
  readonly away: { readonly caller: boolean; readonly callee: boolean }
  /** The callee blocks the caller: no device rings, and the callee is not a party. */
  readonly isMuted: boolean
  /** The devices of the callee that its create woke; null: there was no push. */
  readonly pushed: readonly string[] | null
  /** Devices of the callee that have rejected the call with scope `device`. */
  readonly declined: readonly string[]
  readonly sendsMedia: { readonly [side in Side]: MediaState }
  /** The last application messages of each side, oldest first, to recognize a retry. */
  readonly sent: { readonly [side in Side]: readonly SentMessage[] }
  readonly timeline: Timeline
  /** For the record of the call (record.ts). No rule depends on it. */
  readonly seen: { readonly [side in Side]: SeenSide }
  /** Offers that restarted ICE. */
  readonly iceRestarts: number
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

/** Whether a side sends it or has muted it, by its own report; null: it has reported nothing. */
export interface MediaState {
  readonly audio: boolean | null
  readonly video: boolean | null
}

/** `digest`: of the message id. `version`: of the call. `afterMs`: the time since the call was created. */
export type SentMessage = readonly [digest: string, version: number, afterMs: number]

/** `afterMs`: the time since the call was created. `device`: the one that acted, if it is not the one of its side in the call. */
export type TimelineLine = readonly [
  afterMs: number,
  type: TimelineEntry['type'],
  by: Side | null,
  details?: Omit<TimelineEntry, 'at' | 'type' | 'by'> & { readonly device?: string }
]

export interface Timeline {
  readonly lines: readonly TimelineLine[]
  /** How many lines were dropped behind the first ones. */
  readonly omitted: number
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

/** The newest event of a mailbox. */
export interface MailboxHead {
  readonly seq: number
  readonly tag: string
}

/** The mailboxes an event goes to: one device's, or those of all devices of a user, with exceptions. */
export interface Recipients {
  readonly user: string
  readonly device?: string
  /** With `device`: the event is appended only while this is the newest event of its mailbox. */
  readonly expectedHead?: MailboxHead
  readonly except?: readonly string[]
}

export interface CallEvent {
  readonly to: Recipients
  readonly type: string
  readonly data: Readonly<Record<string, unknown>>
}

export interface CallDecision {
  /** The same object as before if nothing about the call changes; the events then need no commit. */
  readonly state: CallState
  /** In the order in which they must arrive. */
  readonly events: readonly CallEvent[]
  /** Of the candidates of the request, if it had any. */
  readonly outcomes?: CandidateOutcomes | undefined
}

export const unchanged = (state: CallState): CallDecision => ({ state, events: [] })

export const otherSide = (side: Side): Side => (side === 'caller' ? 'callee' : 'caller')

/** Null when the call has ended. Every live call has a deadline (G7). */
export function deadlineOf(state: CallState): number | null {
  if (state.limitAt === null) return state.checkAt
  return state.checkAt === null ? state.limitAt : Math.min(state.limitAt, state.checkAt)
}

const instant = (at: number | null) => (at === null ? null : new Date(at).toISOString())
const between = (from: number | null, to: number | null) =>
  from === null || to === null ? null : Math.max(0, to - from)

/** The call as its parties see it. */
export function viewCall(state: CallState, now: number): Call {
  const { callId, version, phase, caller, callee, media, metadata, offerer, reason, endedBy, held, negotiation } = state
  // The caller does not learn the callee's devices before the answer.
  const hidesDevice = state.answeredAt === null && endedBy?.user === callee?.user
  return {
    callId,
    version,
    state: phase,
    caller,
    callee,
    media,
    metadata,
    offerer,
    createdAt: new Date(state.createdAt).toISOString(),
    answeredAt: instant(state.answeredAt),
    connectedAt: instant(state.connectedAt),
    endedAt: instant(state.endedAt),
    reason,
    endedBy: hidesDevice ? callee : endedBy,
    expiresInMs: between(now, state.limitAt),
    setupMs: between(state.createdAt, state.connectedAt),
    durationMs: between(state.connectedAt, state.endedAt),
    held,
    negotiation
  }
}
