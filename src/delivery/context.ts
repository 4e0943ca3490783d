// What the streams and polls of a process share. Each holds one pointer to it.
import type { FastifyBaseLogger } from 'fastify'
import type { Clock } from '../clock.js'
import type { Config } from '../config.js'
import type { Ids } from '../ids.js'
import type { Metrics } from '../metrics.js'
import type { Actor } from '../schemas/claims.js'
import type { Cursor, Store } from '../store/store.js'
import type { Hub } from './hub.js'
import type { OpeningQueue } from './opening-queue.js'
import type { StreamSocket } from './sse.js'

export interface NewConnection {
  /** The head of the mailbox if the device is new or came without a cursor; else null. */
  readonly since: Cursor | null
  /** See `Touched.isInvolved`. */
  readonly isInvolved: boolean
  /** False: a poll. */
  readonly isStream: boolean
}

export interface DeliveryOptions {
  readonly store: Store
  readonly hub: Hub
  readonly clock: Clock
  readonly ids: Ids
  readonly node: string
  readonly log: Pick<FastifyBaseLogger, 'debug' | 'error'>
  readonly metrics: Pick<Metrics, 'streamsOpen' | 'eventsDelivered' | 'resumes'>
  readonly config: Pick<Config, 'heartbeatMs' | 'presenceTtlMs' | 'awayAfterMs' | 'streamReleaseParser'>
  /** The device has opened a stream or a poll. Returns at once and never throws. */
  onConnected(actor: Actor, connection: NewConnection): void
  /** Its stream or poll has ended and was not superseded. Returns at once and never throws. */
  onDisconnected(actor: Actor): void
  /** The device is in a live call or in a room. @throws AppError store_unavailable */
  isEngaged(actor: Actor): Promise<boolean>
}

export interface DeliveryContext extends DeliveryOptions {
  /** See nodeNameOf. */
  readonly nodeName: string
  readonly openings: OpeningQueue
  /** Registers work that may outlive its stream. close() waits for it; a failure is reported. */
  settle(work: Promise<unknown>): void
  /** Logs the error unless it is an AppError: an unavailable store is expected, and the work is tried again. */
  report(error: unknown): void
}

export interface StreamOptions {
  readonly actor: Actor
  readonly streamSocket: StreamSocket
  /** The secret of its ticket, or ''. */
  readonly ticket: string
  /** The client promised to acknowledge heartbeats with `ack: true`. */
  readonly acknowledges: boolean
  /** Of the body. Without it the stream has no end. */
  readonly maxBytes?: number | undefined
}

/** How often a stream renews its presence. Two refreshes may fail before the device counts as absent. */
export function refreshMs({ config }: Pick<DeliveryOptions, 'config'>): number {
  return Math.ceil(config.presenceTtlMs / 3)
}
