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
  /**
   * Give back the lease that this aggregate holds on the user. The user's mailboxes learn of this version, also where no event
   * goes to them: a message decided on an older one is then refused.
   */
  | { readonly do: 'release'; readonly user: string }
  /** To whoever watches the user this aggregate is about, when it is told: see Watches.tell. */
  | { readonly do: 'tell'; readonly event: OutgoingEvent }

/** What one commit left in the outbox; its position is the version that commit made. */
export interface OutboxEntry {
  readonly version: number
  /** The commit's tag: with the version it names the commit, also when a failover has made the version twice. */
  readonly tag: string
  readonly items: readonly OutboxItem[]
}

export interface Snapshot {
  readonly version: number
  /** JSON; the store never looks inside. */
  readonly state: string
  /** Committed and perhaps not yet dispatched, oldest first. */
  readonly pending: readonly OutboxEntry[]
}

export interface Commit {
  /** The version the decision was made on; 0 when the aggregate did not exist. */
  readonly expected: number
  /** A few random characters, see OutboxEntry. */
  readonly tag: string
  readonly state: string
  readonly items: readonly OutboxItem[]
  /** When the aggregate wants to be looked at again; null takes its timer away. */
  readonly deadlineAt: number | null
  /** Time to live from now for an aggregate that is over; null keeps it. */
  readonly expireInMs: number | null
  readonly now: number
}

export type CommitResult =
  /** Version `expected + 1` exists now; `pending` is everything undispatched, this commit's own entry last (if it had items). */
  | { readonly ok: true; readonly version: number; readonly pending: readonly OutboxEntry[] }
  /** Somebody else was faster: nothing was written; `current` is what stands (null: it does not exist). */
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
  /** Everything up to and including `version` has been dispatched. Idempotent. */
  settle(ref: AggregateRef, version: number): Promise<void>
  /** Brings an existing deadline forward to `at`; never back, and never creates one. */
  hasten(ref: AggregateRef, at: number): Promise<void>
  /** How many partitions claimDue walks. */
  readonly partitions: number
  /** Which of these partitions claimDue would find something in. Much cheaper than asking each: nearly all have nothing. */
  findDue(partitions: readonly number[], options: { now: number; staleMs: number }): Promise<readonly number[]>
  claimDue(partition: number, options: ClaimOptions): Promise<Due>
}
