// Part of the port in store.ts: what is kept about a callee and one caller: whether the callee knows the caller, how long the caller must
// wait (back-off), and whether the callee blocks them. It lies in the partition of the callee. The general promises of store.ts hold.

export interface Contact {
  readonly isBlocked: boolean
  readonly isKnown: boolean
  /** Null: the last ring attempt did not fail. */
  readonly backoff: Backoff | null
}

export interface Backoff {
  /** Failed ring attempts in a row. */
  readonly failures: number
  /** When the next ring attempt is allowed. */
  readonly retryAt: number
}

/** A block expires when it has not refused a call for this long. */
export const BLOCK_UNUSED_MS = 365 * 24 * 3_600_000
/** The use of a block is recorded at most once in this time, so that not every refused call writes. */
export const BLOCK_USE_RECORDED_MS = 24 * 3_600_000

export interface ContactUpdate {
  readonly peer: string
  /**
   * `called`: the user called the peer and knows them now. `answered`: the user answered the peer, knows them, and their back-off ends.
   * `failed`: the peer's ring attempt failed, and their back-off starts or doubles.
   */
  readonly outcome: 'called' | 'answered' | 'failed'
  /** How long a peer stays known, and how long a failure counts after its back-off has ended. */
  readonly keepMs: number
  /** Back-off after the first failure; 0: none. */
  readonly backoffMs: number
}

export const BACKOFF_MAX_MS = 300_000

/** Milliseconds to wait after this many failures in a row. lua/contact.lua computes the same. */
export const backoffAfter = (failures: number, backoffMs: number): number =>
  Math.min(BACKOFF_MAX_MS, backoffMs * 2 ** Math.min(failures - 1, 20))

export interface CalleeRecord extends Contact {
  /** At least one device is registered. */
  readonly isReachable: boolean
  /** At least one device is online. */
  readonly isOnline: boolean
  /** The devices with a push subscription that are not online. */
  readonly asleep: readonly string[]
  /** The rooms that the callee's memberships name. */
  readonly roomIds: readonly string[]
}

export interface Contacts {
  /** All that a ring attempt of `peer` at `user` depends on. Records the use of a block. */
  readCallee(user: string, peer: string, now: number): Promise<CalleeRecord>
  record(user: string, update: ContactUpdate, now: number): Promise<void>
  /** False, and nothing is written: the user already blocks `max` others. */
  block(user: string, peer: string, options: { now: number; max: number }): Promise<boolean>
  /** Idempotent. */
  unblock(user: string, peer: string): Promise<void>
  /** The users that `user` blocks, sorted by id. */
  blocks(user: string, now: number): Promise<readonly string[]>
}
