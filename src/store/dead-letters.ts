// A part of the port in store.ts: what could not be delivered, for people to read.
export interface DeadLetters {
  /** JSON text; so many are kept, and the oldest go. False, and nothing is written: one of this id came a while ago. */
  add(letter: { id: string; text: string; now: number }, keep: number): Promise<boolean>
  /** The newest ones, at most so many, oldest first. */
  list(limit: number): Promise<readonly string[]>
}
