// Aborts a request that is late, or that is aborted from outside.

export class Deadline {
  /** Whether it was late. */
  isOver = false
  readonly #controller = new AbortController()
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(outer?: AbortSignal) {
    outer?.addEventListener('abort', this.end, this.#controller)
    if (outer?.aborted) this.end()
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Replaces the one before. */
  set(ms: number): void {
    this.clear()
    this.#timer = setTimeout(() => {
      this.isOver = true
      this.end()
    }, ms)
  }

  clear(): void {
    clearTimeout(this.#timer)
  }

  /** Aborts what has not ended. */
  readonly end = (): void => {
    this.clear()
    this.#controller.abort()
  }
}
