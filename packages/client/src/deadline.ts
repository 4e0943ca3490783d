// Aborts a request that is late, or that is aborted from outside.

export class Deadline {
  /** Whether it was late. */
  isOver = false
  readonly #controller = new AbortController()
  readonly #outer: AbortSignal | undefined
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(outer?: AbortSignal) {
    this.#outer = outer
    outer?.addEventListener('abort', this.end)
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
    this.#outer?.removeEventListener('abort', this.end)
    this.#controller.abort()
  }
}
