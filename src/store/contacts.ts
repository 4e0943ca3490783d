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

export interface Contacts {
  /** Notes the use of a block. */
  read(user: string, peer: string, now: number): Promise<Contact>
  /** The user knows the peer for another `ttlMs`. */
  know(user: string, peer: string, ttlMs: number): Promise<void>
  /** Null takes it away. */
  setBackoff(user: string, peer: string, backoff: (Backoff & { readonly ttlMs: number }) | null): Promise<void>
  /** False, and nothing is written: the user blocks `max` others already. */
  block(user: string, peer: string, options: { now: number; max: number }): Promise<boolean>
  /** Idempotent. */
  unblock(user: string, peer: string): Promise<void>
  /** Whom the user blocks, in the order of their ids. */
  blocks(user: string, now: number): Promise<readonly string[]>
}
