// All streams and polls of this process: they open here, one ticker keeps them all, and a node that shuts down sends them away.
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { wait } from '../clock.js'
import { AppError } from '../errors.js'
import type { Actor } from '../schemas/claims.js'
import { type Delivery, type DeliveryOptions, refreshMs } from './context.js'
import { parseCursor } from './cursor.js'
import { createOpenings } from './openings.js'
import { Poll } from './poll.js'
import { type Headers, takeOver } from './sse.js'
import { EventStream } from './stream.js'

export interface StreamRequest {
  readonly actor: Actor
  readonly cursor: string | undefined
  /** The secret of the ticket that the request was made with. */
  readonly ticket?: string | undefined
  /** The client promises to acknowledge heartbeats that ask for it. */
  readonly acknowledges?: boolean | undefined
  readonly res: ServerResponse
  /** What hooks have set so far. */
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

export interface Streams {
  /** Answers on the response's own socket; the caller hijacks. Throws invalid_cursor or shutting_down, and has then done nothing. */
  open(request: StreamRequest): void
  /** The reply as JSON text. Throws invalid_cursor, shutting_down, superseded, too_many_devices and store_unavailable. */
  poll(request: PollRequest): Promise<string>
  /** Who is connected to this node. */
  connected(): readonly Actor[]
  /** How many are open, by transport. */
  count(): { readonly sse: number; readonly poll: number }
  /** Takes nothing new from now on, and sends away what is open over `windowMs`. Resolves when all have left. */
  drain(options: { windowMs: number }): Promise<void>
  /** Ends all that is open, at once. Nothing of it is left when this resolves: no stream, timer or subscription. Idempotent. */
  close(): Promise<void>
}

const DRAIN_STEPS = 20
const TICKS_PER_BEAT = 20

export function createStreams(options: DeliveryOptions): Streams {
  const { clock, ids, log, metrics, config } = options
  const streams = new Map<Socket, EventStream>()
  const polls = new Set<Poll>()
  /** By device, the newest poll on this node, until its reply has left this process. */
  const newest = new Map<string, { readonly res: ServerResponse; isAnswered: boolean }>()
  const work = new Set<Promise<unknown>>()
  let accepts = true

  const delivery: Delivery = {
    ...options,
    openings: createOpenings(),
    settle(promise) {
      const settled = promise.catch(delivery.report).finally(() => work.delete(settled))
      work.add(settled)
    },
    report(error) {
      if (!(error instanceof AppError)) log.error({ err: error }, 'a stream failed')
    }
  }

  const beatMs = Math.min(config.heartbeatMs, refreshMs(options))
  const stopTicking = clock.every(Math.min(500, Math.max(10, Math.floor(beatMs / TICKS_PER_BEAT))), () => {
    const now = clock.now()
    for (const stream of streams.values()) stream.tick(now)
  })

  /** One listener for all: an idle stream keeps no closure of its own. */
  function closed(this: Socket): void {
    const stream = streams.get(this)
    streams.delete(this)
    metrics.streamsOpen.dec({ transport: 'sse' })
    stream?.close()
  }

  function admit(): void {
    if (!accepts) throw new AppError('shutting_down')
  }

  /** A device has one poll: a newer one closes the reply of the one before that nobody reads. */
  function beNewest({ user, device }: Actor, res: ServerResponse): () => void {
    const key = `${user} ${device}`
    const previous = newest.get(key)
    if (previous?.isAnswered) previous.res.destroy()
    const mine = { res, isAnswered: false }
    newest.set(key, mine)
    const isNewest = () => newest.get(key) === mine
    whenClosed(res, () => isNewest() && newest.delete(key))
    return function answered(): void {
      if (!isNewest()) throw new AppError('superseded')
      mine.isAnswered = true
    }
  }

  async function settled(): Promise<void> {
    while (work.size > 0) await Promise.all(work)
  }

  return {
    open({ actor, cursor, ticket = '', acknowledges = false, res, headers }) {
      admit()
      const position = parseCursor(cursor)
      const socket = takeOver(res, headers, { retryMs: ids.between(1000, 4000), now: clock.now() })
      if (!socket) return
      const stream = new EventStream(delivery, { actor, socket, ticket, acknowledges })
      streams.set(socket.on('close', closed), stream)
      metrics.streamsOpen.inc({ transport: 'sse' })
      delivery.settle(stream.open(position))
    },

    async poll({ actor, cursor, waitMs, limit, maxBytes, res }) {
      admit()
      const position = parseCursor(cursor)
      const poll = new Poll(delivery, actor)
      const answered = beNewest(actor, res)
      polls.add(poll)
      metrics.streamsOpen.inc({ transport: 'poll' })
      whenClosed(res, () => poll.close())
      try {
        const body = await poll.answer({ position, waitMs, limit, maxBytes })
        answered()
        return body
      } finally {
        polls.delete(poll)
        metrics.streamsOpen.dec({ transport: 'poll' })
      }
    },

    connected: () => [...streams.values(), ...polls].map(({ actor }) => actor),

    count: () => ({ sse: streams.size, poll: polls.size }),

    async drain({ windowMs }) {
      accepts = false
      for (const poll of polls) poll.hurry()
      const waiting = [...streams.values()]
      for (let left = windowMs > 0 ? DRAIN_STEPS : 1; left > 0; left--) {
        for (const stream of waiting.splice(0, Math.ceil(waiting.length / left))) stream.dismiss(ids.between(100, 1000))
        if (left > 1 && waiting.length > 0) await wait(clock, windowMs / DRAIN_STEPS)
      }
      await settled()
    },

    async close() {
      accepts = false
      stopTicking()
      for (const poll of polls) poll.hurry()
      for (const stream of streams.values()) stream.end('drain')
      await Promise.all([...streams.values()].map(stream => stream.destroy()))
      await settled()
    }
  }
}

/** Also for a reply that is closed already: the client may have gone while its request was being admitted. */
function whenClosed(res: ServerResponse, run: () => void): void {
  if (res.closed) run()
  else res.once('close', run)
}
