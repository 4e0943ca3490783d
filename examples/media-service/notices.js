// Notices of the moment: the latest for each subject, at most one a second.

const INTERVAL_MS = 1000

export class Notices {
  /** @type {Map<string, object>} by subject */
  #waiting = new Map()
  #takenAt = Number.NEGATIVE_INFINITY
  #wake
  #timer = null

  /** @param {() => void} wake called when notices may be taken */
  constructor(wake) {
    this.#wake = wake
  }

  set(subject, notice) {
    this.#waiting.set(subject, notice)
    if (this.#timer) return
    const inMs = Math.max(0, this.#takenAt + INTERVAL_MS - performance.now())
    this.#timer = setTimeout(() => {
      this.#timer = null
      this.#wake()
    }, inMs).unref()
  }

  /** Those that wait, unless some were taken less than a second ago. */
  take(max) {
    if (this.#waiting.size === 0 || performance.now() < this.#takenAt + INTERVAL_MS) return []
    this.#takenAt = performance.now()
    const taken = [...this.#waiting.values()].slice(0, max)
    this.#waiting.clear()
    return taken
  }

  clear() {
    clearTimeout(this.#timer)
    this.#waiting.clear()
  }
}
