// What update-aggregate.ts has to know of one kind of aggregate, and the types of an update.
import type { AggregateRef } from '../store/aggregate.js'
import type { Charge } from '../store/budget-counters.js'
import type { ContactUpdate } from '../store/contacts.js'
import type { Lease, LeaseClaim } from '../store/leases.js'
import type { Cursor, Deliveries } from '../store/mail.js'
import type { NewWebhookEvent } from '../store/webhook-events.js'
import type { Cache } from './cache.js'
import type { Context } from './context.js'
import type { Events } from './mail.js'

export interface Decision<State> {
  /**
   * - The same object as before: nothing changes. The events, each for one device, are sent without a commit.
   * - A new object with the same version: only the deadline changes. There are no events.
   * - A new object with a greater version: a change.
   */
  readonly state: State
  readonly events: Events
  /** The mail is kept until the rules' `isReleased`: an earlier event has to reach the recipients first. */
  readonly isHeld?: boolean
  /** Leases on parties of the state; without all of them nothing is committed. */
  readonly claims?: readonly UserClaim[]
  /** Users whose leases the commit releases while the state lives: `holderOf` the state before. Its end releases those of all parties. */
  readonly releases?: readonly string[]
  /** BudgetCounters that the commit takes from; if one is spent, nothing is committed. */
  readonly charges?: readonly Charge[]
}

/** Changes nothing; `state` may be null. */
export const keepState = <State>(state: State | null): Decision<State> => ({ state: state as State, events: [] })

export interface UserClaim extends LeaseClaim {
  readonly user: string
}

export interface UserContactUpdate {
  readonly user: string
  readonly contact: ContactUpdate
}

export interface AggregateRules<State extends { readonly version: number }> {
  readonly kind: AggregateRef['kind']
  /** This node's cache. Without it each decision is made on a fresh state. */
  cacheIn?(context: Context): Cache<State>
  /** Null when the state is over. */
  deadlineOf(state: State): number | null
  isOver(state: State): boolean
  /** Ends a state whose end a mailbox has, but a failover has lost in the store. */
  endForgotten?(state: State, now: number): Decision<State>
  /** How long a state that is over is kept; without it RETENTION_MS. */
  keepMs?(context: Context, state: State): number
  /** The users whose mailboxes record the stamp of each commit, so that they refuse events decided on an older one. Without it none. */
  partiesOf?(state: State): readonly string[]
  /** The holder of the user's lease, which the end of the state releases. Null, and without it: none. */
  holderOf?(state: State, user: string): string | null
  /** What a commit records about contacts of its parties. */
  contactUpdatesOf?(context: Context, before: State | null, after: State): readonly UserContactUpdate[]
  /** What a commit queues for webhooks. */
  webhooksOf?(context: Context, change: DecidedChange<State>, now: number): readonly NewWebhookEvent[]
  /** Called after each commit. */
  onCommitted?(context: Context, change: Change<State>): void
  /** Starts the fan-out of events to watchers. */
  startFanout?(context: Context, id: string): void
  /** Whether mail that is held may be delivered. Without it no decision holds mail. */
  isReleased?(context: Context, state: State): Promise<boolean>
}

/** A change before its commit. */
export interface DecidedChange<State> extends Pick<Decision<State>, 'state' | 'events'> {
  readonly before: State | null
}

export interface Change<State> {
  readonly before: State | null
  readonly state: State
  /** Those users of the mail with a claimed or released lease whose presence may be watched. */
  readonly watched: readonly string[]
}

/** The device that makes the request: a commit is also its keepalive. */
export interface ActingDevice {
  readonly user: string
  readonly device: string
  /** When its token expires; null: never. */
  readonly expiresAt: number | null
  /** Registers the device if it is not registered yet, after which the decision is repeated. Without it the keepalive is left out. */
  register?(): Promise<unknown>
  /** Called when the keepalive was written. */
  renewed(): void
}

export interface UpdateTarget {
  readonly id: string
  /** There is probably no state yet, so the first decision is made on none, without reading. If there is one, the commit conflicts. */
  readonly isNew?: true
  readonly acting?: ActingDevice | undefined
}

export interface UpdateResult<State> extends Change<State> {
  /** How many devices of each user got events. */
  readonly deliveries: Deliveries
  /** For each user with a claim in the commit, all leases they hold now. */
  readonly leases: ReadonlyMap<string, readonly Lease[]>
  /** The newest event of the acting device's mailbox; null: nothing was committed. */
  readonly head: Cursor | null
}

/** Nothing was committed: `user` may not have a lease that the decision claims. `held`: all leases of the user. Charges were taken. */
export interface LeaseRefusal {
  readonly refused: { readonly user: string; readonly held: readonly Lease[] }
}

export type Decide<State> = (state: State | null, now: number) => Decision<State> | Promise<Decision<State>>

type Update<State, Result> = (context: Context, target: UpdateTarget, decide: Decide<State>) => Promise<Result>

export interface Updater<State> {
  /** The state in the store, after its mail was delivered unless it is held; null: there is none. */
  read(context: Context, id: string): Promise<State | null>
  /**
   * Decides and commits, see optimistic-commit.ts.
   * @throws AppError whatever `decide` throws on a fresh state; rate_limited, store_unavailable
   */
  readonly update: Update<State, UpdateResult<State>>
  /** The same for decisions that claim leases. On a Cluster one that is refused, or throws, may have taken some of them. */
  readonly updateWithLeases: Update<State, UpdateResult<State> | LeaseRefusal>
}
