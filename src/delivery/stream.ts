// One device's event stream, from its claim on the device to its release.
//
//   opening ──▶ replay, reset or hello ──▶ live ──▶ closed          (exactly one of the three, G3; closed from anywhere)
//
// Wake-ups are hints and the mailbox is the truth. A hint is written straight through only if it follows the last event, by
// number and by tag; anything else makes the stream dirty, and one pump at a time reads on from where the stream stands.
import type { Socket } from 'node:net'
import type { EndReason } from '../ends.js'
import type { Actor } from '../schemas/claims.js'
import type { StoredEvent, Touched, Wakeup } from '../store/store.js'
import { Acknowledgements } from './acknowledgements.js'
import { Claim, endOf } from './claim.js'
import type { Position } from './cursor.js'
import { type Delivery, refreshMs, type StreamOptions, TICKET_USED_MS } from './delivery.js'
import { Expiry } from './expiry.js'
import { endFrame, noticeFrame } from './frames.js'
import type { Consumer } from './hub.js'
import { BACKLOG_LIMIT, finish } from './sse.js'
import { type CaughtUp, Tail } from './tail.js'

/** After a read that failed, instead of at the next refresh: a call may be ringing. */
const RETRY_READ_MS = 1500

export class EventStream implements Consumer {
  readonly actor: Actor
  readonly #delivery: Delivery
  readonly #claim: Claim
  readonly #socket: Socket
  readonly #tail: Tail
  readonly #ticket: string
  #opening = true
  #closed = false
  #endedBy: EndReason | null = null
  /** The mailbox may hold more than was written. */
  #dirty = false
  /** True from birth: until the stream is live, hints only make it dirty. */
  #pumping = true
  /** A hint says that the device signed off; the next read tells. */
  #signedOff = false
  readonly #expiry: Expiry
  readonly #acks: Acknowledgements | null
  #beatAt: number
  #refreshAt: number

  constructor(delivery: Delivery, options: StreamOptions) {
    const { clock, ids, config } = delivery
    this.#delivery = delivery
    this.#claim = new Claim(delivery, options.actor)
    this.#socket = options.socket
    this.#tail = new Tail(delivery, options.actor, options.socket)
    this.#ticket = options.ticket
    this.actor = options.actor
    this.#expiry = new Expiry(options.actor.expiresAt)
    this.#acks = options.acknowledges ? new Acknowledgements(delivery, options.actor) : null
    // Streams that were opened in one moment, after a deploy say, shall not beat in one moment for ever.
    this.#beatAt = clock.now() + ids.between(config.heartbeatMs >> 1, config.heartbeatMs)
    this.#refreshAt = clock.now() + ids.between(refreshMs(delivery) >> 1, refreshMs(delivery))
  }

  /** Never rejects. Resolves when the stream is live, or over. */
  async open(position: Position | null): Promise<void> {
    const touched = await this.#enter()
    this.#opening = false
    if (this.#closed || !touched) return this.#delivery.settle(this.#leave())
    await this.#begin(position, touched).catch(error => this.#fail(error))
    await this.#pump()
  }

  wake(wakeup: Wakeup): void {
    if (this.#closed) return
    if (wakeup.kind === 'auth') {
      // While it opens, the token may have been shown before this connection.
      if (!this.#opening) this.#expiry.extend(wakeup.expiresAt)
    } else if (wakeup.kind === 'notice') {
      if (!this.#pumping) this.#tail.mention(wakeup)
    }
    // Perhaps late, and about an older connection than this one. If two that race believed it, neither would be left.
    else if (wakeup.kind === 'claimed') {
      if (wakeup.connection !== this.#claim.connection) this.#refreshSoon()
    } else if (wakeup.kind === 'event' && !this.#pumping && this.#tail.isNext(wakeup)) this.#writeLive(wakeup.events)
    else if (wakeup.kind !== 'event' || !this.#tail.isAtLast(wakeup)) {
      if (wakeup.kind === 'gone') this.#signedOff = true
      if (wakeup.kind === 'gap') this.#refreshSoon() // Not only events may be among what was lost.
      this.#dirty = true
      if (!this.#pumping) void this.#pump()
    }
  }

  /** Called by the one ticker of all streams. */
  tick(now: number): void {
    if (this.#expiry.hasCome(now)) this.end('auth_expired')
    if (this.#opening || this.#closed) return
    const expiresInMs = this.#expiry.takeNotice(now)
    if (expiresInMs !== null) this.#socket.write(noticeFrame('auth.expiring', { expiresInMs }, now))
    if (now >= this.#beatAt) {
      this.#beatAt = now + this.#delivery.config.heartbeatMs
      if (this.#acks?.isOverdue(now)) this.#refreshSoon()
      this.#tail.beat(now, this.#acks?.ask(now) ?? false)
    }
    if (now >= this.#refreshAt) void this.#refresh(now)
    if (this.#tail.isStalled(now)) this.end('slow')
  }

  /** Sends the client to another node. */
  dismiss(afterMs: number): void {
    if (this.#closed) return
    this.#socket.write(noticeFrame('reconnect', { afterMs }, this.#delivery.clock.now()))
    this.end('drain', afterMs)
  }

  /** Says why, and closes. Idempotent. */
  end(reason: EndReason, retryMs?: number): void {
    if (this.#closed) return
    const { clock, ids } = this.#delivery
    this.#endedBy = reason
    finish(this.#socket, endFrame(reason, retryMs ?? ids.between(1000, 4000), clock.now()), clock)
    this.close()
  }

  /** The socket has closed, or is about to. Idempotent. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    // While it enters, open() leaves when the store has answered: a claim on its way must not arrive after its release.
    if (!this.#opening) this.#delivery.settle(this.#leave())
  }

  /** Closes without waiting for what the client has not read. */
  destroy(): Promise<void> {
    return new Promise(resolve => {
      if (this.#socket.closed) return resolve()
      this.#socket.once('close', resolve)
      this.#socket.destroy()
    })
  }

  async #leave(): Promise<void> {
    const { hub, clock, config } = this.#delivery
    await hub.leave(this)
    if (this.#endedBy === 'superseded') return
    try {
      // Who is sent to another node has not left: the device is missed if it does not come back in time, as after a poll.
      if (this.#endedBy === 'drain') await this.#claim.renew(clock.now() + config.awayAfterMs)
      else await this.#claim.release()
    } finally {
      this.#delivery.lifecycle.left(this.actor)
    }
  }

  /** Subscribes first, then claims and reads: what is appended in between comes twice rather than never, and is taken once. */
  async #enter(): Promise<Touched | null> {
    try {
      await this.#delivery.hub.join(this)
      return this.#closed ? null : await this.#claim.take(this.#onlineUntil())
    } catch (error) {
      this.#fail(error)
      return null
    }
  }

  /** The one outcome of opening. */
  async #begin(position: Position | null, touched: Touched): Promise<void> {
    const outcome = await this.#position(position, touched)
    if (this.#closed) return
    if (outcome === 'replay') this.#tail.announce('caught-up')
    this.#delivery.metrics.resumes.inc({ outcome })
    this.#delivery.lifecycle.arrived(this.actor, touched.created || position === null ? touched.head : null)
  }

  async #position(position: Position | null, { created, head }: Touched): Promise<CaughtUp | 'hello'> {
    if (position === null) return this.#tail.hello(head)
    if (position === 'start') return this.#catchUp()
    // A mailbox that was born just now cannot know what the client has seen, whatever it would make of the cursor.
    if (created) return this.#tail.reset('expired', head)
    this.#tail.stand(position)
    return this.#catchUp()
  }

  async #pump(): Promise<void> {
    this.#pumping = true
    try {
      while (this.#dirty && !this.#closed) {
        this.#dirty = false
        await this.#catchUp()
      }
    } catch (error) {
      this.#dirty = true
      this.#refreshAt = Math.min(this.#refreshAt, this.#delivery.clock.now() + RETRY_READ_MS)
      this.#delivery.report(error)
    }
    this.#pumping = false
  }

  async #catchUp(): Promise<Exclude<CaughtUp, 'none'>> {
    for (;;) {
      const outcome = await this.#tail.catchUp()
      if (outcome !== 'none') {
        this.#signedOff = false
        return outcome
      }
      if (this.#signedOff) this.end('signed_off')
      else await this.#audit()
      if (this.#closed) return 'closed'
    }
  }

  #writeLive(events: readonly StoredEvent[]): void {
    this.#tail.write(events)
    if (this.#socket.writableLength > BACKLOG_LIMIT) this.end('slow')
  }

  #refreshSoon(): void {
    this.#refreshAt = 0
    if (!this.#opening) void this.#refresh(this.#delivery.clock.now())
  }

  /** Renews presence and ticket, and looks whether what the stream believes is so. On a fault: again at the next round. */
  async #refresh(now: number): Promise<void> {
    this.#refreshAt = now + refreshMs(this.#delivery)
    try {
      await this.#audit()
      if (this.#ticket !== '') await this.#delivery.store.tickets.use(this.actor.user, this.#ticket, TICKET_USED_MS)
    } catch (error) {
      this.#acks?.startOver()
      this.#delivery.report(error)
    }
    if (this.#dirty && !this.#pumping) await this.#pump()
  }

  async #audit(): Promise<void> {
    const touched = await this.#claim.renew(this.#onlineUntil())
    if (this.#closed) return
    if (touched?.connection !== this.#claim.connection) return this.end(touched ? 'superseded' : 'too_many_devices')
    this.#expiry.extend(touched.authExpiresAt)
    // A record that was lost, in a failover or to the retention, has a new head too: the next read answers with a reset.
    if (!this.#tail.isAt(touched.head)) this.#dirty = true
    if (touched.created) this.#delivery.lifecycle.arrived(this.actor, touched.head)
    if (await this.#acks?.areMissed(touched.requestedAt)) this.end('unresponsive')
  }

  #onlineUntil(): number {
    return this.#delivery.clock.now() + this.#delivery.config.presenceTtlMs
  }

  #fail(error: unknown): void {
    this.#delivery.report(error)
    this.end(endOf(error))
  }
}
