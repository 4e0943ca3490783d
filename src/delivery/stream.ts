// One device's event stream, from its claim on the device to its release.
//
//   opening ──▶ replay, reset or hello ──▶ live ──▶ closed          (exactly one of the three, G3; closed from anywhere)
//
// Wake-ups are hints and the mailbox is the truth. A hint is written straight through only if it follows the last event, by
// number and by tag; anything else makes the stream dirty, and one pump at a time reads on from where the stream stands.
import type { Socket } from 'node:net'
import type { EndReason } from '../ends.js'
import { AppError } from '../errors.js'
import type { Cursor, Notice, ResetReason, StoredEvent, Wakeup } from '../store/store.js'
import { Acknowledgements } from './acknowledgements.js'
import { type Delivery, refreshMs, type StreamOptions, TICKET_USED_MS } from './context.js'
import type { Position } from './cursor.js'
import { Expiry } from './expiry.js'
import { endFrame, noticeFrame } from './frames.js'
import { BACKLOG_LIMIT, finish } from './sse.js'
import { type EventWakeup, type Opening, type Page, Subscription } from './subscription.js'
import { Tail } from './tail.js'

/** After a read that failed, instead of at the next refresh: a call may be ringing. */
const RETRY_READ_MS = 1500

/** A replay reads and writes pages within both bounds, and waits between them until the client has read. */
const PAGE = { limit: 100, maxBytes: BACKLOG_LIMIT / 2 }

type Outcome = 'hello' | 'replay' | `reset_${ResetReason}`

export class EventStream extends Subscription {
  readonly #socket: Socket
  readonly #tail: Tail
  readonly #ticket: string
  #opening = true
  /** True from birth: until the stream is live, hints only make it dirty. */
  #pumping = true
  readonly #expiry: Expiry
  readonly #acks: Acknowledgements | null
  #beatAt: number
  #refreshAt: number

  constructor(delivery: Delivery, { actor, socket, ticket, acknowledges }: StreamOptions) {
    super(delivery, actor)
    const { clock, ids, config } = delivery
    this.#socket = socket
    this.#tail = new Tail(delivery, socket)
    this.#ticket = ticket
    this.#expiry = new Expiry(actor.expiresAt)
    this.#acks = acknowledges ? new Acknowledgements(delivery, actor) : null
    // Streams that were opened in one moment, after a deploy say, shall not beat in one moment for ever.
    this.#beatAt = clock.now() + ids.between(config.heartbeatMs >> 1, config.heartbeatMs)
    this.#refreshAt = clock.now() + ids.between(refreshMs(delivery) >> 1, refreshMs(delivery))
  }

  /** Never rejects. Resolves when the stream is live, or over. */
  async open(position: Position | null): Promise<void> {
    const opening = await this.enter(position, PAGE).catch(error => this.#fail(error))
    this.#opening = false
    if (this.isClosed || !opening) return this.delivery.settle(this.leave())
    await this.#begin(position, opening).catch(error => this.#fail(error))
    await this.#pump()
  }

  override wake(wakeup: Wakeup): void {
    if (!this.isClosed) super.wake(wakeup)
  }

  /** Called by the one ticker of all streams. */
  tick(now: number): void {
    if (this.#expiry.hasCome(now)) this.end('auth_expired')
    if (this.#opening || this.isClosed) return
    const expiresInMs = this.#expiry.takeNotice(now)
    if (expiresInMs !== null) this.#socket.write(noticeFrame('auth.expiring', { expiresInMs }, now))
    if (now >= this.#beatAt) {
      this.#beatAt = now + this.delivery.config.heartbeatMs
      if (this.#acks?.isOverdue(now)) this.auditSoon()
      this.#tail.beat(now, this.#acks?.ask(now) ?? false)
    }
    if (now >= this.#refreshAt) void this.#refresh(now)
    if (this.#tail.isStalled(now)) this.end('slow')
  }

  /** Sends the client to another node. */
  dismiss(afterMs: number): void {
    if (this.isClosed) return
    this.#socket.write(noticeFrame('reconnect', { afterMs }, this.delivery.clock.now()))
    this.end('drain', afterMs)
  }

  /** Says why, and closes. Idempotent. */
  end(reason: EndReason, retryMs?: number): void {
    if (this.isClosed) return
    const { clock, ids } = this.delivery
    this.endedBy = reason
    finish(this.#socket, endFrame(reason, retryMs ?? ids.between(1000, 4000), clock.now()), clock)
    this.close()
  }

  /** The socket has closed, or is about to. Idempotent. */
  close(): void {
    if (this.isClosed) return
    this.isClosed = true
    // While it enters, open() leaves when the store has answered: a claim on its way must not arrive after its release.
    if (!this.#opening) this.delivery.settle(this.leave())
  }

  /** Closes without waiting for what the client has not read. */
  destroy(): Promise<void> {
    return new Promise(resolve => {
      if (this.#socket.closed) return resolve()
      this.#socket.once('close', resolve)
      this.#socket.destroy()
    })
  }

  protected onlineUntil(): number {
    return this.delivery.clock.now() + this.delivery.config.presenceTtlMs
  }

  /** A client that is sent to another node. */
  protected isComingBack(): boolean {
    return this.endedBy === 'drain'
  }

  protected takeEvent(wakeup: EventWakeup): void {
    if (!this.#pumping && this.#tail.isNext(wakeup)) this.#writeLive(wakeup.events)
    else if (!this.#tail.isAtLast(wakeup)) this.readSoon()
  }

  protected takeNotice(notice: Notice): void {
    if (!this.#pumping) this.#tail.mention(notice)
  }

  protected extendToken(expiresAt: number | null): void {
    // While it opens, the token may have been shown before this connection.
    if (!this.#opening) this.#expiry.extend(expiresAt)
  }

  protected readSoon(): void {
    this.isDirty = true
    if (!this.#pumping) void this.#pump()
  }

  protected auditSoon(): void {
    this.#refreshAt = 0
    if (!this.#opening) void this.#refresh(this.delivery.clock.now())
  }

  /** The one outcome of opening. */
  async #begin(position: Position | null, opening: Opening): Promise<void> {
    if (position !== null && position !== 'start') this.#tail.stand(position)
    const outcome = opening.status === 'hello' ? this.#hello(opening.head) : await this.#replay(opening)
    if (this.isClosed) return
    if (outcome === 'replay') this.#tail.announce('caught-up')
    this.#socket.uncork()
    this.delivery.metrics.resumes.inc({ outcome })
  }

  #hello(head: Cursor): Outcome {
    this.#tail.hello(head)
    return 'hello'
  }

  async #pump(): Promise<void> {
    this.#pumping = true
    try {
      while (this.isDirty && !this.isClosed) {
        this.isDirty = false
        await this.#replay(await this.#readOn())
      }
    } catch (error) {
      this.isDirty = true
      this.#refreshAt = Math.min(this.#refreshAt, this.delivery.clock.now() + RETRY_READ_MS)
      this.delivery.report(error)
    }
    this.#pumping = false
  }

  /** Writes the page and all that follows it, at the speed of the client. Null: the stream is closed. */
  async #replay(first: Page | null): Promise<Outcome> {
    let outcome: Outcome = 'replay'
    for (let page = first; page !== null; page = await this.#readOn()) {
      this.#tail.writePage(page)
      if (page.status === 'reset') outcome = `reset_${page.reason}`
      if (this.#tail.isAt(page.head)) break
      this.#socket.uncork()
      await this.#tail.drain()
    }
    return outcome
  }

  /** Null: the stream is closed. */
  async #readOn(): Promise<Page | null> {
    while (!this.isClosed && this.#socket.writable) {
      const page = await this.read(this.#tail.position, PAGE)
      if (this.isClosed || !this.#socket.writable) return null
      if (page !== null) {
        this.hasSignedOff = false
        return page
      }
      if (this.hasSignedOff) this.end('signed_off')
      else await this.#audit()
    }
    return null
  }

  #writeLive(events: readonly StoredEvent[]): void {
    this.#tail.write(events)
    if (this.#socket.writableLength > BACKLOG_LIMIT) this.end('slow')
  }

  /** Renews presence and ticket, and looks whether what the stream believes is so. On a fault: again at the next round. */
  async #refresh(now: number): Promise<void> {
    this.#refreshAt = now + refreshMs(this.delivery)
    try {
      await this.#audit()
      if (this.#ticket !== '') await this.delivery.store.tickets.use(this.actor.user, this.#ticket, TICKET_USED_MS)
    } catch (error) {
      this.#acks?.startOver()
      this.delivery.report(error)
    }
    if (this.isDirty && !this.#pumping) await this.#pump()
  }

  async #audit(): Promise<void> {
    const renewed = await this.renew()
    if (this.isClosed) return
    if (typeof renewed === 'string') return this.end(renewed)
    this.#expiry.extend(renewed.authExpiresAt)
    // A record that was lost, in a failover or to the retention, has a new head too: the next read answers with a reset.
    if (!this.#tail.isAt(renewed.head)) this.isDirty = true
    if (await this.#acks?.areMissed(renewed.requestedAt)) this.end('unresponsive')
  }

  #fail(error: unknown): null {
    this.delivery.report(error)
    this.end(endOf(error))
    return null
  }
}

/** What a stream ends with that could not claim its device. */
function endOf(error: unknown): EndReason {
  if (!(error instanceof AppError)) return 'store_unavailable'
  return error.code === 'too_many_devices' || error.code === 'store_full' ? error.code : 'store_unavailable'
}
