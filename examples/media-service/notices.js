// Notices of the moment: the latest for each subject, at most one a second.

const INTERVAL_MS = 1000
/** As many as the contract allows in a request. */
const TAKEN_MAX = 1000

export class Notices {
  /** @type {Map<string, object>} by subject */
  #waiting = new Map()
  #takenAt = Number.NEGATIVE_INFINITY
  /** The second since the last ones has passed. */
  #isDue = false
  #timer = null
  #wake

  /** @param {() => void} wake called when notices may be taken */
  constructor(wake) {
    this.#wake = wake
  }

  set(subject, notice) {
    this.#waiting.set(subject, notice)
    if (this.#timer || this.#isDue) return
    const inMs = Math.max(0, this.#takenAt + INTERVAL_MS - performance.now())
    this.#timer = setTimeout(() => {
      this.#timer = null
      this.#isDue = true
      this.#wake()
    }, inMs).unref()
  }

  /** Those that are due. */
  take() {
    if (!this.#isDue) return []
    this.#isDue = false
    this.#takenAt = performance.now()
    const taken = [...this.#waiting.values()].slice(0, TAKEN_MAX)
    this.#waiting.clear()
    return taken
  }

  clear() {
    clearTimeout(this.#timer)
    this.#waiting.clear()
    this.#isDue = false
  }
}
