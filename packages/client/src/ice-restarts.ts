// ICE restarts of a connection that has failed.

/** How long each ICE restart of one failure may take. Together a little more than the 30 s that the server waits for a lost device. */
const RESTARTS_MS = [5000, 10_000, 20_000]

interface Restarts {
  /** New ICE credentials, candidates and paths. */
  restartIce(): void
  /** ICE restarts have not helped. Without it they go on, each for as long as the last one. */
  readonly onFailed: (() => void) | undefined
  readonly iceRestartsMs: readonly number[] | undefined
}

export class IceRestarts {
  readonly #options: Restarts
  #count = 0
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(options: Restarts) {
    this.#options = options
  }

  /** Once for each failure. */
  begin(): void {
    if (this.#count === 0) this.#restart()
  }

  #restart(): void {
    const { iceRestartsMs = RESTARTS_MS, onFailed } = this.#options
    const withinMs = iceRestartsMs[this.#count++]
    if (withinMs || !onFailed) {
      this.#options.restartIce()
      this.#timer = setTimeout(() => this.#restart(), withinMs ?? iceRestartsMs.at(-1))
    } else onFailed()
  }

  /** It is connected, or no longer needed. */
  clear(): void {
    this.#count = 0
    clearTimeout(this.#timer)
  }
}
