// One connection of a device: what a stream and a poll have in common.
//
//   join the hub ──▶ claim the device and read ──▶ renew, any number of times ──▶ leave
//
// The newest connection of a device supersedes the one before. Wake-ups are hints and may be late; the device's record decides.
import type { StreamEndReason } from '../ends.js'
import { AppError } from '../errors.js'
import { connectionIdOf } from '../ids.js'
import type { Actor } from '../schemas/claims.js'
import type { MailboxPosition, ResumePosition } from '../store/cursor.js'
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
import type { DeliveryContext } from './context.js'
import type { Subscriber } from './hub.js'

export type EventWakeup = Extract<Wakeup, { kind: 'event' }>

/** The events after a cursor. After a reset the client continues `at` that cursor. */
export type SubscriptionPage =
  | { readonly status: 'ok'; readonly events: readonly StoredEvent[]; readonly head: Cursor }
  | { readonly status: 'reset'; readonly reason: ResetReason; readonly at: Cursor; readonly head: Cursor }

/** What a connection begins with (G3). */
export type ResumeResult = SubscriptionPage | { readonly status: 'hello'; readonly head: Cursor }

/** Why this connection is no longer the device's connection. */
export type ClaimLoss = 'superseded' | 'too_many_devices'

export abstract class Subscription implements Subscriber {
  readonly actor: Actor
  protected readonly context: DeliveryContext
  protected readonly connection: string
  protected endedBy: StreamEndReason | null = null
  /** The client has disconnected, or this node has ended the connection. */
  protected isClosed = false
  /** The mailbox may hold more than was read. */
  protected hasUnread = false
  /** A wake-up has reported that the device signed off. */
  protected hasSignedOff = false

  constructor(context: DeliveryContext, actor: Actor) {
    this.context = context
    this.actor = actor
    // Copied into a flat string: randomUUID() concatenates, and V8 keeps the pieces, half a KiB, as long as the text lives.
    this.connection = Buffer.from(connectionIdOf(context.nodeName, context.ids.unique()), 'latin1').toString('latin1')
  }

  wake(wakeup: Wakeup): void {
    switch (wakeup.kind) {
      case 'event':
        this.onEvent(wakeup)
        break
      case 'notice':
        this.onNotice(wakeup)
        break
      case 'auth':
        this.extendToken(wakeup.expiresAt)
        break
      case 'claimed':
        // May be late and name an older connection. If two racing connections both believed it, neither would remain: the renewal decides.
        if (wakeup.connection !== this.connection) this.scheduleRenewal()
        break
      case 'gone':
        this.hasSignedOff = true
        this.scheduleRead()
        break
      case 'gap':
        // The wake-ups that were lost may include 'claimed'.
        this.scheduleRenewal()
        this.scheduleRead()
        break
    }
  }

  /** Called for each revocation of the user's tokens, and when the connection has joined the hub: there is none in between. */
  endIfRevoked(): void {
    const revocation = this.context.store.revocations.revocationOf(this.actor)
    if (revocation !== null) this.end(revocation.kind === 'sign_out' ? 'signed_out' : 'auth_expired')
  }

  /** Ends the connection, and tells its client why. */
  abstract end(reason: StreamEndReason): void
  /** False: a poll. */
  protected abstract get isStream(): boolean
  /** Until when the device is online unless renewed. */
  protected abstract onlineUntil(): number
  /** The device stays online for AWAY_AFTER_MS after this connection, in which it can reconnect. */
  protected abstract expectsReconnect(): boolean
  protected abstract onEvent(wakeup: EventWakeup): void
  protected abstract onNotice(notice: Notice): void
  /** The device used another token. */
  protected abstract extendToken(expiresAt: number | null): void
  protected abstract scheduleRead(): void
  protected abstract scheduleRenewal(): void

  /**
   * Subscribes before it reads: an event appended in between arrives twice instead of never, and the second one is dropped.
   * Null: the connection was closed before it claimed the device.
   * @throws AppError too_many_devices, store_unavailable, store_full
   */
  protected claim(position: ResumePosition | null, bounds: ReadBounds): Promise<ResumeResult | null> {
    return this.context.openings.run(async () => {
      if (!this.isClosed) await this.context.hub.join(this)
      this.endIfRevoked()
      if (this.isClosed) return null
      const readFrom = position === 'unreadable' ? null : position
      const touched = await this.#touch({ claim: true, ...(readFrom && { readFrom, bounds }) })
      if (touched === null) throw new AppError('too_many_devices')
      this.#reportConnected(touched, position === null)
      return resumeResultOf(touched, position)
    })
  }

  /** Renews presence, unless another connection has claimed the device. @throws AppError store_unavailable */
  protected async renew(): Promise<Touched | ClaimLoss> {
    const touched = await this.#touch({})
    if (touched?.connection !== this.connection) {
      const loss = touched ? 'superseded' : 'too_many_devices'
      this.endedBy ??= loss
      return loss
    }
    if (touched.created) this.#reportConnected(touched, true)
    return touched
  }

  /** Null: the device is not registered. @throws AppError store_unavailable */
  protected async read(from: MailboxPosition, bounds: ReadBounds): Promise<SubscriptionPage | null> {
    const { store, clock } = this.context
    const { user, device } = this.actor
    const result = await store.mailboxes.read(user, device, { from, ...bounds, now: clock.now() })
    return result.status === 'none' ? null : pageOf(result)
  }

  /** The last step, also after a `claim` that failed. */
  protected async leave(): Promise<void> {
    const { hub, store, clock, config } = this.context
    const { user, device } = this.actor
    await hub.leave(this)
    if (this.endedBy === 'superseded') return
    try {
      if (this.expectsReconnect()) await this.#touch({ onlineUntil: clock.now() + config.awayAfterMs })
      else await store.mailboxes.closeConnection(user, device, { connection: this.connection, now: clock.now() })
    } finally {
      this.context.onDisconnected(this.actor)
    }
  }

  #reportConnected({ created, head, isInvolved }: Touched, isWithoutCursor: boolean): void {
    const since = created || isWithoutCursor ? head : null
    this.context.onConnected(this.actor, { since, isInvolved, isStream: this.isStream })
  }

  #touch(more: Partial<Touch>): Promise<Touched | null> {
    const { store, clock, ids } = this.context
    const { user, device, expiresAt } = this.actor
    return store.mailboxes.touch(user, device, {
      now: clock.now(),
      tag: ids.tag(),
      connection: this.connection,
      onlineUntil: this.onlineUntil(),
      // Read by a claim, and by a renewal that has to create a lost record again.
      authExpiresAt: expiresAt,
      ...more
    })
  }
}

function resumeResultOf({ created, head, page }: Touched, position: ResumePosition | null): ResumeResult {
  if (position === 'unreadable') return { status: 'reset', reason: 'unknown', at: head, head }
  if (position === null || page === null) return { status: 'hello', head }
  // A new mailbox knows nothing of the events before the client's cursor.
  if (created && position !== 'start') return { status: 'reset', reason: 'expired', at: head, head }
  return pageOf(page)
}

/** Events before a stored RESET may be incomplete, so the page begins with it. */
function pageOf(result: MailboxPage): SubscriptionPage {
  if (result.status === 'reset') return { ...result, at: result.head }
  const reset = result.events.findLast(({ type }) => type === RESET)
  return reset ? { status: 'reset', reason: 'unknown', at: reset, head: result.head } : result
}
