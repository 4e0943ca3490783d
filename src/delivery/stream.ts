// The event stream of one device.
//
//   opening ──▶ replay, reset or hello ──▶ live ──▶ closed          (exactly one of the three, G3; closed from any state)
//
// A wake-up's events are written at once only if they directly follow the last event written, by number and by tag. Otherwise the mailbox
// is read from the stream's cursor, by one reader at a time.
import type { Socket } from 'node:net'
import type { StreamEndReason } from '../ends.js'
import { AppError } from '../errors.js'
import type { ResumePosition } from '../store/cursor.js'
import type { Notice, ResetReason, StoredEvent, Wakeup } from '../store/store.js'
import { TICKET_IDLE_MS } from '../store/tickets.js'
import { Acknowledgements } from './acknowledgements.js'
import { BodyLimit } from './body-limit.js'
import { type DeliveryContext, refreshMs, type StreamOptions } from './context.js'
import { BACKLOG_LIMIT } from './sse.js'
import { StreamWriter } from './stream-writer.js'
import { type EventWakeup, type ResumeResult, Subscription, type SubscriptionPage } from './subscription.js'
import { TokenExpiry } from './token-expiry.js'

/** How soon a failed read is repeated: a call may be ringing, and the next refresh may be later. */
const RETRY_READ_MS = 1500

/** A replay reads pages within both bounds, and waits between them until the client has read. */
const PAGE_BOUNDS = { limit: 100, maxBytes: BACKLOG_LIMIT / 2 }

type ResumeOutcome = 'hello' | 'replay' | `reset_${ResetReason}`

export class EventStream extends Subscription {
  readonly #socket: Socket
  readonly #writer: StreamWriter
  readonly #ticket: string
  #isOpening = true
  /** True until the stream is live: an event that arrives before then is read from the mailbox. */
  #isReading = true
  readonly #tokenExpiry: TokenExpiry
  readonly #acknowledgements: Acknowledgements | null
  #heartbeatAt: number
  #refreshAt: number

  constructor(context: DeliveryContext, { actor, streamSocket, ticket, acknowledges, maxBytes }: StreamOptions) {
    super(context, actor)
    const { clock, ids, config } = context
    this.#socket = streamSocket.socket
    const limit = maxBytes === undefined ? null : new BodyLimit(maxBytes, () => this.end('max_bytes', 0))
    this.#writer = new StreamWriter(context, streamSocket, limit)
    this.#ticket = ticket
    this.#tokenExpiry = new TokenExpiry(actor.expiresAt)
    this.#acknowledgements = acknowledges ? new Acknowledgements(context, actor) : null
    // Random, so that streams opened at the same moment, as after a deployment, do not send heartbeats at the same moment.
    this.#heartbeatAt = clock.now() + ids.between(config.heartbeatMs >> 1, config.heartbeatMs)
    this.#refreshAt = clock.now() + ids.between(refreshMs(context) >> 1, refreshMs(context))
  }

  /** Never rejects. Resolves when the stream is live or closed. */
  async open(position: ResumePosition | null): Promise<void> {
    const result = await this.claim(position, PAGE_BOUNDS).catch(error => this.#fail(error))
    this.#isOpening = false
    if (this.isClosed || !result) return this.context.settle(this.leave())
    await this.#begin(position, result).catch(error => this.#fail(error))
    await this.#readUnread()
  }

  override wake(wakeup: Wakeup): void {
    if (!this.isClosed) super.wake(wakeup)
  }

  /** Called by the one ticker of all streams. */
  tick(now: number): void {
    if (this.#tokenExpiry.isExpired(now)) this.end('auth_expired')
    if (this.#isOpening || this.isClosed) return
    const expiresInMs = this.#tokenExpiry.takeWarning(now)
    if (expiresInMs !== null) this.#writer.writeAuthExpiring(expiresInMs, now)
    if (now >= this.#heartbeatAt) this.#heartbeat(now)
    if (now >= this.#refreshAt) void this.#refresh(now)
    if (this.#writer.isStalled(now)) this.end('slow')
  }

  /** Sends the client to another node. */
  dismiss(afterMs: number): void {
    if (this.isClosed) return
    this.#writer.writeReconnect(afterMs)
    this.end('drain', afterMs)
  }

  /** Writes the `end` frame and closes. Idempotent. */
  override end(reason: StreamEndReason, retryMs?: number): void {
    if (this.isClosed) return
    this.endedBy = reason
    this.#writer.end(reason, retryMs)
    this.close()
  }

  /** The socket has closed or is about to. Idempotent. */
  close(): void {
    if (this.isClosed) return
    this.isClosed = true
    // While the stream opens, open() calls leave() after the store has answered: a claim under way must not arrive after its release.
    if (!this.#isOpening) this.context.settle(this.leave())
  }

  /** Closes without waiting for the client to read. */
  destroy(): Promise<void> {
    return new Promise(resolve => {
      if (this.#socket.closed) return resolve()
      this.#socket.once('close', resolve)
      this.#socket.destroy()
    })
  }

  protected get isStream(): boolean {
    return true
  }

  protected onlineUntil(): number {
    return this.context.clock.now() + this.context.config.presenceTtlMs
  }

  protected expectsReconnect(): boolean {
    return this.endedBy === 'drain'
  }

  protected onEvent(wakeup: EventWakeup): void {
    if (!this.#isReading && this.#writer.isNext(wakeup)) this.#writeLive(wakeup.events)
    else if (!this.#writer.isAtLast(wakeup)) this.scheduleRead()
  }

  protected onNotice(notice: Notice): void {
    if (!this.#isReading) this.#writer.writeNotice(notice)
  }

  protected extendToken(expiresAt: number | null): void {
    // While the stream opens, the wake-up may be about a request made before this connection.
    if (!this.#isOpening) this.#tokenExpiry.extend(expiresAt)
  }

  protected scheduleRead(): void {
    this.hasUnread = true
    if (!this.#isReading) void this.#readUnread()
  }

  protected scheduleRenewal(): void {
    this.#refreshAt = 0
    if (!this.#isOpening) void this.#refresh(this.context.clock.now())
  }

  #heartbeat(now: number): void {
    this.#heartbeatAt = now + this.context.config.heartbeatMs
    if (this.#acknowledgements?.isOverdue(now)) this.scheduleRenewal()
    this.#writer.writeHeartbeat(now, this.#acknowledgements?.ask(now) ?? false)
  }

  async #begin(position: ResumePosition | null, result: ResumeResult): Promise<void> {
    if (typeof position !== 'string' && position !== null) this.#writer.moveTo(position)
    let outcome: ResumeOutcome = 'hello'
    if (result.status === 'hello') this.#writer.writeHello(result.head)
    else outcome = await this.#replay(result)
    if (this.isClosed) return
    if (outcome === 'replay') this.#writer.writeCaughtUp()
    this.#socket.uncork()
    this.context.metrics.resumes.inc({ outcome })
  }

  async #readUnread(): Promise<void> {
    this.#isReading = true
    try {
      while (this.hasUnread && !this.isClosed) {
        this.hasUnread = false
        await this.#replay(await this.#readNext())
      }
    } catch (error) {
      this.hasUnread = true
      this.#refreshAt = Math.min(this.#refreshAt, this.context.clock.now() + RETRY_READ_MS)
      this.context.report(error)
    }
    this.#isReading = false
  }

  /** Writes the page and all pages after it as fast as the client reads. Null: the stream is closed. */
  async #replay(first: SubscriptionPage | null): Promise<ResumeOutcome> {
    let outcome: ResumeOutcome = 'replay'
    for (let page = first; page !== null; page = await this.#readNext()) {
      this.#writer.writePage(page)
      if (page.status === 'reset') outcome = `reset_${page.reason}`
      if (this.#writer.isAt(page.head)) break
      this.#socket.uncork()
      await this.#writer.drain()
    }
    return outcome
  }

  /** Null: the stream is closed. */
  async #readNext(): Promise<SubscriptionPage | null> {
    while (!this.isClosed && this.#socket.writable) {
      const page = await this.read(this.#writer.position, PAGE_BOUNDS)
      if (this.isClosed || !this.#socket.writable) return null
      if (page !== null) {
        this.hasSignedOff = false
        return page
      }
      if (this.hasSignedOff) this.end('signed_off')
      else await this.#renewClaim()
    }
    return null
  }

  #writeLive(events: readonly StoredEvent[]): void {
    this.#writer.writeEvents(events)
    if (this.#socket.writableLength > BACKLOG_LIMIT) this.end('slow')
  }

  /** Renews the claim and the ticket. After a failure the next refresh tries again. */
  async #refresh(now: number): Promise<void> {
    this.#refreshAt = now + refreshMs(this.context)
    try {
      await this.#renewClaim()
      if (this.#ticket !== '') await this.context.store.tickets.use(this.actor.user, this.#ticket, TICKET_IDLE_MS)
    } catch (error) {
      this.#acknowledgements?.reset()
      this.context.report(error)
    }
    if (this.hasUnread && !this.#isReading) await this.#readUnread()
  }

  async #renewClaim(): Promise<void> {
    const renewed = await this.renew()
    if (this.isClosed) return
    if (typeof renewed === 'string') return this.end(renewed)
    this.#tokenExpiry.extend(renewed.authExpiresAt)
    // Also after the record was lost, in a failover or by expiry: the new head differs, and the next read answers with a reset.
    if (!this.#writer.isAt(renewed.head)) this.hasUnread = true
    const acknowledged = await this.#acknowledgements?.check(renewed.requestedAt)
    if (acknowledged?.isOverdue) this.end('unresponsive')
  }

  #fail(error: unknown): null {
    this.context.report(error)
    this.end(endReasonOf(error))
    return null
  }
}

/** For a stream that could not claim its device. */
function endReasonOf(error: unknown): StreamEndReason {
  if (!(error instanceof AppError)) return 'store_unavailable'
  return error.code === 'too_many_devices' || error.code === 'store_full' ? error.code : 'store_unavailable'
}
