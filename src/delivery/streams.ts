// All streams and polls of this process: opens them, ticks the streams, and ends both when the node drains or closes.
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { wait } from '../clock.js'
import { AppError } from '../errors.js'
import { nodeNameOf } from '../ids.js'
import type { Actor } from '../schemas/claims.js'
import { parseCursor, parseResumePosition } from '../store/cursor.js'
import { type DeliveryContext, type DeliveryOptions, refreshMs } from './context.js'
import { probeClient, whenHalfClosed } from './half-closed.js'
import { NewestPolls, whenClosed } from './newest-polls.js'
import { createOpeningQueue } from './opening-queue.js'
import { Poll } from './poll.js'
import { type Headers, takeOver } from './sse.js'
import { EventStream } from './stream.js'

export interface StreamRequest {
  readonly actor: Actor
  readonly cursor: string | undefined
  /** The secret of the ticket that authenticated the request. */
  readonly ticket?: string | undefined
  /** The client promises to acknowledge heartbeats with `ack: true`. */
  readonly acknowledges?: boolean | undefined
  readonly maxBytes?: number | undefined
  readonly res: ServerResponse
  /** Set by hooks so far. */
  readonly headers: Headers
}

export interface PollRequest {
  readonly actor: Actor
  readonly cursor: string | undefined
  readonly waitMs: number
  readonly limit: number
  readonly maxBytes: number
  readonly res: ServerResponse
}

/** After drain() and close() every open() and poll() is refused with shutting_down. */
export interface Streams {
  /** Replies on the socket of the response; the caller hijacks it. @throws AppError shutting_down, before any reply */
  open(request: StreamRequest): void
  /** The reply as JSON text. @throws AppError invalid_cursor, shutting_down, superseded, too_many_devices, store_unavailable */
  poll(request: PollRequest): Promise<string>
  /** The devices connected to this node. */
  connected(): readonly Actor[]
  /** How many are open, by transport. */
  count(): { readonly sse: number; readonly poll: number }
  /**
   * Tells the clients of all streams to connect again, and ends the streams over `windowMs`. Those that open meanwhile stay. Resolves when it
   * is done or `signal` is aborted.
   */
  sendAway(options: { windowMs: number; signal: AbortSignal }): Promise<void>
  /** Ends all streams and polls over `windowMs`. Resolves when all have left. */
  drain(options: { windowMs: number }): Promise<void>
  /** Ends all streams and polls at once. No stream, timer or subscription remains when it resolves. Idempotent. */
  close(): Promise<void>
}

const DRAIN_STEPS = 20
const TICKS_PER_HEARTBEAT = 20
const TICK_MS = { min: 10, max: 500 }

export function createStreams(options: DeliveryOptions): Streams {
  return new OpenStreams(options)
}

class OpenStreams implements Streams {
  readonly #context: DeliveryContext
  readonly #streams = new Map<Socket, EventStream>()
  readonly #polls = new Set<Poll>()
  readonly #newestPolls = new NewestPolls()
  readonly #work = new Set<Promise<unknown>>()
  readonly #stopTicking: () => void
  readonly #stopRevoking: () => void
  readonly #onSocketClose: (this: Socket) => void
  #isAccepting = true

  constructor(options: DeliveryOptions) {
    const { clock, log, metrics } = options
    const report = (error: unknown) => {
      if (!(error instanceof AppError)) log.error({ err: error }, 'stream failed')
    }
    const settle = (promise: Promise<unknown>) => {
      const settled = promise.catch(report).finally(() => this.#work.delete(settled))
      this.#work.add(settled)
    }
    this.#context = { ...options, nodeName: nodeNameOf(options.node), openings: createOpeningQueue(), settle, report }
    const streams = this.#streams
    // One listener for all sockets: an idle stream has no closure of its own.
    this.#onSocketClose = function () {
      const stream = streams.get(this)
      streams.delete(this)
      metrics.streamsOpen.dec({ transport: 'sse' })
      stream?.close()
    }
    const { store, hub } = options
    this.#stopRevoking = store.revocations.onRevoked(user => {
      for (const subscriber of hub.subscribersOf(user)) subscriber.endIfRevoked()
    })
    this.#stopTicking = clock.every(tickMs(options), () => {
      const now = clock.now()
      for (const stream of streams.values()) stream.tick(now)
    })
  }

  open({ cursor, res, headers, ...request }: StreamRequest): void {
    const { clock, config, metrics } = this.#context
    this.#admit()
    // A 400 would close an EventSource for good.
    const position = parseResumePosition(cursor)
    const streamSocket = takeOver(res, headers, { now: clock.now(), releasesParser: config.streamReleaseParser })
    if (!streamSocket) return
    const { actor, ticket = '', acknowledges = false, maxBytes } = request
    const stream = new EventStream(this.#context, { actor, streamSocket, ticket, acknowledges, maxBytes })
    this.#streams.set(streamSocket.socket.on('close', this.#onSocketClose), stream)
    metrics.streamsOpen.inc({ transport: 'sse' })
    this.#context.settle(stream.open(position))
  }

  async poll({ actor, cursor, waitMs, limit, maxBytes, res }: PollRequest): Promise<string> {
    const { streamsOpen } = this.#context.metrics
    this.#admit()
    const position = parseCursor(cursor)
    const poll = new Poll(this.#context, actor)
    const markAnswered = this.#newestPolls.add(actor, res)
    this.#polls.add(poll)
    streamsOpen.inc({ transport: 'poll' })
    whenClosed(res, () => poll.close())
    whenHalfClosed(res, () => probeClient(res, poll, this.#context.clock))
    try {
      const body = await poll.answer({ position, waitMs, limit, maxBytes })
      markAnswered()
      return body
    } finally {
      this.#polls.delete(poll)
      streamsOpen.dec({ transport: 'poll' })
    }
  }

  connected(): readonly Actor[] {
    return [...this.#streams.values(), ...this.#polls].map(({ actor }) => actor)
  }

  count(): { readonly sse: number; readonly poll: number } {
    return { sse: this.#streams.size, poll: this.#polls.size }
  }

  async drain({ windowMs }: { windowMs: number }): Promise<void> {
    this.#stopAccepting()
    await this.sendAway({ windowMs })
    await this.#settled()
  }

  async sendAway({ windowMs, signal }: { windowMs: number; signal?: AbortSignal }): Promise<void> {
    const { clock, ids } = this.#context
    for (const poll of this.#polls) poll.hurry()
    const waiting = [...this.#streams.values()]
    for (let left = windowMs > 0 ? DRAIN_STEPS : 1; left > 0 && !signal?.aborted; left--) {
      for (const stream of waiting.splice(0, Math.ceil(waiting.length / left))) stream.dismiss(ids.between(100, 1000))
      if (left > 1 && waiting.length > 0) await wait(clock, windowMs / DRAIN_STEPS, signal)
    }
  }

  async close(): Promise<void> {
    this.#stopTicking()
    this.#stopRevoking()
    this.#stopAccepting()
    for (const stream of this.#streams.values()) stream.end('drain')
    await Promise.all([...this.#streams.values()].map(stream => stream.destroy()))
    await this.#settled()
  }

  #admit(): void {
    if (!this.#isAccepting) throw new AppError('shutting_down')
  }

  #stopAccepting(): void {
    this.#isAccepting = false
    for (const poll of this.#polls) poll.hurry()
  }

  async #settled(): Promise<void> {
    while (this.#work.size > 0) await Promise.all(this.#work)
  }
}

function tickMs(options: DeliveryOptions): number {
  const shortestMs = Math.min(options.config.heartbeatMs, refreshMs(options))
  return Math.min(TICK_MS.max, Math.max(TICK_MS.min, Math.floor(shortestMs / TICKS_PER_HEARTBEAT)))
}
