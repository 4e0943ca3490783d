// The first part of the port in store.ts: a versioned document whose commits deliver what they say, with a deadline. The promises at
// the top of that file hold here too.
import type { Lease } from './leases.js'
import type { Cursor, Deliveries, UserMail } from './mail.js'
import type { Charge } from './quotas.js'

/**
 * What is kept under a version of its own: a call, what two participants of a room negotiate, a room, how far its chat was
 * delivered, the presence of a user who is watched. The engines do not know what one is.
 */
export interface AggregateRef {
  readonly kind: 'call' | 'pair' | 'room' | 'chat' | 'presence'
  readonly id: string
}

/**
 * Names one commit of an aggregate, or of a part of a room. A failover may forget a version, which is then made a second time: the
 * tag, a few random characters, tells the two apart.
 */
export interface Stamp {
  readonly version: number
  readonly tag: string
}

export const isSameStamp = (a: Stamp | null, b: Stamp | null): boolean => a?.version === b?.version && a?.tag === b?.tag

/** The envelope every client sees, over SSE, long-poll and webhooks. */
export interface OutgoingEvent {
  readonly type: string
  /** RFC 3339, UTC, milliseconds. */
  readonly timestamp: string
  readonly data: Readonly<Record<string, unknown>>
}

/** One thing a commit leaves in its fan-out log, see Fanouts. */
export type OutboxItem =
  /** Append the event to the mailbox of one device, or of all the user's devices but `except`. */
  | {
      readonly do: 'deliver'
      readonly user: string
      readonly device?: string
      readonly except?: readonly string[]
      readonly event: OutgoingEvent
    }
  /** Publish the event to all recipients of this aggregate but the participant `except`: see Fanouts. */
  | { readonly do: 'publish'; readonly except?: string; readonly event: OutgoingEvent }
  /** When all that was committed before it has been published, this is next. */
  | { readonly do: 'follow'; readonly task: FollowUp }

/** What has to wait until a recipient has everything that was committed before. */
export type FollowUp =
  /** What this pair holds back is delivered. */
  | { readonly kind: 'pair'; readonly id: string }
  /** The user's invitation is offered to a device that registered at this point of its mailbox. */
  | {
      readonly kind: 'invitation'
      readonly user: string
      readonly device: string
      readonly since: { readonly seq: number; readonly tag: string }
    }

/** What the commit of this stamp left in its fan-out log. */
export interface OutboxEntry extends Stamp {
  readonly items: readonly OutboxItem[]
}

export interface StoredAggregate extends Stamp {
  /** JSON; the store never looks inside. */
  readonly state: string
  /** Mail of some commits is held back, see Commit.isHeld. */
  readonly holdsMail: boolean
}

export interface Commit extends Stamp {
  /** What the decision was made on; null when the aggregate did not exist. The commit's version is above it, or it is the same stamp. */
  readonly expected: Stamp | null
  readonly state: string
  /** What it says, a part for each user. An aggregate with a fan-out log has none. */
  readonly mail: readonly UserMail[]
  /** The mail waits for `release`. What is held back already is delivered before the mail of a commit that is not held. */
  readonly isHeld?: boolean
  /** Taken in this order, unless the commit conflicts; the first one that is spent refuses the commit. Before any claim is judged. */
  readonly charges?: readonly Charge[]
  /** What it leaves in the fan-out log. */
  readonly log: readonly OutboxItem[]
  /** When the aggregate wants to be looked at again; null takes its timer away. */
  readonly deadlineAt: number | null
  /** Time to live from now for an aggregate that is over; null keeps it. What has undelivered mail or a log does not expire. */
  readonly expireInMs: number | null
  readonly now: number
}

export type CommitResult =
  /** Written, and nobody can undo it. */
  | {
      readonly ok: true
      /** False: the mail is kept and not delivered yet. It is held back, or (on a Cluster) the server of a mailbox could not be reached. */
      readonly isDelivered: boolean
      /** Of this commit's mail. */
      readonly deliveries: Deliveries
      /** Those users of the mail whose leases it claims or releases, if their presence may be watched. */
      readonly watched: readonly string[]
      /** On a Cluster: a mailbox has taken the end of the aggregate, which the aggregate itself has forgotten. */
      readonly isOver: boolean
      /** For each user with a claim, all leases they hold now. */
      readonly held: ReadonlyMap<string, readonly Lease[]>
      /** The newest entry of the mailbox of the device that gave a sign of life. */
      readonly head: Cursor | null
    }
  /** Another commit was faster: nothing was written; `current` is what stands (null: it does not exist). */
  | { readonly ok: false; readonly current: StoredAggregate | null }
  /** The device that gives a sign of life is not registered, or has to be touched first for another reason. */
  | { readonly ok: false; readonly unregistered: true }
  /** Nothing is left of a quota; those before it are charged. */
  | { readonly ok: false; readonly spent: Charge }
  /** A claim was refused, and the state was not written: the user, and all leases they hold. */
  | { readonly ok: false; readonly refused: { readonly user: string; readonly held: readonly Lease[] } }

export interface Aggregates {
  /** As it stands, and whatever its commits said is delivered, unless it is held back. */
  load(ref: AggregateRef): Promise<StoredAggregate | null>
  /**
   * Writes state, mail, leases and deadline. On one server, and in memory, that is one step. On a Cluster the leases that the mail claims
   * are taken first, in the order of the user ids: a commit that is refused, conflicts or fails may leave some of them behind. Then state and
   * mail are written together, and the mail is delivered, by this node or by another one that loads the aggregate.
   */
  commit(ref: AggregateRef, commit: Commit): Promise<CommitResult>
  /** Delivers the mail that is held back. Idempotent. */
  releaseMail(ref: AggregateRef): Promise<void>
  /** Brings an existing deadline forward to `at`; never back, and never creates one. */
  bringForward(ref: AggregateRef, at: number): Promise<void>
}
