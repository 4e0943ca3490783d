// A part of the port in store.ts: what could not be delivered, for people to read.
export interface DeadLetters {
  /** JSON text; so many are kept, and the oldest go. */
  add(letter: string, keep: number): Promise<void>
  /** The newest ones, at most so many, oldest first. */
  list(limit: number): Promise<readonly string[]>
}
