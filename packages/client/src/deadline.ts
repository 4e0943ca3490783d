// Aborts a request that is late, or that is aborted from outside.

export class Deadline extends AbortController {
  /** Whether it was late. */
  isOver = false
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(outer?: AbortSignal) {
    super()
    outer?.addEventListener('abort', () => this.end(), this)
    if (outer?.aborted) this.end()
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
  end(): void {
    this.clear()
    this.abort()
  }
}
