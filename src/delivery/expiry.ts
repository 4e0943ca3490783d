// When a stream has to end because its token does, and whether its client was warned.

const NOTICE_MS = 30_000

export class Expiry {
  /** Null: never. */
  #at: number | null
  #warned = false

  constructor(at: number | null) {
    this.#at = at
  }

  /** A fresher token was shown; one that ends sooner changes nothing. */
  extend(at: number | null): void {
    if (this.#at === null || (at !== null && at <= this.#at)) return
    this.#at = at
    this.#warned = false
  }

  hasCome(now: number): boolean {
    return this.#at !== null && now >= this.#at
  }

  /** The time that is left, once when it gets short; else null. */
  takeNotice(now: number): number | null {
    if (this.#at === null || this.#warned || this.#at - now > NOTICE_MS) return null
    this.#warned = true
    return this.#at - now
  }
}
