// A part of the port in store.ts: what is known when a server restarted or failed over and may lack writes that it had acknowledged.

/**
 * The type of an entry that no commit made: here acknowledged writes may have been forgotten, because the server that keeps the
 * mailbox restarted or failed over. Its envelope is empty.
 */
export const RESET = 'reset'

/**
 * Handed to `onLostWrites` listeners at most a second or two after the server answers again, by each process that is there. Whoever
 * subscribes to the wake-ups of a user who is kept there has been woken by a gap.
 */
export interface LostWrites {
  /** Names the server that keeps what belongs to this user, call or room, if it is one that may have forgotten writes. */
  serverOf(id: string): string | null
}
