// The events of one device: by stream, or by long-poll while streams do not get through. Both have one cursor.
import type { Snapshot } from './api.js'
import type { Inbox } from './inbox.js'
import { canStream, isOffline, listen, onLateTimer, onlineOrAfter } from './platform.js'
import { mayRepeat, type Problem } from './problem.js'
import { backoffMs, problemFrom, type Requests } from './requests.js'
import { type ReceivedEvent, readStream } from './stream.js'
import type { Times } from './times.js'

export type ConnectionState = 'connecting' | 'live' | 'polling' | 'offline' | 'closed'

export type Transport = 'auto' | 'sse' | 'poll'

export interface ConnectionOwner {
  /** Also called again with the same state, as a proof that the connection is being looked after. */
  onState(state: ConnectionState): void
  /** A new event of the mailbox, or a notice. */
  onEvent(event: ReceivedEvent): void
  /**
   * Events may be missing before this cursor, by default that of the snapshot. Resolves to the snapshot, which is read if it is not given;
   * the events that follow wait for it.
   */
  onReset(reason: string, cursor?: string, snapshot?: Snapshot): Promise<Snapshot>
  /** The connection has ended and must not be opened again. `problem`: a request was refused; null: the server ended it. */
  onEnd(reason: string, problem: Problem | null): void
  onError(error: unknown): void
}

export interface ConnectionOptions {
  readonly requests: Requests
  readonly inbox: Inbox
  readonly transport: Transport
  readonly times: Times
  readonly owner: ConnectionOwner
}

interface PollReply {
  readonly events: readonly ReceivedEvent[]
  readonly notices?: readonly ReceivedEvent[]
}

/** A poll waits for 25 s at most. */
const POLL_S = 25
const POLL_TIMEOUT_MS = 40_000
/** Streams that became silent in a row before the first heartbeat; then a proxy holds back what follows the first events. */
const SILENT_STREAMS_MAX = 2

export class Connection {
  readonly #options: ConnectionOptions
  readonly #stopping = new AbortController()
  /** Of the current stream or poll, and of the wait after it. */
  #attempt = new AbortController()
  /** It waits before the next attempt, and not because the server asks for it. */
  #isBackingOff = false
  #failures = 0
  #silentStreams = 0
  #pollUntil = 0
  #streamMs: number
  #heartbeatMs = 15_000
  #lastEventAt = 0
  /** When a heartbeat asked for an acknowledgement. */
  #askedAt = 0

  constructor(options: ConnectionOptions) {
    this.#options = options
    this.#streamMs = options.times.streamMs
  }

  start(): void {
    for (const type of ['online', 'offline']) listen(type, () => this.#reconnect(), this.#stopping)
    onLateTimer(this.#options.times.sleepMs, () => this.#reconnectIfSilent(), this.#stopping)
    void this.#run()
  }

  stop(): void {
    this.#stopping.abort()
    this.#attempt.abort()
  }

  /** There is no other tab. */
  share(_act: unknown): void {}

  get #isStopped(): boolean {
    return this.#stopping.signal.aborted
  }

  /** Ends a back-off. */
  hurry(): void {
    if (this.#isBackingOff) this.#attempt.abort()
  }

  /** Timers of a page in the background are late as after a sleep, but its events arrive in time. */
  #reconnectIfSilent(): void {
    if (Date.now() - this.#lastEventAt > this.#heartbeatMs + this.#options.times.sleepMs) this.#reconnect()
  }

  /** The network may be another one: the open connection counts as dead. */
  #reconnect(): void {
    this.#failures = 0
    this.#pollUntil = 0
    this.#streamMs = this.#options.times.streamMs
    this.#attempt.abort()
  }

  async #run(): Promise<void> {
    this.#report()
    while (!this.#isStopped) {
      this.#isBackingOff = false
      this.#attempt = new AbortController()
      const { signal } = this.#attempt
      const ended = this.#polls ? this.#poll(signal) : this.#stream(signal)
      // Null if only the transport changes.
      const waitMs = await ended.catch(error => this.#afterFailure(error, signal))
      if (this.#isStopped || waitMs === null) continue
      this.#report()
      await onlineOrAfter(waitMs, signal)
    }
  }

  #report(): void {
    this.#options.owner.onState(isOffline() ? 'offline' : 'connecting')
  }

  get #polls(): boolean {
    const { transport } = this.#options
    return transport === 'auto' ? !canStream() || Date.now() < this.#pollUntil : transport === 'poll'
  }

  #afterFailure(error: unknown, signal: AbortSignal): number {
    if (signal.aborted) return 0
    const problem = problemFrom(error)
    if (!mayRepeat(problem)) this.#end(problem.code, problem.code === 'superseded' ? null : problem)
    return problem.retryAfterMs ?? this.#backOff()
  }

  #backOff(): number {
    this.#isBackingOff = true
    return backoffMs(++this.#failures)
  }

  #end(reason: string, problem: Problem | null): void {
    this.stop()
    this.#options.owner.onEnd(reason, problem)
  }

  // ── Stream ──

  async #stream(signal: AbortSignal): Promise<number | null> {
    const { requests, inbox, times, transport } = this.#options
    let afterMs: number | null = null
    const onEvent = async (event: ReceivedEvent) => {
      if (!signal.aborted) afterMs = (await this.#receive(event)) ?? afterMs
    }
    const { firstMs } = times
    const { fault, retryMs } = await readStream({ requests, cursor: inbox.cursor, signal, firstMs, onEvent })
    if (signal.aborted) return 0
    if (fault === 'silent') this.#silentStreams++
    if (transport === 'sse' || (fault !== 'unusable' && this.#silentStreams < SILENT_STREAMS_MAX))
      return afterMs ?? retryMs ?? this.#backOff()
    this.#pollUntil = Date.now() + this.#streamMs
    this.#streamMs *= 2
    return null
  }

  /** Resolves to the time after which to reconnect, if the event says so. */
  async #receive(event: ReceivedEvent): Promise<number | null> {
    const { type, data } = event
    const isStart = type === 'hello' || type === 'caught-up'
    this.#lastEventAt = Date.now()
    this.#heartbeatMs = Number(data.heartbeatMs) || this.#heartbeatMs
    if (type === 'end') return this.#afterEnd(data)
    if (type === 'reconnect') return data.afterMs as number
    if (type === 'auth.expiring') this.#extend()
    else if (type === 'heartbeat') this.#beat(Boolean(data.ack))
    else if (!isStart) await this.#deliver(event)
    if (isStart || type === 'reset') this.#becomeLive()
    return null
  }

  #becomeLive(): void {
    this.#failures = 0
    this.#askedAt = Date.now()
    this.#options.owner.onState('live')
  }

  /**
   * Any request acknowledges the heartbeats before it. If one was sent since the last question, this one is left for later: the server
   * waits for two heartbeats.
   */
  #beat(asks: boolean): void {
    this.#silentStreams = 0
    this.#streamMs = this.#options.times.streamMs
    this.#options.owner.onState('live')
    if (!asks) return
    if (this.#options.requests.lastSentAt <= this.#askedAt) this.#touch()
    this.#askedAt = Date.now()
  }

  /** Any request with a new token extends the stream. */
  #extend(): void {
    const { requests, owner } = this.#options
    requests.refreshToken().then(
      () => this.#touch(),
      error => owner.onError(error)
    )
  }

  /** If it fails, the stream ends and is opened again. */
  #touch(): void {
    this.#options.requests.send({ method: 'PUT', path: '/presence', body: {}, retry: false }).catch(() => {})
  }

  async #afterEnd({ reason, reconnect, afterMs }: ReceivedEvent['data']): Promise<number | null> {
    if (reconnect) return (afterMs ?? null) as number | null
    if (reason === 'auth_expired') await this.#options.requests.refreshToken()
    else this.#end(String(reason), null)
    return 0
  }

  // ── Long-poll ──

  async #poll(signal: AbortSignal): Promise<null> {
    const { requests, inbox, owner } = this.#options
    // The first one does not wait: its reply shows that events arrive.
    for (let waitS = 0; this.#polls && !signal.aborted; waitS = this.#pollS) {
      const path = `/events/poll?cursor=${encodeURIComponent(inbox.cursor)}&wait=${waitS}`
      const request = { method: 'GET', path, timeoutMs: POLL_TIMEOUT_MS, retry: false, signal } as const
      const { events, notices = [] } = (await requests.send(request)) as PollReply
      if (signal.aborted) break
      this.#failures = 0
      this.#lastEventAt = Date.now()
      owner.onState('polling')
      for (const event of [...events, ...notices]) await this.#deliver(event)
    }
    return null
  }

  /** Until a stream is tried again. */
  get #pollS(): number {
    const leftS = Math.ceil((this.#pollUntil - Date.now()) / 1000)
    return leftS > 0 ? Math.min(leftS, POLL_S) : POLL_S
  }

  async #deliver(event: ReceivedEvent): Promise<void> {
    const { inbox, owner } = this.#options
    if (this.#isStopped) return
    if (event.type === 'reset') await owner.onReset(String(event.data.reason), String(event.data.cursor))
    else if (inbox.receive(event)) owner.onEvent(event)
  }
}
