// What the loop of update-aggregate.ts is told of an aggregate, and what it answers.
import type { AggregateRef } from '../store/aggregate.js'
import type { ContactUpdate } from '../store/contacts.js'
import type { Lease, LeaseClaim } from '../store/leases.js'
import type { Cursor, Deliveries } from '../store/mail.js'
import type { Charge } from '../store/quotas.js'
import type { Cache } from './cache.js'
import type { Context } from './context.js'
import type { Events } from './mail.js'

export interface Decision<State> {
  /**
   * The very state that was given when nothing changes; its events, each for one device, then need no commit. With the version that
   * was given: nothing changes for anyone outside, only the deadline moves; then there are no events.
   */
  readonly state: State
  readonly events: Events
  /** Its events are held back: what the recipients must have before them is not published yet. */
  readonly held?: boolean
  /** It stands only if the users have these leases. They are parties of the state. */
  readonly claims?: readonly UserClaim[]
  /** And only if these quotas are not spent. */
  readonly charges?: readonly Charge[]
}

/** Also where there is nothing that could change. */
export const unchanged = <State>(state: State | null): Decision<State> => ({ state: state as State, events: [] })

export interface UserClaim extends LeaseClaim {
  readonly user: string
}

export interface UserNote {
  readonly user: string
  readonly contact: ContactUpdate
}

/** What the loop has to know of one kind of aggregate. */
export interface Kind<State extends { readonly version: number }> {
  readonly kind: AggregateRef['kind']
  /** Where this node keeps what it has read. Without it everything is decided on a fresh read. */
  cacheIn?(context: Context): Cache<State>
  /** When it must be looked at again; null when it is over. */
  deadlineOf(state: State): number | null
  isOver(state: State): boolean
  /** Its end was delivered and then forgotten: ends it again, for users who have not received it. */
  endAgain?(state: State, now: number): Decision<State>
  /** How long it is kept when it is over; the retention, unless it may begin again. */
  keepMs?(context: Context, state: State): number
  /** Whose mailboxes record every commit, so that a message decided on an older one is refused. Without it there are none. */
  partiesOf?(state: State): readonly string[]
  /** The holder whose leases on them are released when it is over; null, and without it: there are none. */
  holderOf?(state: State): string | null
  /** What a commit says of a contact of one of the parties. */
  noteOf?(context: Context, before: State | null, after: State): UserNote | null
  /** Told of each commit. */
  record?(context: Context, before: State | null, after: State): void
  /** Starts the fan-out to those who watch. Without it each recipient is named. */
  publish?(context: Context, id: string): void
  /** Whether mail that is held back may be delivered. Without it none is held back. */
  isReleased?(context: Context, state: State): Promise<boolean>
}

/** Whose request is decided on: a commit that follows is the device's sign of life as well. */
export interface Acting {
  readonly user: string
  readonly device: string
  /** Of the token; null: never. */
  readonly expiresAt: number | null
  /** Without it a device that is not registered gives no sign of life. With it it is registered, and the decision made again. */
  register?(): Promise<unknown>
  /** The sign of life was written. */
  renewed(): void
}

export interface TransactOptions {
  /** Most likely there is none yet: a commit that finds one decides again. */
  readonly isNew?: true
  readonly acting?: Acting | undefined
}

export interface Outcome<State> {
  readonly before: State | null
  readonly state: State
  /** Where the events went, by user. */
  readonly deliveries: Deliveries
  /** Users whose presence may be watched, among those a commit concerned. */
  readonly watched: readonly string[]
  /** For each user with a claim in the commit, all leases they hold now. */
  readonly leases: ReadonlyMap<string, readonly Lease[]>
  /** The newest entry of the acting device's mailbox, if something was committed. */
  readonly head: Cursor | null
}

/** Nothing was committed, because a user may not have a lease that the decision claims. What it charges is charged. */
export interface Refused {
  readonly refused: { readonly user: string; readonly held: readonly Lease[] }
}

export type Decide<State> = (state: State | null, now: number) => Decision<State> | Promise<Decision<State>>

type Transact<State, Result> = (
  context: Context,
  id: string,
  decide: Decide<State>,
  options?: TransactOptions
) => Promise<Result>

export interface Loop<State> {
  /** As it stands now, everything it had to say delivered; null if there is none. */
  read(context: Context, id: string): Promise<State | null>
  /**
   * Decides and commits, as optimistic-commit.ts does.
   * @throws AppError whatever `decide` throws on a state that is certainly current; rate_limited, store_unavailable
   */
  readonly transact: Transact<State, Outcome<State>>
  /** The same for decisions that claim leases. On a Cluster one that is refused, or throws, may leave some of them taken. */
  readonly claim: Transact<State, Outcome<State> | Refused>
}
