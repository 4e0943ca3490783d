// Part of the port in store.ts: what nodes learn when a server restarted or failed over and may lack writes that it acknowledged.

/**
 * The type of a mailbox entry that no commit made. It marks the place where acknowledged events may be missing, because the mailbox's server
 * restarted or failed over. Its envelope is '{}'.
 */
export const RESET = 'reset'

/**
 * Passed to the `onLostWrites` listeners of every process within two seconds after the server answers again. Subscribers to wake-ups of
 * users on that server have received a 'gap' before.
 */
export interface LostWrites {
  /** Names the server that keeps this user, call or room, if it may have lost writes; else null. */
  serverOf(id: string): string | null
}
