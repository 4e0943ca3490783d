// Part of the port in store.ts: dead letters, kept for operators.
export interface DeadLetters {
  /** Keeps JSON text and at most `keep` letters, the newest. False, and nothing is written: a letter with this id was added before. */
  add(letter: { id: string; text: string; now: number }, keep: number): Promise<boolean>
  /** The newest `limit` letters, oldest first. */
  list(limit: number): Promise<readonly string[]>
}
