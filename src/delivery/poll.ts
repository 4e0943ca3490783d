// One long-poll: the same mailbox and the same cursor as a stream, read once.
//
// A poll claims the device like a stream does, and does not release it: the device stays online for AWAY_AFTER_MS past the end
// of its last poll, which is time to send the next one.
import { AppError } from '../errors.js'
import type { Cursor, Notice, ResetReason, StoredEvent } from '../store/store.js'
import { formatCursor, type Position } from './cursor.js'
import { resetData } from './frames.js'
import { type Opening, type Page, Subscription } from './subscription.js'

export interface PollOptions {
  readonly position: Position | null
  readonly waitMs: number
  readonly limit: number
  /** Of the body; an event that alone is larger comes alone. */
  readonly maxBytes: number
}

/** What a body holds beside its events and notices. */
const BODY_OVERHEAD = 128
/** Notices are of the moment and may be lost; a client that types often must not fill this process. */
const NOTICES_MAX = 64

export class Poll extends Subscription {
  #wakeUp: (() => void) | null = null
  /** Notices that came while it waited. They go with the reply, as many as fit; the first one brings it about. */
  readonly #notices: string[] = []
  /** Answer with what there is. */
  #isHurried = false
  /** Another connection may have the device, or the record may have been set back. */
  #auditIsDue = false
  /** When the wait ends. */
  #until = 0

  /** The reply as JSON text. Throws superseded, too_many_devices and store_unavailable. */
  async answer(options: PollOptions): Promise<string> {
    const { clock, metrics } = this.delivery
    const waitMs = this.#boundedWait(options.waitMs)
    this.#until = clock.now() + waitMs
    try {
      const opening = await this.enter(options.position, boundsOf(options))
      // Closed: nobody reads the answer.
      const { outcome, body } = opening ? await this.#reply(opening, { ...options, waitMs }) : CLOSED
      metrics.resumes.inc({ outcome })
      return body
    } finally {
      this.delivery.settle(this.leave())
    }
  }

  /** The node is about to go: no more waiting. */
  hurry(): void {
    this.#isHurried = true
    this.#wakeUp?.()
  }

  /** The client has gone. */
  close(): void {
    this.isClosed = true
    this.hurry()
  }

  protected onlineUntil(): number {
    return this.#until + this.delivery.config.awayAfterMs
  }

  protected isComingBack(): boolean {
    return this.endedBy === null && !this.hasSignedOff
  }

  protected takeEvent(): void {
    this.readSoon()
  }

  protected takeNotice({ envelope }: Notice): void {
    if (this.#notices.length < NOTICES_MAX) this.#notices.push(envelope)
    this.#wakeUp?.()
  }

  protected readSoon(): void {
    this.isDirty = true
    this.#wakeUp?.()
  }

  protected auditSoon(): void {
    this.#auditIsDue = true
    this.#wakeUp?.()
  }

  /** It has waited for no longer than the token lasts. */
  protected extendToken(): void {}

  async #reply(opening: Opening, options: PollOptions): Promise<Reply> {
    const { position, waitMs } = options
    if (opening.status === 'hello' || position === null) return { outcome: 'hello', body: bodyOf([], opening.head) }
    const deadline = this.delivery.clock.after(waitMs, () => this.hurry())
    try {
      for (let page: Page | null = opening; ; page = await this.#readAgain(position, options)) {
        if (page?.status === 'reset') return this.#reset(page.reason, page.at)
        if (page !== null && page.events.length > 0) return this.#replay(page.events, options.maxBytes)
        if (this.#isHurried || this.hasSignedOff || waitMs <= 0 || this.#notices.length > 0) {
          // It repeats the cursor, except that `start` becomes the head of what turned out to be empty.
          const place = position === 'start' && page !== null ? page.head : position
          return { outcome: 'replay', body: bodyOf([], place, within(boundsOf(options).maxBytes, this.#notices)) }
        }
        await this.#wait()
      }
    } finally {
      deadline()
    }
  }

  #readAgain(position: Position, options: PollOptions): Promise<Page | null> {
    this.isDirty = false
    return this.read(position, boundsOf(options))
  }

  /** Until there may be something new to say. Throws superseded. */
  async #wait(): Promise<void> {
    if (!this.isDirty && !this.#auditIsDue && !this.#isHurried) {
      await new Promise<void>(resolve => {
        this.#wakeUp = resolve
      })
      this.#wakeUp = null
    }
    if (!this.#auditIsDue) return
    this.#auditIsDue = false
    const renewed = await this.renew()
    if (typeof renewed === 'string') throw new AppError(renewed)
  }

  #replay(events: readonly StoredEvent[], maxBytes: number): Reply {
    this.delivery.metrics.eventsDelivered.inc({ transport: 'poll' }, events.length)
    const texts = events.map(eventText)
    const left = maxBytes - BODY_OVERHEAD - sizeOf(texts)
    return { outcome: 'replay', body: bodyOf(texts, events.at(-1) ?? 'start', within(left, this.#notices)) }
  }

  #reset(reason: ResetReason, at: Cursor): Reply {
    const cursor = formatCursor(at)
    const timestamp = new Date(this.delivery.clock.now()).toISOString()
    const event = { id: cursor, type: 'reset', timestamp, data: resetData(reason, cursor) }
    return { outcome: `reset_${reason}`, body: bodyOf([JSON.stringify(event)], at) }
  }

  /** No poll waits for longer than its token lasts. */
  #boundedWait(waitMs: number): number {
    const { expiresAt } = this.actor
    return expiresAt === null ? waitMs : Math.min(waitMs, Math.max(0, expiresAt - this.delivery.clock.now()))
  }
}

const boundsOf = ({ limit, maxBytes }: PollOptions) => ({ limit, maxBytes: maxBytes - BODY_OVERHEAD })

interface Reply {
  readonly outcome: string
  readonly body: string
}

const CLOSED: Reply = { outcome: 'closed', body: '' }

/** In a body, each with its comma. */
const sizeOf = (texts: readonly string[]) => texts.reduce((sum, text) => sum + Buffer.byteLength(text) + 1, 0)

/** The first of them that together fit. */
function within(maxBytes: number, texts: readonly string[]): readonly string[] {
  const beyond = texts.findIndex((_, i) => sizeOf(texts.slice(0, i + 1)) > maxBytes)
  return beyond < 0 ? texts : texts.slice(0, beyond)
}

/**
 * The stored envelope is an object without an id; put it in front, without parsing. Id and comma take less than the
 * ENTRY_WEIGHT that the read has allowed for.
 */
function eventText({ seq, tag, envelope }: StoredEvent): string {
  return `{"id":"${seq}.${tag}",${envelope.slice(1)}`
}

function bodyOf(events: readonly string[], cursor: Position, notices: readonly string[] = []): string {
  const passing = notices.length > 0 ? `,"notices":[${notices.join(',')}]` : ''
  return `{"events":[${events.join(',')}],"cursor":"${cursor === 'start' ? cursor : formatCursor(cursor)}"${passing}}`
}
