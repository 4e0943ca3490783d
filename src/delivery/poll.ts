// A long-poll: reads the same mailbox with the same cursor as a stream, once.
//
// It claims the device as a stream does and does not release it: the device stays online for AWAY_AFTER_MS after its last poll, in which
// the client sends the next one.
import type { StreamEndReason } from '../ends.js'
import { AppError } from '../errors.js'
import { formatCursor, type MailboxPosition } from '../store/cursor.js'
import type { Cursor, Notice, ResetReason, StoredEvent } from '../store/store.js'
import { resetData } from './frames.js'
import { type ResumeResult, Subscription, type SubscriptionPage } from './subscription.js'

export interface PollOptions {
  readonly position: MailboxPosition | null
  readonly waitMs: number
  readonly limit: number
  /** Of the body. An event that alone is larger comes alone. */
  readonly maxBytes: number
}

/** Bytes of a body besides its events and notices. */
const BODY_OVERHEAD = 128
/** Bounds the memory that notices take; they may be lost. */
const NOTICES_MAX = 64

export class Poll extends Subscription {
  #endWait: (() => void) | null = null
  /** Arrived during the wait. The first one ends it; the reply has as many as fit. */
  readonly #notices: string[] = []
  /** To be answered without waiting any longer. */
  #isHurried = false
  #isRenewalDue = false
  #waitsUntil = 0

  /** The reply as JSON text. @throws AppError superseded, too_many_devices, store_unavailable */
  async answer(options: PollOptions): Promise<string> {
    const { clock, metrics } = this.context
    const waitMs = this.#boundedWait(options.waitMs)
    this.#waitsUntil = clock.now() + waitMs
    try {
      const result = await this.claim(options.position, boundsOf(options))
      const { outcome, body } = result ? await this.#reply(result, { ...options, waitMs }) : CLOSED
      if (this.endedBy === 'signed_out' || this.endedBy === 'auth_expired') throw new AppError('token_revoked')
      metrics.resumes.inc({ outcome })
      return body
    } finally {
      this.context.settle(this.leave())
    }
  }

  /** Ends the wait: the reply has what has arrived. */
  hurry(): void {
    this.#isHurried = true
    this.#endWait?.()
  }

  /** Its token was revoked: it is answered 401, whatever has arrived. */
  override end(reason: StreamEndReason): void {
    this.endedBy = reason
    this.close()
  }

  /** The client has disconnected. */
  close(): void {
    this.isClosed = true
    this.hurry()
  }

  protected get isStream(): boolean {
    return false
  }

  protected onlineUntil(): number {
    return this.#waitsUntil + this.context.config.awayAfterMs
  }

  protected expectsReconnect(): boolean {
    return this.endedBy === null && !this.hasSignedOff
  }

  protected onEvent(): void {
    this.scheduleRead()
  }

  protected onNotice({ envelope }: Notice): void {
    if (this.#notices.length < NOTICES_MAX) this.#notices.push(envelope)
    this.#endWait?.()
  }

  protected scheduleRead(): void {
    this.hasUnread = true
    this.#endWait?.()
  }

  protected scheduleRenewal(): void {
    this.#isRenewalDue = true
    this.#endWait?.()
  }

  /** Not needed: a poll does not wait longer than its token is valid. */
  protected extendToken(): void {}

  async #reply(result: ResumeResult, options: PollOptions): Promise<Reply> {
    const { position, waitMs } = options
    if (result.status === 'hello' || position === null) return { outcome: 'hello', body: bodyOf([], result.head) }
    const stopTimer = this.context.clock.after(waitMs, () => this.hurry())
    try {
      for (let page: SubscriptionPage | null = result; ; page = await this.#readAgain(position, options)) {
        if (page?.status === 'reset') return this.#resetReply(page.reason, page.at)
        if (page !== null && page.events.length > 0) return this.#eventsReply(page.events, options.maxBytes)
        if (this.#isHurried || this.hasSignedOff || waitMs <= 0 || this.#notices.length > 0) {
          // The reply repeats the cursor. `start` becomes the head of the empty mailbox.
          const cursor = position === 'start' && page !== null ? page.head : position
          return { outcome: 'replay', body: bodyOf([], cursor, fitting(this.#notices, boundsOf(options).maxBytes)) }
        }
        await this.#wait()
      }
    } finally {
      stopTimer()
    }
  }

  #readAgain(position: MailboxPosition, options: PollOptions): Promise<SubscriptionPage | null> {
    this.hasUnread = false
    return this.read(position, boundsOf(options))
  }

  /** Resolves when there may be something to reply. @throws AppError superseded, too_many_devices, store_unavailable */
  async #wait(): Promise<void> {
    if (!this.hasUnread && !this.#isRenewalDue && !this.#isHurried) {
      await new Promise<void>(resolve => {
        this.#endWait = resolve
      })
      this.#endWait = null
    }
    if (!this.#isRenewalDue) return
    this.#isRenewalDue = false
    const renewed = await this.renew()
    if (typeof renewed === 'string') throw new AppError(renewed)
  }

  #eventsReply(events: readonly StoredEvent[], maxBytes: number): Reply {
    this.context.metrics.eventsDelivered.inc({ transport: 'poll' }, events.length)
    const texts = events.map(eventText)
    const left = maxBytes - BODY_OVERHEAD - sizeOf(texts)
    return { outcome: 'replay', body: bodyOf(texts, events.at(-1) ?? 'start', fitting(this.#notices, left)) }
  }

  #resetReply(reason: ResetReason, at: Cursor): Reply {
    const cursor = formatCursor(at)
    const timestamp = new Date(this.context.clock.now()).toISOString()
    const event = { id: cursor, type: 'reset', timestamp, data: resetData(reason, cursor) }
    return { outcome: `reset_${reason}`, body: bodyOf([JSON.stringify(event)], at) }
  }

  /** At most until the token expires. */
  #boundedWait(waitMs: number): number {
    const { expiresAt } = this.actor
    return expiresAt === null ? waitMs : Math.min(waitMs, Math.max(0, expiresAt - this.context.clock.now()))
  }
}

const boundsOf = ({ limit, maxBytes }: PollOptions) => ({ limit, maxBytes: maxBytes - BODY_OVERHEAD })

interface Reply {
  readonly outcome: string
  readonly body: string
}

/** The client has disconnected and does not read it. */
const CLOSED: Reply = { outcome: 'closed', body: '' }

/** In bytes, each with its comma. */
const sizeOf = (texts: readonly string[]) => texts.reduce((sum, text) => sum + Buffer.byteLength(text) + 1, 0)

/** As many of the texts, from the first, as fit together. */
function fitting(texts: readonly string[], maxBytes: number): readonly string[] {
  const tooMany = texts.findIndex((_, i) => sizeOf(texts.slice(0, i + 1)) > maxBytes)
  return tooMany < 0 ? texts : texts.slice(0, tooMany)
}

/**
 * The stored envelope is an object without an id, which is put in front without parsing. The id and the comma take fewer bytes than
 * ENTRY_WEIGHT, which the read has counted.
 */
function eventText({ seq, tag, envelope }: StoredEvent): string {
  return `{"id":"${seq}.${tag}",${envelope.slice(1)}`
}

function bodyOf(events: readonly string[], cursor: MailboxPosition, notices: readonly string[] = []): string {
  const noticesMember = notices.length > 0 ? `,"notices":[${notices.join(',')}]` : ''
  return `{"events":[${events.join(',')}],"cursor":"${formatCursor(cursor)}"${noticesMember}}`
}
