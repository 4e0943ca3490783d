// The events of one device: by stream, or by long-poll while streams do not get through. Both have one cursor.
import { isOffline, listen, onlineOrAfter } from './platform.js'
import type { Problem } from './problem.js'
import { backoffMs, problemFrom, type Requests } from './requests.js'
import { type ReceivedEvent, readStream } from './stream.js'

export type ConnectionState = 'connecting' | 'live' | 'polling' | 'offline' | 'closed'

export type Transport = 'auto' | 'sse' | 'poll'

/** In ms. Tests make them short. */
export interface Times {
  /** The first event of a stream has to arrive within this time. */
  readonly firstEventMs: number
  /** While it polls, a stream is tried again after this time, then after twice as long, and so on. */
  readonly streamAgainMs: number
  /** A timer that is late by more than this shows that the machine was asleep. */
  readonly asleepMs: number
}

export const TIMES: Times = { firstEventMs: 3000, streamAgainMs: 60_000, asleepMs: 5000 }

export interface ConnectionOptions {
  readonly requests: Requests
  readonly transport: Transport
  readonly times: Times
  readonly onState: (state: ConnectionState) => void
  /** An event of the mailbox, or a notice. */
  readonly onEvent: (event: ReceivedEvent) => void
  /** Events may be missing. The events that follow wait until it resolves. */
  readonly onReset: (reason: string) => Promise<void>
  /** It does not come back. */
  readonly onEnd: (reason: string, problem: Problem | null) => void
  readonly onError: (error: unknown) => void
}

/** A poll waits for 25 s; its reply may take some seconds more. */
interface PollReply {
  readonly events: readonly ReceivedEvent[]
  readonly notices?: readonly ReceivedEvent[]
  readonly cursor: string
}

const POLL_TIMEOUT_MS = 40_000
const SILENT_STREAMS_MAX = 2

export class Connection {
  readonly #options: ConnectionOptions
  readonly #offs: (() => void)[] = []
  #cursor = ''
  #isStopped = true
  /** Of the current stream or poll, and of the wait after it. */
  #attempt = new AbortController()
  #failures = 0
  /** Streams in a row that became silent before their first heartbeat. */
  #silentStreams = 0
  #pollUntil = 0
  #streamAgainMs: number
  #heartbeatMs = 15_000
  #lastEventAt = 0
  #askedAt = 0

  constructor(options: ConnectionOptions) {
    this.#options = options
    this.#streamAgainMs = options.times.streamAgainMs
  }

  get cursor(): string {
    return this.#cursor
  }

  start(cursor: string): void {
    this.#cursor = cursor
    this.#isStopped = false
    this.#watch()
    void this.#run()
  }

  stop(): void {
    this.#isStopped = true
    this.#attempt.abort()
    for (const off of this.#offs.splice(0)) off()
  }

  /** Opens a new stream at once. */
  reconnect(): void {
    this.#failures = 0
    this.#pollUntil = 0
    this.#attempt.abort()
  }

  #watch(): void {
    const { asleepMs } = this.#options.times
    let last = Date.now()
    const timer = setInterval(() => {
      const isLate = Date.now() - last > 2 * asleepMs
      last = Date.now()
      // A page in the background has late timers, too, but its stream arrives in time.
      if (isLate && last - this.#lastEventAt > this.#heartbeatMs + asleepMs) this.reconnect()
    }, asleepMs)
    this.#offs.push(() => clearInterval(timer))
    this.#offs.push(listen(globalThis as unknown as EventTarget, 'online', () => this.reconnect()))
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      this.#options.onState(isOffline() ? 'offline' : 'connecting')
      this.#attempt = new AbortController()
      const { signal } = this.#attempt
      const waitMs = await this.#connect(signal).catch(error => this.#afterFailure(error, signal))
      if (waitMs > 0) await onlineOrAfter(waitMs, signal)
    }
  }

  /** Resolves to the time until the next attempt. */
  #connect(signal: AbortSignal): Promise<number> {
    const { transport } = this.#options
    const polls = transport === 'poll' || (transport === 'auto' && Date.now() < this.#pollUntil)
    return polls ? this.#poll(signal) : this.#stream(signal)
  }

  #afterFailure(error: unknown, signal: AbortSignal): number {
    if (signal.aborted) return 0
    const problem = problemFrom(error)
    // A conflict is not repeated: this device was superseded, or the user has too many devices.
    if (!problem.retryable || problem.status === 409) return this.#end(problem.code, problem)
    this.#failures++
    return problem.retryAfterMs ?? backoffMs(this.#failures)
  }

  #end(reason: string, problem: Problem | null): 0 {
    this.stop()
    this.#options.onEnd(reason, problem)
    return 0
  }

  // ── Stream ──

  async #stream(signal: AbortSignal): Promise<number> {
    const { requests, times, transport } = this.#options
    let waitMs: number | null = null
    const onEvent = async (event: ReceivedEvent) => {
      if (signal.aborted) return
      waitMs = (await this.#receive(event)) ?? waitMs
    }
    const { firstEventMs } = times
    const { how, retryMs } = await readStream({ requests, cursor: this.#cursor, signal, firstEventMs, onEvent })
    if (signal.aborted) return 0
    if (how === 'silent') this.#silentStreams++
    if (transport === 'sse' || (how !== 'unusable' && this.#silentStreams < SILENT_STREAMS_MAX))
      return waitMs ?? retryMs ?? backoffMs(++this.#failures)
    this.#pollUntil = Date.now() + this.#streamAgainMs
    this.#streamAgainMs *= 2
    return 0
  }

  /** Resolves to the time after which to reconnect, if the event says so. */
  async #receive(event: ReceivedEvent): Promise<number | null> {
    const { type, data } = event
    this.#lastEventAt = Date.now()
    if (typeof data.heartbeatMs === 'number') this.#heartbeatMs = data.heartbeatMs
    switch (type) {
      case 'hello':
      case 'caught-up':
        this.#becomeLive(event)
        return null
      case 'heartbeat':
        this.#silentStreams = 0
        if (data.ack === true) this.#acknowledge()
        return null
      case 'auth.expiring':
        this.#extend()
        return null
      case 'reconnect':
        return Number(data.afterMs)
      case 'end':
        return this.#endStream(data)
      default:
        await this.#deliver(event)
        if (type === 'reset') this.#becomeLive(event)
        return null
    }
  }

  #becomeLive({ id }: ReceivedEvent): void {
    if (id) this.#cursor = id
    this.#failures = 0
    this.#streamAgainMs = this.#options.times.streamAgainMs
    this.#askedAt = Date.now()
    this.#options.onState('live')
  }

  /** Any request acknowledges. One that was sent before the heartbeat counts for the heartbeat before: the server waits for two. */
  #acknowledge(): void {
    const { requests } = this.#options
    if (requests.lastSentAt <= this.#askedAt) this.#touch()
    this.#askedAt = Date.now()
  }

  /** Any request with the new token extends the stream. */
  #extend(): void {
    this.#options.requests.refreshToken().then(() => this.#touch(), this.#options.onError)
  }

  #touch(): void {
    const request = { method: 'PUT', path: '/presence', body: {}, retry: false } as const
    this.#options.requests.send(request).catch(this.#options.onError)
  }

  async #endStream({ reason, reconnect, afterMs }: ReceivedEvent['data']): Promise<number | null> {
    if (reconnect === true) return typeof afterMs === 'number' ? afterMs : null
    if (reason !== 'auth_expired') return this.#end(String(reason), null)
    await this.#options.requests.refreshToken()
    return 0
  }

  // ── Long-poll ──

  async #poll(signal: AbortSignal): Promise<number> {
    const { requests, transport, onState } = this.#options
    // The first one does not wait: its reply shows that events arrive.
    for (let wait = '&wait=0'; transport === 'poll' || Date.now() < this.#pollUntil; wait = '') {
      const path = `/events/poll?cursor=${encodeURIComponent(this.#cursor)}${wait}`
      const request = { method: 'GET', path, timeoutMs: POLL_TIMEOUT_MS, retry: false, signal } as const
      const { events, notices = [], cursor } = (await requests.send(request)) as PollReply
      if (signal.aborted) return 0
      this.#failures = 0
      onState('polling')
      for (const event of [...events, ...notices]) await this.#deliver(event)
      this.#cursor = cursor
    }
    return 0
  }

  async #deliver(event: ReceivedEvent): Promise<void> {
    const { onEvent, onReset } = this.#options
    if (event.type === 'reset') await onReset(String(event.data.reason))
    else onEvent(event)
    if (event.id) this.#cursor = event.id
  }
}
