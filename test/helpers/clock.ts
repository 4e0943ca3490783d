// A clock that only the test moves.
import type { Clock } from '../../src/clock.js'

interface Timer {
  at: number
  readonly everyMs: number | null
  readonly run: () => void
}

const [MINUTE_MS, HOUR_MS] = [60_000, 3_600_000]

/** Where the windows of budgets begin, and ten minutes or more ahead: tokens that a test issues by the machine's clock are not from the future. */
const aFullHour = () => Math.ceil((Date.now() + 10 * MINUTE_MS) / HOUR_MS) * HOUR_MS

export class ManualClock implements Clock {
  #now: number
  readonly #timers = new Set<Timer>()

  constructor(now = aFullHour()) {
    this.#now = now
  }

  /** The number of timers that wait: zero at the end of a test. */
  get waiting(): number {
    return this.#timers.size
  }

  now(): number {
    return this.#now
  }

  after(ms: number, run: () => void): () => void {
    return this.#add({ at: this.#now + ms, everyMs: null, run })
  }

  every(ms: number, run: () => void): () => void {
    return this.#add({ at: this.#now + ms, everyMs: ms, run })
  }

  /** Moves the time forward and runs the timers that become due, in order, each at its own instant. */
  advance(ms: number): void {
    const end = this.#now + ms
    for (let timer = this.#next(end); timer; timer = this.#next(end)) {
      this.#now = Math.max(this.#now, timer.at)
      if (timer.everyMs === null) this.#timers.delete(timer)
      else timer.at += timer.everyMs
      timer.run()
    }
    this.#now = end
  }

  /** Moves the time and all timers forward without running them: for a year, in which they would run a million times. */
  skip(ms: number): void {
    this.#now += ms
    for (const timer of this.#timers) timer.at += ms
  }

  #add(timer: Timer): () => void {
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  #next(end: number): Timer | undefined {
    let next: Timer | undefined
    for (const timer of this.#timers) if (timer.at <= end && timer.at < (next?.at ?? Infinity)) next = timer
    return next
  }
}
