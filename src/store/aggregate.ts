// The first part of the port in store.ts: a versioned document with an outbox and a deadline. The promises at the top of
// that file hold here too.

/**
 * What is kept under a version of its own: a call, what two participants of a room negotiate, a room, how far its chat was
 * delivered, the presence of a user who is watched. The engines do not know what one is.
 */
export interface AggregateRef {
  readonly kind: 'call' | 'pair' | 'room' | 'chat' | 'presence'
  readonly id: string
}

/** Deadlines that are due are served in this order, the oldest of a class first. */
export const TIMER_CLASSES = ['call', 'room', 'presence'] as const
export type TimerClass = (typeof TIMER_CLASSES)[number]

const CLASS_OF: Readonly<Record<AggregateRef['kind'], TimerClass>> = {
  call: 'call',
  pair: 'call',
  room: 'room',
  chat: 'room',
  presence: 'presence'
}
export const timerClassOf = ({ kind }: AggregateRef): TimerClass => CLASS_OF[kind]

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

/** One thing a commit leaves to be done in other partitions. */
export type OutboxItem =
  /** Append the event to the mailbox of one device, or of all the user's devices but `except`. */
  | {
      readonly do: 'deliver'
      readonly user: string
      readonly device?: string
      readonly except?: readonly string[]
      readonly event: OutgoingEvent
    }
  /** The user's mailboxes record the commit, also where no event goes to them: a message decided on another one is then refused. */
  | { readonly do: 'mark'; readonly user: string; readonly begins?: boolean }
  /** The same, and the holder's lease on the user is released. */
  | { readonly do: 'release'; readonly user: string; readonly holder: string }
  /** Publish the event to all recipients of this aggregate but the participant `except`: see Fanouts. */
  | { readonly do: 'publish'; readonly except?: string; readonly event: OutgoingEvent }
  /** When all that was committed before it has been published, this is next. */
  | { readonly do: 'follow'; readonly task: FollowUp }

/** What has to wait until a recipient has everything that was committed before. */
export type FollowUp =
  /** What this pair has in its outbox is dispatched. */
  | { readonly kind: 'pair'; readonly id: string }
  /** The user's invitation is offered to a device that registered at this point of its mailbox. */
  | {
      readonly kind: 'invitation'
      readonly user: string
      readonly device: string
      readonly since: { readonly seq: number; readonly tag: string }
    }

/** What the commit of this stamp left in the outbox. */
export interface OutboxEntry extends Stamp {
  readonly items: readonly OutboxItem[]
}

export interface Snapshot extends Stamp {
  /** JSON; the store never looks inside. */
  readonly state: string
  /** Committed and perhaps not yet dispatched, oldest first. */
  readonly pending: readonly OutboxEntry[]
}

export interface Commit extends Stamp {
  /** What the decision was made on; null when the aggregate did not exist. The commit's version is above it, or it is the same stamp. */
  readonly expected: Stamp | null
  readonly state: string
  readonly items: readonly OutboxItem[]
  /** When the aggregate wants to be looked at again; null takes its timer away. */
  readonly deadlineAt: number | null
  /** Time to live from now for an aggregate that is over; null keeps it. */
  readonly expireInMs: number | null
  readonly now: number
}

export type CommitResult =
  /** Written; `pending` is everything undispatched, this commit's own entry last (if it had items). */
  | { readonly ok: true; readonly pending: readonly OutboxEntry[] }
  /** Another commit was faster: nothing was written; `current` is what stands (null: it does not exist). */
  | { readonly ok: false; readonly current: Snapshot | null }

export interface Due {
  /**
   * Aggregates of the classes asked for whose deadline has passed, in the order of TIMER_CLASSES; each is claimed for `holdMs`, after
   * which another node may claim it again.
   */
  readonly due: readonly AggregateRef[]
  /** Aggregates whose outbox has waited for longer than `staleMs`; each comes up again only after as long again. */
  readonly stale: readonly AggregateRef[]
  /** Until when what is due is held: it names the claim, see Rooms.rest. */
  readonly heldUntil: number
  /** As many deadlines as the limit were found: another claim may find more. */
  readonly more: boolean
}

export interface ClaimOptions {
  readonly now: number
  readonly holdMs: number
  readonly staleMs: number
  /** Of `due` and of `stale`, each. */
  readonly limit: number
  readonly classes: readonly TimerClass[]
}

export interface Aggregates {
  load(ref: AggregateRef): Promise<Snapshot | null>
  commit(ref: AggregateRef, commit: Commit): Promise<CommitResult>
  /**
   * The outbox entry of this stamp and all before it have been dispatched. Idempotent. Drops nothing if the entry is not there: it
   * was settled before, or a failover forgot it and what stands under its version now was not dispatched.
   */
  settle(ref: AggregateRef, upTo: Stamp): Promise<void>
  /** Brings an existing deadline forward to `at`; never back, and never creates one. */
  hasten(ref: AggregateRef, at: number): Promise<void>
  /** How many partitions claimDue walks. */
  readonly partitions: number
  /** Which of these partitions claimDue would find something in. Much cheaper than asking each: nearly all have nothing. */
  findDue(partitions: readonly number[], options: { now: number; staleMs: number }): Promise<readonly number[]>
  claimDue(partition: number, options: ClaimOptions): Promise<Due>
}
