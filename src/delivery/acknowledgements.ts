// Whether the client of a stream that promised acknowledgements still gives them (DESIGN 5b). A connection says little: a stopped
// program's kernel takes bytes for a long time, and a proxy may hold a connection whose client has gone.
import type { Actor } from '../schemas/claims.js'
import type { Delivery } from './context.js'

/** A heartbeat that asks has to be answered before as many more have passed. */
const HEARTBEATS = 2

export class Acknowledgements {
  readonly #delivery: Delivery
  readonly #actor: Actor
  /** As of the last refresh: only a device in a call or room is asked, because only there is somebody who waits for it. */
  #isEngaged = false
  /** The first heartbeat that asked and was not answered. */
  #askedAt: number | null = null

  constructor(delivery: Delivery, actor: Actor) {
    this.#delivery = delivery
    this.#actor = actor
  }

  /** Whether the heartbeat that is sent now asks for one. */
  ask(now: number): boolean {
    if (this.#isEngaged) this.#askedAt ??= now
    return this.#isEngaged
  }

  isOverdue(now: number): boolean {
    return this.#askedAt !== null && now - this.#askedAt >= HEARTBEATS * this.#delivery.config.heartbeatMs
  }

  /**
   * Takes the device's last request, on whatever node it was, for an acknowledgement of what was asked before. True when one is overdue
   * all the same. Throws store_unavailable.
   */
  async areMissed(requestedAt: number): Promise<boolean> {
    const { lifecycle, clock } = this.#delivery
    this.#isEngaged = await lifecycle.isEngaged(this.#actor)
    if (!this.#isEngaged || requestedAt >= (this.#askedAt ?? 0)) this.#askedAt = null
    return this.isOverdue(clock.now())
  }

  /** The store was away, and with it what requests leave behind: this counts against nobody. */
  startOver(): void {
    this.#askedAt = null
  }
}
