// One long-poll: the same mailbox and the same cursor as a stream, read once.
//
// A poll claims the device like a stream does, and does not release it: the device stays online for AWAY_AFTER_MS past the end
// of its last poll, which is time to send the next one.

import type { EndReason } from '../ends.js'
import { AppError } from '../errors.js'
import type { Actor } from '../schemas/claims.js'
import { RESET } from '../store/forgotten.js'
import type { Cursor, ReadResult, ResetReason, StoredEvent, Touched, Wakeup } from '../store/store.js'
import { Claim } from './claim.js'
import { formatCursor, type Position } from './cursor.js'
import type { Delivery } from './delivery.js'
import type { Consumer } from './hub.js'
import { afterReset } from './reset.js'

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

export class Poll implements Consumer {
  readonly actor: Actor
  readonly #delivery: Delivery
  readonly #claim: Claim
  #wakeUp: (() => void) | null = null
  /** Notices that came while it waited. They go with the reply, as many as fit; the first one brings it about. */
  readonly #notices: string[] = []
  /** A hint came: read again. */
  #dirty = false
  /** Answer with what there is. */
  #over = false
  /** Another connection may have the device, or the record may have been set back: it has to be looked at. */
  #contested = false
  #endedBy: EndReason | null = null
  /** When the wait ends. */
  #until = 0

  constructor(delivery: Delivery, actor: Actor) {
    this.#delivery = delivery
    this.#claim = new Claim(delivery, actor)
    this.actor = actor
  }

  /** The reply as JSON text. Throws superseded, too_many_devices and store_unavailable. */
  async answer(options: PollOptions): Promise<string> {
    const { hub, metrics, lifecycle } = this.#delivery
    const waitMs = this.#boundedWait(options.waitMs)
    this.#until = this.#delivery.clock.now() + waitMs
    await hub.join(this)
    try {
      const touched = await this.#claim.take(this.#onlineUntil())
      lifecycle.arrived(this.actor, touched.created || options.position === null ? touched.head : null)
      const { outcome, body } = await this.#read({ ...options, waitMs }, touched)
      metrics.resumes.inc({ outcome })
      return body
    } finally {
      this.#delivery.settle(this.#leave())
    }
  }

  wake(wakeup: Wakeup): void {
    if (wakeup.kind === 'auth') return
    if (wakeup.kind === 'claimed') {
      if (wakeup.connection === this.#claim.connection) return
      this.#contested = true
    } else if (wakeup.kind === 'notice') {
      if (this.#notices.length < NOTICES_MAX) this.#notices.push(wakeup.envelope)
    } else this.#dirty = true
    if (wakeup.kind === 'gap') this.#contested = true // Not only events may be among what was lost.
    if (wakeup.kind === 'gone') this.#endedBy = 'signed_off'
    this.#wakeUp?.()
  }

  /** The client has gone, or the node is about to: no more waiting. */
  hurry(): void {
    this.#over = true
    this.#wakeUp?.()
  }

  async #leave(): Promise<void> {
    await this.#delivery.hub.leave(this)
    if (this.#endedBy === 'superseded') return
    try {
      // Presence was promised for the whole wait, which may have been cut short. But nobody who signed off is registered again.
      this.#until = this.#delivery.clock.now()
      if (this.#endedBy === null) await this.#claim.renew(this.#onlineUntil())
    } finally {
      this.#delivery.lifecycle.left(this.actor)
    }
  }

  async #read({ position, waitMs, limit, maxBytes }: PollOptions, { created, head }: Touched): Promise<Reply> {
    if (position === null) return { outcome: 'hello', body: bodyOf([], head) }
    if (created && position !== 'start') return this.#reset('expired', head)
    const deadline = this.#delivery.clock.after(waitMs, () => this.hurry())
    try {
      for (;;) {
        this.#dirty = false
        const result = await this.#readMailbox(position, limit, maxBytes - BODY_OVERHEAD)
        if (result.status === 'reset') return this.#reset(result.reason, result.head)
        const [reset] = result.status === 'ok' ? afterReset(result.events) : []
        if (reset?.type === RESET) return this.#reset('unknown', reset)
        if (result.status === 'ok' && result.events.length > 0) return this.#replay(result.events, maxBytes)
        // An answer without events repeats the cursor, except that `start` becomes the head of what turned out to be empty.
        const place = position === 'start' && result.status === 'ok' ? result.head : position
        if (this.#over || this.#endedBy !== null || waitMs <= 0 || this.#notices.length > 0)
          return { outcome: 'replay', body: bodyOf([], place, within(maxBytes - BODY_OVERHEAD, this.#notices)) }
        await this.#wait()
      }
    } finally {
      deadline()
    }
  }

  /** Until there may be something new to say. Throws superseded. */
  async #wait(): Promise<void> {
    if (!this.#dirty && !this.#contested && !this.#over) {
      await new Promise<void>(resolve => {
        this.#wakeUp = resolve
      })
      this.#wakeUp = null
    }
    if (!this.#contested) return
    this.#contested = false
    // The hint may be late, about a connection that this poll took over from.
    const touched = await this.#claim.renew(this.#onlineUntil())
    if (touched?.connection === this.#claim.connection) return
    this.#endedBy = 'superseded'
    throw new AppError('superseded')
  }

  #readMailbox(position: Position, limit: number, maxBytes: number): Promise<ReadResult> {
    const { store, clock } = this.#delivery
    return store.mailboxes.read(this.actor.user, this.actor.device, position, { limit, maxBytes, now: clock.now() })
  }

  #replay(events: readonly StoredEvent[], maxBytes: number): Reply {
    this.#delivery.metrics.eventsDelivered.inc({ transport: 'poll' }, events.length)
    const texts = events.map(eventText)
    const left = maxBytes - BODY_OVERHEAD - sizeOf(texts)
    return { outcome: 'replay', body: bodyOf(texts, events.at(-1) ?? 'start', within(left, this.#notices)) }
  }

  #reset(reason: ResetReason, head: Cursor): Reply {
    const cursor = formatCursor(head)
    const timestamp = new Date(this.#delivery.clock.now()).toISOString()
    const event = { id: cursor, type: 'reset', timestamp, data: { reason, cursor, snapshot: '/v1/snapshot' } }
    return { outcome: `reset_${reason}`, body: bodyOf([JSON.stringify(event)], head) }
  }

  #onlineUntil(): number {
    return this.#until + this.#delivery.config.awayAfterMs
  }

  /** Nobody listens longer than their token lasts. */
  #boundedWait(waitMs: number): number {
    const { expiresAt } = this.actor
    return expiresAt === null ? waitMs : Math.min(waitMs, Math.max(0, expiresAt - this.#delivery.clock.now()))
  }
}

interface Reply {
  readonly outcome: string
  readonly body: string
}

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
