// `maxBytes` of a stream: what still fits into its body. The stream ends when it is full, and the client resumes with a new body. Events are
// never split: the first event of a body is written whatever its size.

import type { StoredEvent } from '../store/store.js'
import { eventFrame } from './frames.js'

/** Kept free for the `end` frame, which has about 170 bytes, and for `retry:` in the first frame. */
const END_BYTES = 256

export class BodyLimit {
  readonly #onFull: () => void
  #left: number
  #hasEvent = false
  #isFull = false

  /** `onFull` ends the stream. */
  constructor(maxBytes: number, onFull: () => void) {
    this.#left = maxBytes - END_BYTES
    this.#onFull = onFull
  }

  /** A frame that is no event of the mailbox, such as `heartbeat`. False: it does not fit, and the stream has ended. */
  admits(frame: string): boolean {
    const isAdmitted = this.#take(Buffer.byteLength(frame))
    this.endIfFull()
    return isAdmitted
  }

  /** Those of the events, from the first, that fit. Call `endIfFull` when they are written. */
  admitted(events: readonly StoredEvent[]): readonly StoredEvent[] {
    for (const [i, event] of events.entries()) {
      const bytes = Buffer.byteLength(eventFrame(event))
      if (this.#hasEvent && !this.#take(bytes)) return events.slice(0, i)
      if (!this.#hasEvent) this.#left -= bytes
      this.#hasEvent = true
    }
    this.#isFull = this.#left <= 0
    return events
  }

  endIfFull(): void {
    if (this.#isFull) this.#onFull()
  }

  #take(bytes: number): boolean {
    this.#isFull = bytes > this.#left
    if (!this.#isFull) this.#left -= bytes
    return !this.#isFull
  }
}
