// When a stream ends because its token expires, and whether its client was warned.

const WARN_BEFORE_MS = 30_000

export class TokenExpiry {
  /** Null: never. */
  #expiresAt: number | null
  #isWarned = false

  constructor(expiresAt: number | null) {
    this.#expiresAt = expiresAt
  }

  /** The device used another token. One that expires sooner changes nothing. */
  extend(expiresAt: number | null): void {
    if (this.#expiresAt === null || (expiresAt !== null && expiresAt <= this.#expiresAt)) return
    this.#expiresAt = expiresAt
    this.#isWarned = false
  }

  isExpired(now: number): boolean {
    return this.#expiresAt !== null && now >= this.#expiresAt
  }

  /** The remaining milliseconds, once per token and only when less than 30 s are left; else null. */
  takeWarning(now: number): number | null {
    if (this.#expiresAt === null || this.#isWarned || this.#expiresAt - now > WARN_BEFORE_MS) return null
    this.#isWarned = true
    return this.#expiresAt - now
  }
}
