// The commands that change a call.
import type { Call } from '../../schemas/call.js'
import type { ConnectionStats } from '../../schemas/call-record.js'
import type { Endpoint } from '../../schemas/common.js'
import type { TimelineOutcome } from '../../schemas/timeline.js'
import type { CandidateBatch } from '../negotiation/candidate.js'
import type { Description } from '../negotiation/sdp.js'
import type { MailboxHead } from './decision.js'
import type { ReplacedCall, Side, Transfer } from './state.js'

export type CallCommand =
  | {
      readonly type: 'create'
      readonly callId: string
      readonly actor: Endpoint
      /** In the order in which they ring, if it is one after the other. */
      readonly callees: readonly NewCallee[]
      readonly media: Call['media']
      readonly metadata: Call['metadata']
      readonly offer: Description | null
      readonly batch?: CandidateBatch | undefined
      /** Who makes the first offer; without it the caller. */
      readonly offerer?: Side | undefined
      /** The maximum duration that the policy sets. */
      readonly maxMs?: number | undefined
      /** What the policy decided about the call, in order: more than one after a redirect. */
      readonly policy?: readonly TimelineOutcome[]
      /** See nextAttempt in tombstone.ts. */
      readonly attempt: number
    }
  | { readonly type: 'ringing'; readonly actor: Endpoint }
  | { readonly type: 'hold' | 'resume'; readonly actor: Endpoint }
  | { readonly type: 'connected'; readonly actor: Endpoint; readonly stats?: ConnectionStats | undefined }
  | { readonly type: 'message'; readonly actor: Endpoint; readonly messageId: string; readonly content: string }
  | {
      readonly type: 'media'
      readonly actor: Endpoint
      readonly audio?: boolean | undefined
      readonly video?: boolean | undefined
    }
  | { readonly type: 'cancel'; readonly actor: Endpoint }
  | {
      readonly type: 'accept'
      readonly actor: Endpoint
      readonly connectMs: number
      readonly checkMs: number
      /** The maximum duration of the call; null: none. */
      readonly maxMs: number | null
      /** The first offer, if the callee makes it. */
      readonly offer?: Description | undefined
      /** The answer to the offer of the create. */
      readonly answer?: Description | undefined
      readonly batch?: CandidateBatch | undefined
    }
  /** `devices`: the callee's registered devices. When all of them have rejected the call, it ends as declined. */
  | {
      readonly type: 'reject'
      readonly actor: Endpoint
      readonly scope: 'device' | 'user'
      readonly devices: readonly string[]
    }
  /** A party leaves the call to the user `to`. `device`: the only one that rings; null: all. */
  | {
      readonly type: 'transfer'
      readonly actor: Endpoint
      readonly to: { readonly user: string; readonly device: string | null }
      readonly replaces?: Transfer['replaces']
      readonly ringMs: number
      /** The target blocks one of the parties. */
      readonly isMuted: boolean
      readonly wakes: readonly string[] | null
      /** What the policy decided about it, in order. */
      readonly policy?: readonly TimelineOutcome[]
    }
  | { readonly type: 'cancelTransfer'; readonly actor: Endpoint }
  /** The transfers up to this number are closed: they will never ring a user. */
  | { readonly type: 'closeTransfers'; readonly upTo: number }
  /** Another call has joined the two. */
  | ({ readonly type: 'endReplaced' } & Pick<ReplacedCall, 'by' | 'to'>)
  /** A call that this one has replaced is over for the two, or gone. */
  | { readonly type: 'forgetReplaced'; readonly callId: string }
  /** `busy`: the user has accepted another call and may have no second one. `unreachable`: the devices that ring were signed out. */
  | { readonly type: 'busy' | 'unreachable'; readonly user: string }
  /** An operator ends the call. */
  | { readonly type: 'stop' }
  /** The waiting user's turn has come: the user rings, or is left out. */
  | ({ readonly type: 'ring'; readonly user: string } & Pick<NewCallee, 'isMuted' | 'wakes'>)
  | { readonly type: 'skip'; readonly user: string; readonly reason: 'busy' | 'unreachable' }
  | { readonly type: 'hangup'; readonly actor: Endpoint; readonly reason: 'hangup' | 'media_failed' }
  | {
      readonly type: 'offer' | 'answer'
      readonly actor: Endpoint
      readonly description: Description
      readonly revision?: number | undefined
      readonly batch?: CandidateBatch | undefined
    }
  | { readonly type: 'candidates'; readonly actor: Endpoint; readonly batch: CandidateBatch }
  /** The call's deadline is due. */
  | {
      readonly type: 'check'
      readonly goneSince: DeviceGone
      readonly awayMs: number
      readonly graceMs: number
      readonly checkMs: number
    }
  /** A device is new or back. `offerAt`: the call was not offered to it yet, and this is its newest event. */
  | {
      readonly type: 'appeared'
      readonly actor: Endpoint
      readonly offerAt: MailboxHead | null
      readonly connection?: SeenConnection | undefined
    }
  /** For the record of the call: candidates that were sent without a commit, and the nodes that serve the sides. */
  | { readonly type: 'seen'; readonly actor: Endpoint; readonly batch: CandidateBatch }
  | { readonly type: 'served'; readonly nodes: { readonly [side in Side]: string | null } }

/** A user whom a create calls. */
export interface NewCallee {
  readonly user: string
  /** The only device that rings; null, and without it: all devices of the user. */
  readonly device?: string | null
  readonly ringMs: number
  /** Rings after the ones before it have left. */
  readonly isWaiting?: boolean
  /** Why the user does not ring. */
  readonly leftOut?: 'busy' | 'unreachable' | undefined
  /** The user blocks the caller. */
  readonly isMuted?: boolean
  /** The devices that are woken; null, and without it: there is no push. */
  readonly wakes?: readonly string[] | null
}

/** A stream or poll that has come to a node. */
export interface SeenConnection {
  readonly node: string
  /** It is a stream that resumes. */
  readonly isResume: boolean
}

/**
 * A create has failed or stalled: a tombstone makes its call impossible before its leases are released or taken over (rules 1 and 2 in
 * services/call/leases.ts).
 */
export interface RefuseCommand {
  readonly callId: string
  readonly actor: Endpoint
  /** The only user who is called; null: there are several. */
  readonly to: string | null
  readonly attempt: number
  readonly because: Refusal
  /** How long a retry gets the same reply. */
  readonly keepMs: number
}

/**
 * Why a create failed. `call_ended`: it stalled between its leases and its call. `failed`: a fault of the store or the server; the next
 * attempt may succeed.
 */
export type Refusal =
  | { readonly code: 'callee_busy' | 'call_glare' | 'call_ended' }
  | { readonly code: 'caller_busy'; readonly activeCallId: string }
  | { readonly code: 'failed'; readonly attempt: number }
  | { readonly code: 'merged'; readonly into: string }

/** When each side's device disappeared; null: it is there. */
export type DeviceGone = { readonly [side in Side]: number | null }

export type CommandOf<T extends CallCommand['type']> = Extract<CallCommand, { type: T }>
