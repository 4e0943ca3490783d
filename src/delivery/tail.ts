// Where one stream stands in its mailbox, and the writing of what follows from there. It never skips: an event is written only
// if it comes right after the last one, or after a `reset` that says otherwise.

import type { Socket } from 'node:net'
import type { Actor } from '../schemas/claims.js'
import { RESET } from '../store/forgotten.js'
import type { Cursor, Notice, ReadResult, ResetReason, StoredEvent, Wakeup } from '../store/store.js'
import { formatCursor } from './cursor.js'
import type { Delivery } from './delivery.js'
import { cursorFrame, eventFrame, noticeFrame, passingFrame } from './frames.js'
import { afterReset } from './reset.js'
import { BACKLOG_LIMIT, drained, gatherWrites } from './sse.js'

/** A replay reads and writes pages within both bounds, and waits between them until the client has read. */
const PAGE = { limit: 100, maxBytes: BACKLOG_LIMIT / 2 }
/** A backlog that never once drained in so long belongs to a client that reads too slowly. */
const DRAIN_WITHIN_MS = 30_000

type EventWakeup = Extract<Wakeup, { kind: 'event' }>

/** `none`: the device is not registered. `closed`: the socket closed meanwhile. */
export type CaughtUp = 'replay' | `reset_${ResetReason}` | 'none' | 'closed'

export class Tail {
  readonly #delivery: Delivery
  readonly #actor: Actor
  readonly #socket: Socket
  /** The last event written, or where the stream began; -1 stands before all that is kept. */
  #seq = -1
  #tag = ''
  /** Since when a backlog has been seen that did not drain; 0 is none. */
  #stalledAt = 0

  constructor(delivery: Delivery, actor: Actor, socket: Socket) {
    this.#delivery = delivery
    this.#actor = actor
    this.#socket = socket
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

  hello(head: Cursor): 'hello' {
    this.stand(head)
    this.announce('hello')
    return 'hello'
  }

  reset(reason: ResetReason, head: Cursor): `reset_${ResetReason}` {
    this.stand(head)
    this.#socket.write(this.#resetFrame(reason))
    return `reset_${reason}`
  }

  #resetFrame(reason: ResetReason): string {
    const { config, clock } = this.#delivery
    const data = { reason, cursor: this.#cursor(), snapshot: '/v1/snapshot', heartbeatMs: config.heartbeatMs }
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

  /** Writes all that follows, at the speed of the client. Throws store_unavailable. */
  async catchUp(): Promise<CaughtUp> {
    let outcome: CaughtUp = 'replay'
    for (;;) {
      const result = await this.#read()
      if (!this.#socket.writable) return 'closed'
      if (result.status === 'none') return 'none'
      if (result.status === 'reset') return this.reset(result.reason, result.head)
      const events = afterReset(result.events)
      if (events[0]?.type === RESET) outcome = 'reset_unknown'
      if (events.length > 0) this.write(events)
      if (this.#seq < 0) this.stand(result.head)
      if (this.isAt(result.head)) return outcome
      await drained(this.#socket)
      this.#stalledAt = 0
      if (!this.#socket.writable) return 'closed'
    }
  }

  /** Asked at every tick. */
  isStalled(now: number): boolean {
    if (this.#socket.writableLength === 0) this.#stalledAt = 0
    else if (this.#stalledAt === 0) this.#stalledAt = now
    return this.#stalledAt !== 0 && now - this.#stalledAt >= DRAIN_WITHIN_MS
  }

  #read(): Promise<ReadResult> {
    const { store, clock } = this.#delivery
    const from = this.#seq < 0 ? 'start' : { seq: this.#seq, tag: this.#tag }
    return store.mailboxes.read(this.#actor.user, this.#actor.device, from, { ...PAGE, now: clock.now() })
  }

  #cursor(): string {
    return formatCursor({ seq: this.#seq, tag: this.#tag })
  }
}
