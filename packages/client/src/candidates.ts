// Collects the ICE candidates of one connection and sends them in batches.
import type { Problem } from './problem.js'

export interface CandidateQueueOptions {
  /** Resolves when candidates may be sent. */
  whenReady(): Promise<unknown>
  post(body: { candidates: RTCIceCandidate[]; end: boolean }): Promise<unknown>
  onError(error: unknown): void
}

/** The most candidates that the server accepts in one request. */
const BATCH = 64
const WINDOW_MS = 20

export class CandidateQueue {
  readonly #options: CandidateQueueOptions
  /** Candidates that are not sent yet; null: there are no more. */
  #unsent: (RTCIceCandidate | null)[] = []
  #isSending = false
  #isHeld = false
  #releaseTimer: ReturnType<typeof setTimeout> | undefined

  constructor(options: CandidateQueueOptions) {
    this.#options = options
  }

  clear(): void {
    this.#unsent = []
    this.release()
  }

  /** Candidates wait for `release`. */
  hold(): void {
    clearTimeout(this.#releaseTimer)
    this.#isHeld = true
  }

  release(afterMs = 0): void {
    clearTimeout(this.#releaseTimer)
    this.#releaseTimer = setTimeout(() => {
      this.#isHeld = false
      if (this.#unsent.length > 0) void this.#send()
    }, afterMs)
  }

  add(candidate: RTCIceCandidate | null): Promise<void> {
    this.#unsent.push(candidate)
    return this.#send()
  }

  /** One request at a time; candidates that are gathered meanwhile go with the next one. */
  async #send(): Promise<void> {
    if (this.#isSending || this.#isHeld) return
    this.#isSending = true
    await new Promise(resolve => setTimeout(resolve, WINDOW_MS))
    for (;;) {
      await this.#options.whenReady()
      if (this.#isHeld || this.#unsent.length === 0) break
      const batch = this.#takeBatch()
      try {
        await this.#options.post({ candidates: batch.filter(each => each !== null), end: batch.includes(null) })
      } catch (error) {
        // After an ICE restart, candidates of before are not needed.
        if ((error as Problem).code !== 'stale_candidate') this.#options.onError(error)
      }
    }
    this.#isSending = false
  }

  /** Candidates of one generation, because `end` names none: it would end the newest. */
  #takeBatch(): (RTCIceCandidate | null)[] {
    const ufrag = this.#unsent[0]?.usernameFragment
    const other = this.#unsent.findIndex(each => each && each.usernameFragment !== ufrag)
    const sizes = [other, this.#unsent.indexOf(null) + 1, BATCH].filter(size => size > 0)
    return this.#unsent.splice(0, Math.min(...sizes))
  }
}
