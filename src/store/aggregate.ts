// Part of the port in store.ts: aggregates, documents that are changed as a whole under a version. A commit writes the next state and
// delivers the events that belong to it. The general promises of store.ts hold.

import type { Charge } from './budget-counters.js'
import type { Lease } from './leases.js'
import type { Cursor, Deliveries, UserMail } from './mail.js'
import type { NewWebhookEvent } from './webhook-events.js'

/**
 * Names an aggregate: a call, the negotiation of two participants (`pair`), a room, how far a room's chat was delivered to the chat service
 * (`chat`), or the published presence of a watched user. The engines do not interpret the state of any of them. A `webhook` is no
 * aggregate but a queue that the timers return, see webhook-queues.ts.
 */
export interface AggregateRef {
  readonly kind: 'call' | 'pair' | 'room' | 'chat' | 'presence' | 'webhook'
  readonly id: string
}

/**
 * Names one commit of an aggregate, or of a part of a room. After a failover that lost a version, another commit can get the same
 * version: `tag`, a few random characters, tells the two apart.
 */
export interface Stamp {
  readonly version: number
  readonly tag: string
}

export const isSameStamp = (a: Stamp | null, b: Stamp | null): boolean => a?.version === b?.version && a?.tag === b?.tag

/** The envelope that clients receive, over SSE and long-poll alike. */
export interface OutgoingEvent {
  readonly type: string
  /** RFC 3339, UTC, milliseconds. */
  readonly timestamp: string
  readonly data: Readonly<Record<string, unknown>>
}

/** One item of a fan-out log. Items are processed in the order of their commits, see Fanouts. */
export type OutboxItem =
  /** Append the event to the mailbox of one device, or of all devices of the user except `except`. */
  | {
      readonly do: 'deliver'
      readonly user: string
      readonly device?: string
      readonly except?: readonly string[]
      readonly event: OutgoingEvent
    }
  /** Publish the event to all recipients of this aggregate except the participant `except`. */
  | { readonly do: 'publish'; readonly except?: string; readonly event: OutgoingEvent }
  /** Run the task after everything that was committed earlier has been published. */
  | { readonly do: 'follow'; readonly task: FollowUp }

/** A task that must not run before the recipient has all events that were committed earlier. */
export type FollowUp =
  /** Deliver the mail that this pair holds back. */
  | { readonly kind: 'pair'; readonly id: string }
  /** Offer the user's invitation to a device that registered after it. `since`: the head of its mailbox when it registered. */
  | {
      readonly kind: 'invitation'
      readonly user: string
      readonly device: string
      readonly since: { readonly seq: number; readonly tag: string }
    }

/** The items that the commit of this stamp wrote to the fan-out log. */
export interface OutboxEntry extends Stamp {
  readonly items: readonly OutboxItem[]
}

export interface StoredAggregate extends Stamp {
  /** JSON that the store does not read. */
  readonly state: string
  /** Mail of at least one commit is held back, see Commit.isHeld. */
  readonly holdsMail: boolean
}

export interface Commit extends Stamp {
  /**
   * The commit that the decision was made on; null: the aggregate did not exist. The new version must be higher, or the stamp the same.
   */
  readonly expected: Stamp | null
  readonly state: string
  /** One item for each user. Empty for an aggregate with a fan-out log. */
  readonly mail: readonly UserMail[]
  /** Keep the mail back until `releaseMail`. Mail that is held back is delivered before the mail of a later commit that is not held. */
  readonly isHeld?: boolean
  /** Taken in this order, before the leases; the first budget that is spent refuses the commit. A conflict takes none. */
  readonly charges?: readonly Charge[]
  /** Written to the fan-out log. */
  readonly log: readonly OutboxItem[]
  /** Queued with the commit of a call or presence, see WebhookQueues. */
  readonly webhooks?: readonly NewWebhookEvent[]
  /** The next deadline of the aggregate; null: none. */
  readonly deadlineAt: number | null
  /** The aggregate has ended and expires after this time; null: it does not expire. Undelivered mail or a log postpones the expiry. */
  readonly expireInMs: number | null
  readonly now: number
}

export type CommitResult =
  /** The commit is written and final. */
  | {
      readonly ok: true
      /** False: the mail is kept and will be delivered later. It is held back, or (on a Cluster) a mailbox's server could not be reached. */
      readonly isDelivered: boolean
      /** Of the mail of this commit. */
      readonly deliveries: Deliveries
      /** The users whose leases this commit took or released and whose presence has watchers. */
      readonly watched: readonly string[]
      /** On a Cluster: a mailbox has taken the end of this aggregate, but the aggregate has lost that commit. */
      readonly isOver: boolean
      /** For each user with a claim: all leases the user holds after the commit. */
      readonly held: ReadonlyMap<string, readonly Lease[]>
      /** The newest event in the mailbox of the device that made the commit. */
      readonly head: Cursor | null
      /** How many webhook events were refused because too many queues wait, counted for each destination. Missing: none. */
      readonly webhooksRefused?: number
    }
  /** Another commit stands: nothing was written. `current` is what is stored (null: nothing). */
  | { readonly ok: false; readonly current: StoredAggregate | null }
  /** The device that made the commit is not registered, or its record must be brought up to date by `touch` first. */
  | { readonly ok: false; readonly unregistered: true }
  /** This budget is spent. The charges before it are taken; nothing else was written. */
  | { readonly ok: false; readonly spent: Charge }
  /** This user's lease was refused, and the state was not written. `held`: all leases the user holds. */
  | { readonly ok: false; readonly refused: { readonly user: string; readonly held: readonly Lease[] } }

export interface Aggregates {
  /** Delivers waiting mail of earlier commits first, unless it is held back. */
  load(ref: AggregateRef): Promise<StoredAggregate | null>
  /**
   * Writes state, mail, leases and deadline, in one step on one server and in memory. On a Cluster it takes several steps: first the
   * leases, in the order of the user ids (a commit that is refused, conflicts or fails may leave some of them behind); then state and
   * mail together; then this node, or another that loads the aggregate, delivers the mail.
   */
  commit(ref: AggregateRef, commit: Commit): Promise<CommitResult>
  /** Delivers the mail that is held back. Idempotent. */
  releaseMail(ref: AggregateRef): Promise<void>
  /** Moves an existing deadline to `at` if that is earlier. Never creates one. */
  bringForward(ref: AggregateRef, at: number): Promise<void>
}
