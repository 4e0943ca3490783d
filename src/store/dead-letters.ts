// Part of the port in store.ts: dead letters, kept for operators.
export interface DeadLetter {
  readonly id: string
  /** JSON. */
  readonly text: string
  /** When it was added, ms; different for each letter of a list. */
  readonly at: number
}

export interface DeadLetters {
  /** Keeps at most `keep` letters, the newest. False, and nothing is written: the list has a letter with this id. */
  add(letter: { id: string; text: string; now: number }, keep: number): Promise<boolean>
  /** The newest `limit` letters, or the newest of those that were added before `before`; oldest first. */
  list(options: { limit: number; before?: number }): Promise<readonly DeadLetter[]>
  get(id: string): Promise<DeadLetter | null>
  /** False: the list has no such letter. */
  remove(id: string): Promise<boolean>
}
