// One connection's claim on a device: newest wins, and whoever still holds the device keeps it online.
import type { EndReason } from '../ends.js'
import { AppError } from '../errors.js'
import type { Actor } from '../schemas/claims.js'
import type { Touched } from '../store/store.js'
import type { Delivery } from './delivery.js'

/** What a stream ends with that could not claim its device. */
export function endOf(error: unknown): EndReason {
  if (!(error instanceof AppError)) return 'store_unavailable'
  return error.code === 'too_many_devices' || error.code === 'store_full' ? error.code : 'store_unavailable'
}

export class Claim {
  readonly connection: string
  readonly #delivery: Delivery
  readonly #actor: Actor

  constructor(delivery: Delivery, actor: Actor) {
    this.#delivery = delivery
    this.#actor = actor
    // Flat: randomUUID() glues its text from pieces, which V8 keeps as a tree of half a KiB for as long as the text lives.
    this.connection = Buffer.from(delivery.ids.unique(), 'latin1').toString('latin1')
  }

  /** Registers the device and becomes its one connection. Throws too_many_devices. */
  async take(onlineUntil: number): Promise<Touched> {
    const touched = await this.#touch({ onlineUntil, claim: true })
    if (touched === null) throw new AppError('too_many_devices')
    return touched
  }

  /**
   * Renews this connection; changes nothing of another one that took over, which the reply names. Null: the device had
   * expired, and the user has no room for it any more.
   */
  renew(onlineUntil: number): Promise<Touched | null> {
    return this.#touch({ onlineUntil })
  }

  release(): Promise<void> {
    const { store, clock } = this.#delivery
    return store.mailboxes.release(this.#actor.user, this.#actor.device, this.connection, clock.now())
  }

  #touch(more: { onlineUntil: number; claim?: boolean }): Promise<Touched | null> {
    const { store, clock, ids } = this.#delivery
    const { user, device, expiresAt } = this.#actor
    return store.mailboxes.touch(user, device, {
      now: clock.now(),
      tag: ids.tag(),
      connection: this.connection,
      // With a renewal only for a record that was lost, where it stands for the claim.
      authExpiresAt: expiresAt,
      ...more
    })
  }
}
