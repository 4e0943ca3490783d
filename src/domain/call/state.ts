// A call as it is kept, and what a decision about it is made of.
import type { Call } from '../../schemas/call.js'
import type { Endpoint } from '../../schemas/common.js'
import type { Talk } from '../negotiation/negotiation.js'

export type Phase = Call['state']
export type EndReason = NonNullable<Call['reason']>
export type Side = 'caller' | 'callee'

export interface CallState extends Talk<Side> {
  readonly callId: string
  readonly version: number
  readonly phase: Phase
  readonly caller: Endpoint
  /** The attempt of the caller's create that made it: see nextAttempt in tombstone.ts. */
  readonly attempt: number
  /** Null only in the view of a tombstone: the call was cancelled before it was created. */
  readonly callee: { readonly user: string; readonly device: string | null } | null
  readonly media: Call['media']
  readonly metadata: Call['metadata']
  readonly createdAt: number
  readonly answeredAt: number | null
  readonly connectedAt: number | null
  readonly endedAt: number | null
  readonly reason: EndReason | null
  readonly endedBy: Endpoint | null
  /** When the ring or connect time runs out. */
  readonly limitAt: number | null
  /** When to look next whether both sides are still there. */
  readonly checkAt: number | null
  /** Kept while it rings, for devices that come late. */
  readonly earlyOffer: string | null
  /** A device has said that it rings. */
  readonly alerted: boolean
  readonly held: { readonly caller: boolean; readonly callee: boolean }
  readonly away: { readonly caller: boolean; readonly callee: boolean }
  /** The callee blocks the caller: it rings no device, and the callee is no side of it. */
  readonly isMuted: boolean
  /** Devices of the callee that declined for themselves. */
  readonly declined: readonly string[]
}

/** The newest event of a mailbox. */
export interface MailboxHead {
  readonly seq: number
  readonly tag: string
}

/** Whose mailboxes an event goes to: one device, or all of a user's but some. */
export interface Audience {
  readonly user: string
  readonly device?: string
  /** With `device`: only if its mailbox stands there still. */
  readonly at?: MailboxHead
  readonly except?: readonly string[]
}

export interface CallEvent {
  readonly to: Audience
  readonly type: string
  readonly data: Readonly<Record<string, unknown>>
}

export interface Decision {
  /** The very state that was given when nothing about the call changes; its events then need no commit. */
  readonly state: CallState
  /** In the order in which they must arrive. */
  readonly events: readonly CallEvent[]
}

export const otherSide = (side: Side): Side => (side === 'caller' ? 'callee' : 'caller')

/** When the call must be looked at again; null when it is over (G7: every live call has one). */
export function deadlineOf(state: CallState): number | null {
  if (state.limitAt === null) return state.checkAt
  return state.checkAt === null ? state.limitAt : Math.min(state.limitAt, state.checkAt)
}

const instant = (at: number | null) => (at === null ? null : new Date(at).toISOString())
const between = (from: number | null, to: number | null) =>
  from === null || to === null ? null : Math.max(0, to - from)

/** Until a device of the callee has answered nobody is told which devices there are. */
const isUnanswered = ({ answeredAt }: CallState) => answeredAt === null

/** The call as its participants see it. */
export function viewCall(state: CallState, now: number): Call {
  const { callId, version, phase, caller, callee, media, metadata, reason, endedBy, held, negotiation } = state
  return {
    callId,
    version,
    state: phase,
    caller,
    callee,
    media,
    metadata,
    createdAt: new Date(state.createdAt).toISOString(),
    answeredAt: instant(state.answeredAt),
    connectedAt: instant(state.connectedAt),
    endedAt: instant(state.endedAt),
    reason,
    endedBy: isUnanswered(state) && endedBy?.user === callee?.user ? callee : endedBy,
    expiresInMs: between(now, state.limitAt),
    setupMs: between(state.createdAt, state.connectedAt),
    durationMs: between(state.connectedAt, state.endedAt),
    held,
    negotiation
  }
}
