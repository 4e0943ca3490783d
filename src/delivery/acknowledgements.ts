// Tracks whether the client of a stream opened with `ack=true` still acknowledges heartbeats. An open connection does not prove that the
// client reads: the kernel of a stopped program accepts bytes for a long time, and a proxy may keep a connection without a client.
import type { Actor } from '../schemas/claims.js'
import type { DeliveryContext } from './context.js'

/** An acknowledgement is due within this many heartbeats. */
const DUE_HEARTBEATS = 2

export class Acknowledgements {
  readonly #context: DeliveryContext
  readonly #actor: Actor
  /** In a call or room as of the last check. Other devices are not asked, because no one waits for them. */
  #isEngaged = false
  /** When the first unacknowledged heartbeat with `ack: true` was sent. */
  #askedAt: number | null = null

  constructor(context: DeliveryContext, actor: Actor) {
    this.#context = context
    this.#actor = actor
  }

  /** Whether the heartbeat sent now has `ack: true`. */
  ask(now: number): boolean {
    if (this.#isEngaged) this.#askedAt ??= now
    return this.#isEngaged
  }

  isOverdue(now: number): boolean {
    return this.#askedAt !== null && now - this.#askedAt >= DUE_HEARTBEATS * this.#context.config.heartbeatMs
  }

  /**
   * The device's last request, on any node, acknowledges all heartbeats before it. Resolves to whether one is still overdue.
   * @throws AppError store_unavailable
   */
  async check(requestedAt: number): Promise<{ readonly isOverdue: boolean }> {
    this.#isEngaged = await this.#context.isEngaged(this.#actor)
    if (!this.#isEngaged || requestedAt >= (this.#askedAt ?? 0)) this.#askedAt = null
    return { isOverdue: this.isOverdue(this.#context.clock.now()) }
  }

  /** The store was unavailable, and with it the record of requests: the client gets the full time again. */
  reset(): void {
    this.#askedAt = null
  }
}
