// A part of the port in store.ts, whose promises hold here too: what a user's account keeps about another user, in the slot of the
// one who is called: whether they know the caller, how long the caller has to wait, and whether the caller is blocked.

export interface Contact {
  readonly isBlocked: boolean
  readonly isKnown: boolean
  /** Attempts in a row that came to nothing, and when the next one may ring. */
  readonly backoff: Backoff | null
}

export interface Backoff {
  readonly failures: number
  readonly retryAt: number
}

/** A block that stopped nobody for this long goes by itself. */
export const BLOCK_UNUSED_MS = 365 * 24 * 3_600_000
/** How exactly the last use of a block is known: not every refused call has to write. */
export const BLOCK_USE_NOTED_MS = 24 * 3_600_000

/** What is said of a peer: the user has called them, has answered them, or did not answer them. */
export interface ContactUpdate {
  readonly peer: string
  /**
   * `called`: the user knows the peer. `answered`: so they do, and no attempt of the peer has to wait. `failed`: the peer's next attempt has
   * to wait, twice as long as after the failure before.
   */
  readonly outcome: 'called' | 'answered' | 'failed'
  /** How long a user is known, and how long a failure is remembered after its wait. */
  readonly keepMs: number
  /** The wait after the first failure; 0: nobody has to wait. */
  readonly backoffMs: number
}

export const BACKOFF_MAX_MS = 300_000

/** How long the peer has to wait after so many failures in a row; lua/contact.lua does the same. */
export const backoffAfter = (failures: number, backoffMs: number): number =>
  Math.min(BACKOFF_MAX_MS, backoffMs * 2 ** Math.min(failures - 1, 20))

export interface Callee extends Contact {
  /** A device of theirs is registered. */
  readonly isReachable: boolean
  /** The rooms their devices are in, as Memberships has them. */
  readonly roomIds: readonly string[]
}

export interface Contacts {
  /** All that a caller's attempt depends on. Notes the use of a block. */
  readCallee(user: string, peer: string, now: number): Promise<Callee>
  record(user: string, update: ContactUpdate, now: number): Promise<void>
  /** False, and nothing is written: the user blocks `max` others already. */
  block(user: string, peer: string, options: { now: number; max: number }): Promise<boolean>
  /** Idempotent. */
  unblock(user: string, peer: string): Promise<void>
  /** Whom the user blocks, in the order of their ids. */
  blocks(user: string, now: number): Promise<readonly string[]>
}
