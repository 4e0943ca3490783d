// What a stream and a poll have in common: one connection of a device, from joining the hub to leaving it.
//
//   join ──▶ claim: the device is registered and this is its one connection ──▶ renew, any number of times ──▶ leave
//
// The newest connection of a device supersedes the one before. Wake-ups are hints and may be late; the device's record decides.
import type { EndReason } from '../ends.js'
import { AppError } from '../errors.js'
import type { Actor } from '../schemas/claims.js'
import { RESET } from '../store/lost-writes.js'
import type {
  Cursor,
  MailboxPage,
  Notice,
  ReadBounds,
  ResetReason,
  StoredEvent,
  Touch,
  Touched,
  Wakeup
} from '../store/store.js'
import type { Delivery } from './context.js'
import type { Position } from './cursor.js'
import type { Consumer } from './hub.js'

export type EventWakeup = Extract<Wakeup, { kind: 'event' }>

/** What follows a cursor. After a reset a reader goes on `at` that place. */
export type Page =
  | { readonly status: 'ok'; readonly events: readonly StoredEvent[]; readonly head: Cursor }
  | { readonly status: 'reset'; readonly reason: ResetReason; readonly at: Cursor; readonly head: Cursor }

/** What a connection begins with (G3). */
export type Opening = Page | { readonly status: 'hello'; readonly head: Cursor }

/** Why this connection is not the device's connection any more. */
export type Lost = 'superseded' | 'too_many_devices'

export abstract class Subscription implements Consumer {
  readonly actor: Actor
  protected readonly delivery: Delivery
  protected readonly connection: string
  protected endedBy: EndReason | null = null
  /** Its client has gone, or was sent away. */
  protected isClosed = false
  /** The mailbox may hold more than was read. */
  protected isDirty = false
  /** A wake-up says that the device signed off. */
  protected hasSignedOff = false

  constructor(delivery: Delivery, actor: Actor) {
    this.delivery = delivery
    this.actor = actor
    // Flat: randomUUID() glues its text from pieces, which V8 keeps as a tree of half a KiB for as long as the text lives.
    this.connection = Buffer.from(delivery.ids.unique(), 'latin1').toString('latin1')
  }

  wake(wakeup: Wakeup): void {
    if (wakeup.kind === 'event') this.takeEvent(wakeup)
    else if (wakeup.kind === 'notice') this.takeNotice(wakeup)
    else if (wakeup.kind === 'auth') this.extendToken(wakeup.expiresAt)
    // Perhaps late, and about an older connection than this one. If two that race believed it, neither would be left.
    else if (wakeup.kind === 'claimed') {
      if (wakeup.connection !== this.connection) this.auditSoon()
    } else {
      if (wakeup.kind === 'gone') this.hasSignedOff = true
      else this.auditSoon() // Not only events may be among what a gap lost.
      this.readSoon()
    }
  }

  /** Presence lasts until then unless it is renewed. */
  protected abstract onlineUntil(): number
  /** The device does not leave with this connection: it is missed if it does not come back in time. */
  protected abstract isComingBack(): boolean
  protected abstract takeEvent(wakeup: EventWakeup): void
  protected abstract takeNotice(notice: Notice): void
  /** A fresher token was shown for the device. */
  protected abstract extendToken(expiresAt: number | null): void
  protected abstract readSoon(): void
  /** `renew` soon, to learn whether the device is still this connection's. */
  protected abstract auditSoon(): void

  /**
   * Subscribes first, then claims the device and reads: what is appended in between comes twice rather than never, and is taken once.
   * Null: it was closed meanwhile, and has claimed nothing. Throws too_many_devices and store_unavailable.
   */
  protected enter(position: Position | null, bounds: ReadBounds): Promise<Opening | null> {
    return this.delivery.openings.run(async () => {
      if (!this.isClosed) await this.delivery.hub.join(this)
      if (this.isClosed) return null
      const touched = await this.#touch({ claim: true, ...(position && { readFrom: position, bounds }) })
      if (touched === null) throw new AppError('too_many_devices')
      this.#arrive(touched, position === null)
      return openingOf(touched, position)
    })
  }

  /** Renews presence; changes nothing of another connection that took over. Throws store_unavailable. */
  protected async renew(): Promise<Touched | Lost> {
    const touched = await this.#touch({})
    if (touched?.connection !== this.connection) {
      const lost = touched ? 'superseded' : 'too_many_devices'
      this.endedBy ??= lost
      return lost
    }
    if (touched.created) this.#arrive(touched, true)
    return touched
  }

  /** Null: the device is not registered. Throws store_unavailable. */
  protected async read(from: Position, bounds: ReadBounds): Promise<Page | null> {
    const { store, clock } = this.delivery
    const { user, device } = this.actor
    const result = await store.mailboxes.read(user, device, { from, ...bounds, now: clock.now() })
    return result.status === 'none' ? null : pageOf(result)
  }

  /** The last step, also after an `enter` that failed. */
  protected async leave(): Promise<void> {
    const { hub, store, clock, lifecycle, config } = this.delivery
    const { user, device } = this.actor
    await hub.leave(this)
    if (this.endedBy === 'superseded') return
    try {
      if (this.isComingBack()) await this.#touch({ onlineUntil: clock.now() + config.awayAfterMs })
      else await store.mailboxes.closeConnection(user, device, { connection: this.connection, now: clock.now() })
    } finally {
      lifecycle.left(this.actor)
    }
  }

  #arrive({ created, head, isInvolved }: Touched, isFresh: boolean): void {
    this.delivery.lifecycle.arrived(this.actor, { since: created || isFresh ? head : null, isInvolved })
  }

  #touch(more: Partial<Touch>): Promise<Touched | null> {
    const { store, clock, ids } = this.delivery
    const { user, device, expiresAt } = this.actor
    return store.mailboxes.touch(user, device, {
      now: clock.now(),
      tag: ids.tag(),
      connection: this.connection,
      onlineUntil: this.onlineUntil(),
      // With a renewal only for a record that was lost, where it stands for the claim.
      authExpiresAt: expiresAt,
      ...more
    })
  }
}

function openingOf({ created, head, page }: Touched, position: Position | null): Opening {
  if (position === null || page === null) return { status: 'hello', head }
  // A mailbox that was born just now cannot know what the client has seen, whatever it would make of the cursor.
  if (created && position !== 'start') return { status: 'reset', reason: 'expired', at: head, head }
  return pageOf(page)
}

/** What stands before a RESET may lack something: a reader begins there, and reads the snapshot. */
function pageOf(result: MailboxPage): Page {
  if (result.status === 'reset') return { ...result, at: result.head }
  const reset = result.events.findLast(({ type }) => type === RESET)
  return reset ? { status: 'reset', reason: 'unknown', at: reset, head: result.head } : result
}
