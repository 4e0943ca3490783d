// The parts of a decision about a call.
import type { CandidateOutcomes } from '../../schemas/signal.js'
import type { CallState } from './state.js'

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
  /** The users whose leases the commit releases while the call lives. */
  readonly releases?: readonly string[]
  /** Of the candidates of the request, if it had any. */
  readonly outcomes?: CandidateOutcomes | undefined
}

export const unchanged = (state: CallState): CallDecision => ({ state, events: [] })
