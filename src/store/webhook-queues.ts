// Part of the port in store.ts: webhook queues. A queue holds the events of one source (a call, a room, or a user's presence) for one
// destination, in the order of their commits. It lies in the partition of its source, so the commit that makes an event also queues it, in the
// same step. The timers find a queue (kind `webhook`) that a dead node has left, and one whose back-off is over. The general promises of store.ts
// hold.
import { joinIds, splitIds } from '../id-text.js'
import type { AggregateRef, Stamp } from './aggregate.js'
import type { NewWebhookEvent } from './webhook-events.js'

export type { NewWebhookEvent } from './webhook-events.js'

export interface WebhookQueueRef {
  /** Names a receiver. */
  readonly destination: string
  /** A call, a room, or a presence. */
  readonly source: AggregateRef
}

/** The commit (`version`, `tag`) that made the event, and the number of the event among those that the commit queued. */
export interface WebhookEvent extends Stamp, Omit<NewWebhookEvent, 'destinations'> {
  readonly index: number
}

export interface QueuedEvent extends WebhookEvent {
  /** Names this event in its queue. Opaque. */
  readonly position: string
}

export interface WebhookLeaseOptions {
  readonly node: string
  /** The newest event that was delivered or given up: it and all before it are removed. Null: none. */
  readonly done: string | null
  readonly now: number
}

export interface NextWebhookOptions extends WebhookLeaseOptions {
  readonly leaseMs: number
  /** The most events of a batch. */
  readonly limit: number
}

export type WebhookStep =
  | {
      readonly status: 'batch'
      /** The oldest events, at least one. An event after the first may expire while those before it are delivered. */
      readonly events: readonly QueuedEvent[]
      /** Failed attempts in a row: `postpone` sets it, and `done` resets it to 0. */
      readonly attempts: number
      /** Events that the bound of the queue has dropped since the last batch. */
      readonly dropped: number
    }
  /** Nothing waits. The queue was deleted. */
  | { readonly status: 'idle' }
  /** Another node has the lease, or the back-off is not over. Nothing was written; the timers return the queue after that. */
  | { readonly status: 'busy' }

export interface WebhookBacklog {
  /** How many queues wait. */
  readonly queues: number
  /** The earliest instant at which a queue is or was due; null: none waits. A queue that is being delivered is due when its lease ends. */
  readonly dueAt: number | null
}

export interface WebhookQueues {
  /**
   * Takes or renews the delivery lease, removes what is `done` or has expired, and returns the next batch. Until the lease ends the timers do
   * not return the queue. `done` removes nothing unless exactly that event is in the queue: a failover may have lost it, and another event may
   * have its place.
   */
  next(ref: WebhookQueueRef, options: NextWebhookOptions): Promise<WebhookStep>
  /**
   * The event after `done` was not delivered: ends the lease, and the queue is due again at `retryAt`. Changes nothing if another node has
   * the lease.
   */
  postpone(ref: WebhookQueueRef, options: WebhookLeaseOptions & { attempts: number; retryAt: number }): Promise<void>
  /** Queues an event behind those that wait. False, and nothing is written: too many queues of the destination wait. */
  append(ref: WebhookQueueRef, event: WebhookEvent, now: number): Promise<boolean>
  /** Reads all partitions: for metrics. */
  backlog(): Promise<WebhookBacklog>
  /** Remembers that nothing is to be sent to this destination, until `enable`. */
  disable(destination: string, at: number): Promise<void>
  /** Idempotent. */
  enable(destination: string): Promise<void>
  /** The disabled destinations, and since when. */
  disabled(): Promise<ReadonlyMap<string, number>>
}

export interface WebhookQueueBounds {
  /** Most events of a queue. One more drops the oldest, which is counted (WebhookStep.dropped). */
  readonly webhookQueueMax: number
  /** Most queues of a destination; on a Cluster each partition has its share. Events for further ones are refused, and existing queues still take events. */
  readonly webhookBacklogMax: number
}

export const WEBHOOK_QUEUE_BOUNDS: WebhookQueueBounds = { webhookQueueMax: 1_000, webhookBacklogMax: 100_000 }

/** A queue expires this long after its newest event: later than any event is still attempted. */
export const WEBHOOK_QUEUE_MS = 25 * 3_600_000

/**
 * After a commit that began a queue, the timers return it this late: the node that committed delivers it at once, unless it died.
 */
export const WEBHOOK_START_MS = 750

/** The queue as the timers name it. */
export const toQueueAggregate = ({ destination, source }: WebhookQueueRef): AggregateRef => ({
  kind: 'webhook',
  id: joinIds(destination, source.kind, source.id)
})

/** The inverse of toQueueAggregate, from the id. */
export function parseQueueId(id: string): WebhookQueueRef {
  const [destination = '', kind = '', sourceId = ''] = splitIds(id)
  return { destination, source: { kind: kind as AggregateRef['kind'], id: sourceId } }
}
