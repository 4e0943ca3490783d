// Part of the port in store.ts: whether the store can be used, and its time.
import type { Clock } from '../clock.js'
import type { AppError } from '../errors.js'

export interface Availability {
  /**
   * Resolves when the configured number of replicas has all earlier writes.
   * @throws AppError store_unavailable
   */
  confirmWrites(): Promise<void>
  /** The same time on all nodes that use this store. */
  readonly clock: Clock
  /** The machine's clock minus `clock`, in milliseconds. */
  clockOffsetMs(): number
  /**
   * Since when the store has answered and accepted writes without interruption; null while it does not. Limits on a device's absence
   * start at this instant or later, because no keepalive could be written before.
   */
  availableSince(): number | null
  /** Why the store is not available: store_unavailable or store_full. Null while it is. */
  fault(): AppError | null
  /**
   * One round trip; resolves to its duration in milliseconds.
   * @throws AppError store_unavailable, store_full
   */
  ping(): Promise<number>
}
