// A part of the port in store.ts: whether the store is there, and what time it is.
import type { Clock } from '../clock.js'
import type { AppError } from '../errors.js'

export interface Availability {
  /** Resolves when what was written before is on as many replicas as the store was told to wait for. Throws store_unavailable. */
  confirmWrites(): Promise<void>
  /** The time that all nodes on this store agree on. */
  readonly clock: Clock
  /** The machine's clock minus `clock`, in milliseconds. */
  clockOffsetMs(): number
  /**
   * Since when the store has answered and taken writes without a break; null while it does not. Clocks of liveness start here: time
   * in which no keepalive could be written counts against nobody.
   */
  availableSince(): number | null
  /** Why there is no contact: store_unavailable or store_full. Null while there is. */
  fault(): AppError | null
  /** One round trip; its duration in milliseconds. Throws store_unavailable or store_full. */
  ping(): Promise<number>
}
