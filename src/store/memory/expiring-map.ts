// A map whose entries expire. An expired entry is not returned, and is deleted by the next sweep.
import type { Clock } from '../../clock.js'

export class ExpiringMap<Value> {
  readonly #clock: Pick<Clock, 'now'>
  readonly #entries = new Map<string, { readonly value: Value; readonly until: number }>()

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock
  }

  get(key: string): Value | undefined {
    const entry = this.#entries.get(key)
    return entry && entry.until > this.#clock.now() ? entry.value : undefined
  }

  /** Replaces value and expiry. */
  set(key: string, value: Value, until: number): void {
    this.#entries.set(key, { value, until })
  }

  delete(key: string): void {
    this.#entries.delete(key)
  }

  /** Counts entries that have expired since the last sweep. */
  get size(): number {
    return this.#entries.size
  }

  sweep(now: number): void {
    for (const [key, { until }] of this.#entries) if (until <= now) this.#entries.delete(key)
  }
}
