// Writes the frames of one stream and knows its cursor. An event is written only directly after the one before it in the mailbox, or after
// a `reset` that says that events are missing.
import type { Socket } from 'node:net'
import type { StreamEndReason } from '../ends.js'
import { formatCursor, type MailboxPosition } from '../store/cursor.js'
import { RESET } from '../store/lost-writes.js'
import type { Cursor, Notice, ResetReason, StoredEvent } from '../store/store.js'
import type { BodyLimit } from './body-limit.js'
import type { DeliveryContext } from './context.js'
import {
  bodyEnd,
  chunkOf,
  cursorFrame,
  endFrame,
  eventFrame,
  noticeFrame,
  resetData,
  streamFrame,
  withRetry
} from './frames.js'
import { drained, finish, gatherWrites, type StreamSocket } from './sse.js'
import type { EventWakeup, SubscriptionPage } from './subscription.js'

/** A client whose backlog has not drained once in this time is too slow. */
const DRAIN_WITHIN_MS = 30_000

export class StreamWriter {
  readonly #context: DeliveryContext
  readonly #socket: Socket
  readonly #isChunked: boolean
  /** Null without maxBytes. */
  readonly #limit: BodyLimit | null
  /** Sent in the first frame; 0 after that. */
  #retryMs: number
  /** The last event written, or the cursor the stream began at. -1 is before the oldest event kept. */
  #seq = -1
  #tag = ''
  /** Since when an undrained backlog has been seen; 0: none. */
  #stalledAt = 0

  constructor(context: DeliveryContext, { socket, isChunked }: StreamSocket, limit: BodyLimit | null) {
    this.#context = context
    this.#socket = socket
    this.#isChunked = isChunked
    this.#limit = limit
    this.#retryMs = context.ids.between(1000, 4000)
  }

  /** Where to continue reading. */
  get position(): MailboxPosition {
    return this.#seq < 0 ? 'start' : { seq: this.#seq, tag: this.#tag }
  }

  moveTo({ seq, tag }: Cursor): void {
    this.#seq = seq
    this.#tag = tag
  }

  isAt({ seq, tag }: Cursor): boolean {
    return seq === this.#seq && tag === this.#tag
  }

  /** The events directly follow the last one written. */
  isNext({ events, prevTag }: EventWakeup): boolean {
    return events[0]?.seq === this.#seq + 1 && prevTag === this.#tag
  }

  /** The last of the events is the last one written. */
  isAtLast({ events }: EventWakeup): boolean {
    const last = events.at(-1)
    return last !== undefined && this.isAt(last)
  }

  writePage(page: SubscriptionPage): void {
    if (page.status === 'reset') this.#writeReset(page.reason, page.at)
    else if (page.events.length > 0) this.writeEvents(page.events)
    else if (this.#seq < 0) this.moveTo(page.head)
  }

  /** With one write, because a system call costs more than everything else about an event. */
  writeEvents(events: readonly StoredEvent[]): void {
    const admitted = this.#limit ? this.#limit.admitted(events) : events
    gatherWrites(this.#socket)
    this.#socket.write(admitted.map(event => this.#textOf(this.#frameOf(event))).join(''))
    this.#context.metrics.eventsDelivered.inc({ transport: 'sse' }, admitted.length)
    this.#limit?.endIfFull()
  }

  #frameOf(event: StoredEvent): string {
    this.moveTo(event)
    return event.type === RESET ? this.#resetFrame('unknown') : eventFrame(event)
  }

  writeHello(head: Cursor): void {
    this.moveTo(head)
    this.#writeCursor('hello')
  }

  writeCaughtUp(): void {
    this.#writeCursor('caught-up')
  }

  #writeCursor(type: 'hello' | 'caught-up'): void {
    const data = { cursor: this.#cursor(), heartbeatMs: this.#context.config.heartbeatMs }
    this.#write(cursorFrame(type, data, this.#context.clock.now()))
  }

  #writeReset(reason: ResetReason, at: Cursor): void {
    this.moveTo(at)
    this.#write(this.#resetFrame(reason))
  }

  #resetFrame(reason: ResetReason): string {
    const { config, clock } = this.#context
    const data = { ...resetData(reason, this.#cursor()), heartbeatMs: config.heartbeatMs }
    return cursorFrame('reset', data, clock.now())
  }

  /** Drops the notice if the client has a backlog. */
  writeNotice(notice: Notice): void {
    if (!this.#socket.writableNeedDrain) this.#write(noticeFrame(notice))
  }

  /** With `ack` the client has to acknowledge it. Not written before the stream has a cursor. */
  writeHeartbeat(now: number, ack: boolean): void {
    if (this.#seq < 0) return
    this.#write(streamFrame('heartbeat', { cursor: this.#cursor(), ...(ack ? { ack } : {}) }, now))
  }

  writeAuthExpiring(expiresInMs: number, now: number): void {
    this.#write(streamFrame('auth.expiring', { expiresInMs }, now))
  }

  writeReconnect(afterMs: number): void {
    this.#write(streamFrame('reconnect', { afterMs }, this.#context.clock.now()))
  }

  /** Writes the `end` frame and closes the socket. By default the client reconnects after a random time. */
  end(reason: StreamEndReason, retryMs?: number): void {
    const { clock, ids } = this.#context
    // The frame has a retry time of its own.
    this.#retryMs = 0
    const text = this.#textOf(endFrame(reason, retryMs ?? ids.between(1000, 4000), clock.now()))
    finish(this.#socket, this.#isChunked ? text + bodyEnd(reason) : text, clock)
  }

  /** Resolves when more may be written, see drained(). Frames in the buffer of a socket that closes are replayed from the mailbox. */
  async drain(): Promise<void> {
    await drained(this.#socket)
    this.#stalledAt = 0
  }

  /** To be called at every tick. */
  isStalled(now: number): boolean {
    if (this.#socket.writableLength === 0) this.#stalledAt = 0
    else if (this.#stalledAt === 0) this.#stalledAt = now
    return this.#stalledAt !== 0 && now - this.#stalledAt >= DRAIN_WITHIN_MS
  }

  #write(frame: string): void {
    if (this.#limit === null || this.#limit.admits(frame)) this.#socket.write(this.#textOf(frame))
  }

  /** The frame with its retry time, as a chunk if the body is chunked. */
  #textOf(frame: string): string {
    const first = this.#retryMs === 0 ? frame : withRetry(this.#retryMs, frame)
    this.#retryMs = 0
    return this.#isChunked ? chunkOf(first) : first
  }

  #cursor(): string {
    return formatCursor({ seq: this.#seq, tag: this.#tag })
  }
}
