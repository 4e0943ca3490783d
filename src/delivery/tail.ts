// Where one stream stands in its mailbox, and the writing of what follows from there. It never skips: an event is written only
// if it comes right after the last one, or after a `reset` that says otherwise.

import type { Socket } from 'node:net'
import { RESET } from '../store/lost-writes.js'
import type { Cursor, Notice, ResetReason, StoredEvent } from '../store/store.js'
import type { Delivery } from './context.js'
import { formatCursor, type Position } from './cursor.js'
import { cursorFrame, eventFrame, noticeFrame, passingFrame, resetData } from './frames.js'
import { drained, gatherWrites } from './sse.js'
import type { EventWakeup, Page } from './subscription.js'

/** A backlog that never once drained in so long belongs to a client that reads too slowly. */
const DRAIN_WITHIN_MS = 30_000

export class Tail {
  readonly #delivery: Delivery
  readonly #socket: Socket
  /** The last event written, or where the stream began; -1 stands before all that is kept. */
  #seq = -1
  #tag = ''
  /** Since when a backlog has been seen that did not drain; 0 is none. */
  #stalledAt = 0

  constructor(delivery: Delivery, socket: Socket) {
    this.#delivery = delivery
    this.#socket = socket
  }

  /** Where to read on. */
  get position(): Position {
    return this.#seq < 0 ? 'start' : { seq: this.#seq, tag: this.#tag }
  }

  stand({ seq, tag }: Cursor): void {
    this.#seq = seq
    this.#tag = tag
  }

  isAt({ seq, tag }: Cursor): boolean {
    return seq === this.#seq && tag === this.#tag
  }

  isNext({ events, prevTag }: EventWakeup): boolean {
    return events[0]?.seq === this.#seq + 1 && prevTag === this.#tag
  }

  isAtLast({ events }: EventWakeup): boolean {
    const last = events.at(-1)
    return last !== undefined && this.isAt(last)
  }

  writePage(page: Page): void {
    if (page.status === 'reset') this.#reset(page.reason, page.at)
    else if (page.events.length > 0) this.write(page.events)
    else if (this.#seq < 0) this.stand(page.head)
  }

  /** In one piece: a system call costs more than all the rest of an event. */
  write(events: readonly StoredEvent[]): void {
    gatherWrites(this.#socket)
    this.#socket.write(events.map(event => this.#frame(event)).join(''))
    this.#delivery.metrics.eventsDelivered.inc({ transport: 'sse' }, events.length)
  }

  #frame(event: StoredEvent): string {
    this.stand(event)
    return event.type === RESET ? this.#resetFrame('unknown') : eventFrame(event)
  }

  /** From here on the stream is live; each of these is a place to resume from. */
  announce(type: 'hello' | 'caught-up'): void {
    const data = { cursor: this.#cursor(), heartbeatMs: this.#delivery.config.heartbeatMs }
    this.#socket.write(cursorFrame(type, data, this.#delivery.clock.now()))
  }

  hello(head: Cursor): void {
    this.stand(head)
    this.announce('hello')
  }

  #reset(reason: ResetReason, at: Cursor): void {
    this.stand(at)
    this.#socket.write(this.#resetFrame(reason))
  }

  #resetFrame(reason: ResetReason): string {
    const { config, clock } = this.#delivery
    const data = { ...resetData(reason, this.#cursor()), heartbeatMs: config.heartbeatMs }
    return cursorFrame('reset', data, clock.now())
  }

  /** Something of the moment: a client that has not read the last moment yet does not get it. */
  mention(notice: Notice): void {
    if (!this.#socket.writableNeedDrain) this.#socket.write(passingFrame(notice))
  }

  /** With `ack` the client has to acknowledge it. */
  beat(now: number, ack: boolean): void {
    // Before anything is known there is no cursor to tell.
    if (this.#seq < 0) return
    this.#socket.write(noticeFrame('heartbeat', { cursor: this.#cursor(), ...(ack ? { ack } : {}) }, now))
  }

  /** Until the client has read what was written. */
  async drain(): Promise<void> {
    await drained(this.#socket)
    this.#stalledAt = 0
  }

  /** Asked at every tick. */
  isStalled(now: number): boolean {
    if (this.#socket.writableLength === 0) this.#stalledAt = 0
    else if (this.#stalledAt === 0) this.#stalledAt = now
    return this.#stalledAt !== 0 && now - this.#stalledAt >= DRAIN_WITHIN_MS
  }

  #cursor(): string {
    return formatCursor({ seq: this.#seq, tag: this.#tag })
  }
}
