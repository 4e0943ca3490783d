// Everything that can happen to a call.
import type { Call } from '../../schemas/call.js'
import type { Endpoint } from '../../schemas/common.js'
import type { CandidatesRequest } from '../../schemas/signal.js'
import type { Description } from '../negotiation/sdp.js'
import type { MailboxHead, Side } from './state.js'

export type CallCommand =
  | {
      readonly type: 'create'
      readonly callId: string
      readonly actor: Endpoint
      readonly to: string
      readonly media: Call['media']
      readonly metadata: Call['metadata']
      readonly offer: Description | null
      readonly ringMs: number
      /** See nextAttempt in tombstone.ts. */
      readonly attempt: number
      /** The callee blocks the caller. */
      readonly isMuted?: boolean
    }
  | { readonly type: 'ringing' | 'connected' | 'hold' | 'resume'; readonly actor: Endpoint }
  | { readonly type: 'cancel'; readonly actor: Endpoint }
  | { readonly type: 'accept'; readonly actor: Endpoint; readonly connectMs: number; readonly checkMs: number }
  /** `devices` are the callee's registered ones: when the last of them declines, the call is declined. */
  | {
      readonly type: 'reject'
      readonly actor: Endpoint
      readonly scope: 'device' | 'user'
      readonly devices: readonly string[]
    }
  /** The user has accepted another call and has no room for this one. */
  | { readonly type: 'busy'; readonly user: string }
  | { readonly type: 'hangup'; readonly actor: Endpoint; readonly reason: 'hangup' | 'media_failed' }
  | {
      readonly type: 'offer' | 'answer'
      readonly actor: Endpoint
      readonly description: Description
      readonly revision?: number | undefined
    }
  | { readonly type: 'candidates'; readonly actor: Endpoint; readonly batch: CandidatesRequest }
  /** A deadline has come, or somebody's stream has gone. */
  | {
      readonly type: 'check'
      readonly absence: Absence
      readonly awayMs: number
      readonly graceMs: number
      readonly checkMs: number
    }
  /** A device has come. `offerAt`: it has not been offered the call, and its mailbox stands there. */
  | { readonly type: 'appeared'; readonly actor: Endpoint; readonly offerAt: MailboxHead | null }

/**
 * A create has failed or stalled: its call is made unable to exist before its leases are released or taken over (DESIGN 5a, rules
 * 1 and 2).
 */
export interface RefuseCommand {
  readonly callId: string
  readonly actor: Endpoint
  readonly to: string
  readonly attempt: number
  readonly because: Refusal
  /** How long a retry gets the same answer. */
  readonly keepMs: number
}

/**
 * Why a create failed; `call_ended`: it stalled between its leases and its call; `failed`: the store, or the server, failed it, and the
 * next attempt may succeed.
 */
export type Refusal =
  | { readonly code: 'caller_busy' | 'callee_busy' | 'call_glare' | 'call_ended' }
  | { readonly code: 'failed'; readonly attempt: number }
  | { readonly code: 'merged'; readonly into: string }

/** Since when each side has shown no sign of life; null: it is there. */
export type Absence = { readonly [side in Side]: number | null }

export type CommandOf<T extends CallCommand['type']> = Extract<CallCommand, { type: T }>
