// What every stream and poll of a process shares. One pointer a stream instead of many.
import type { Socket } from 'node:net'
import type { FastifyBaseLogger } from 'fastify'
import type { Clock } from '../clock.js'
import type { Config } from '../config.js'
import type { Ids } from '../ids.js'
import type { Metrics } from '../metrics.js'
import type { Actor } from '../schemas/claims.js'
import type { Cursor, Store } from '../store/store.js'
import type { Hub } from './hub.js'
import type { Openings } from './openings.js'

export interface Arrival {
  /** The device is new, or came without a cursor, and knows nothing of what came before this. */
  readonly since: Cursor | null
  /** See `Touched.isInvolved`. */
  readonly isInvolved: boolean
}

/** What delivery tells of devices, and asks. `arrived` and `left` never throw, and delivery does not wait for them. */
export interface Lifecycle {
  /** The device has opened a stream or a poll. */
  arrived(actor: Actor, arrival: Arrival): void
  /** Its stream or poll is over, and no newer one of the device was seen to take its place. */
  left(actor: Actor): void
  /** The device is in a live call or in a room: somebody waits for it. Throws store_unavailable. */
  isEngaged(actor: Actor): Promise<boolean>
}

export interface DeliveryOptions {
  readonly store: Store
  readonly hub: Hub
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Pick<FastifyBaseLogger, 'debug' | 'error'>
  readonly metrics: Pick<Metrics, 'streamsOpen' | 'eventsDelivered' | 'resumes'>
  readonly lifecycle: Lifecycle
  readonly config: Pick<Config, 'heartbeatMs' | 'presenceTtlMs' | 'awayAfterMs'>
}

export interface Delivery extends DeliveryOptions {
  readonly openings: Openings
  /** Work that outlives a stream by a moment; close() waits for it. Its failure is nobody's business but the log's. */
  settle(work: Promise<unknown>): void
  /** A store that is away is expected, and tried again. Anything else is a bug of ours. */
  report(error: unknown): void
}

/** What a stream is opened with. */
export interface StreamOptions {
  readonly actor: Actor
  readonly socket: Socket
  /** The secret of its ticket, or ''. */
  readonly ticket: string
  /** The client promised to acknowledge heartbeats that ask for it. */
  readonly acknowledges: boolean
}

/** How often a stream renews its presence: three chances before the device counts as gone. */
export function refreshMs({ config }: Pick<DeliveryOptions, 'config'>): number {
  return Math.ceil(config.presenceTtlMs / 3)
}

/** A ticket outlives its last use, and the last refresh of a stream opened with it, by so much: time for EventSource to reconnect. */
export const TICKET_USED_MS = 120_000
