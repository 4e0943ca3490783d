// Webhook queues in memory.
import type { Clock } from '../../clock.js'
import type { AggregateRef, Commit, Stamp } from '../aggregate.js'
import { wholeMs } from '../claim-marker.js'
import {
  parseQueueId,
  type QueuedEvent,
  toQueueAggregate,
  WEBHOOK_QUEUE_MS,
  WEBHOOK_START_MS,
  type WebhookEvent,
  type WebhookQueueBounds,
  type WebhookQueueRef,
  type WebhookQueues
} from '../webhook-queues.js'
import type { TimerEntry, TimerIndex } from './timer-index.js'

interface Queue extends TimerEntry {
  expiresAt: number
  events: QueuedEvent[]
  attempts: number
  dropped: number
  /** `node` '': no node may have it until then, because of a back-off. */
  lease: { readonly node: string; readonly until: number }
}

export interface MemoryWebhookQueues extends WebhookQueues {
  /** Queues the events of a commit. Returns what its result says of them. */
  queueCommit(
    source: AggregateRef,
    commit: Stamp & Pick<Commit, 'webhooks' | 'now'>
  ): { readonly webhooksRefused?: number }
  size(): number
  sweep(now: number): void
}

interface Parts extends WebhookQueueBounds {
  readonly clock: Clock
  readonly timers: TimerIndex
}

const keyOf = (ref: WebhookQueueRef) => toQueueAggregate(ref).id

export function createMemoryWebhookQueues(parts: Parts): MemoryWebhookQueues {
  const { clock, timers, webhookQueueMax, webhookBacklogMax } = parts
  const { deadlines } = timers
  const queues = new Map<string, Queue>()
  /** By destination. */
  const counts = new Map<string, number>()
  const disabled = new Map<string, number>()
  let lastPosition = 0

  function find(ref: WebhookQueueRef): Queue | undefined {
    const found = queues.get(keyOf(ref))
    return found && found.expiresAt > clock.now() ? found : undefined
  }

  function create(ref: WebhookQueueRef): Queue {
    const nothing = { events: [], attempts: 0, dropped: 0, lease: { node: '', until: 0 }, expiresAt: 0 }
    const queue = { ref: toQueueAggregate(ref), ...nothing }
    if (!queues.has(keyOf(ref))) count(ref.destination, 1)
    queues.set(keyOf(ref), queue)
    return queue
  }

  function remove(queue: Queue): void {
    if (queues.delete(queue.ref.id)) count(parseQueueId(queue.ref.id).destination, -1)
    timers.remove(queue)
  }

  function count(destination: string, difference: number): void {
    const left = (counts.get(destination) ?? 0) + difference
    if (left > 0) counts.set(destination, left)
    else counts.delete(destination)
  }

  function append(ref: WebhookQueueRef, event: WebhookEvent, now: number): boolean {
    const found = find(ref)
    if (!found && (counts.get(ref.destination) ?? 0) >= webhookBacklogMax) return false
    const queue = found ?? create(ref)
    queue.events.push({ ...event, position: String(++lastPosition) })
    if (queue.events.length > webhookQueueMax) {
      queue.events.shift()
      queue.dropped++
    }
    queue.expiresAt = now + WEBHOOK_QUEUE_MS
    if (!deadlines.has(queue)) deadlines.set(queue, wholeMs(now + WEBHOOK_START_MS))
    return true
  }

  function removeDone({ events }: Queue, done: string | null): boolean {
    const count = 1 + events.findIndex(({ position }) => position === done)
    events.splice(0, count)
    return count > 0
  }

  function dropExpired({ events }: Queue, now: number): void {
    while (events[0] && (events[0].expiresAt ?? Infinity) <= now) events.shift()
  }

  return {
    queueCommit(source, { version, tag, webhooks = [], now }) {
      let refused = 0
      for (const [index, { destinations, ...event }] of webhooks.entries()) {
        for (const destination of destinations) {
          if (!append({ destination, source }, { ...event, version, tag, index }, now)) refused++
        }
      }
      return refused > 0 ? { webhooksRefused: refused } : {}
    },
    async next(ref, { node, leaseMs, now, limit, done }) {
      const queue = find(ref)
      if (!queue) return { status: 'idle' }
      if (queue.lease.node !== node && queue.lease.until > now) return { status: 'busy' }
      if (removeDone(queue, done)) queue.attempts = 0
      dropExpired(queue, now)
      if (queue.events.length === 0) {
        remove(queue)
        return { status: 'idle' }
      }
      const { attempts, dropped } = queue
      queue.dropped = 0
      queue.lease = { node, until: wholeMs(now + leaseMs) }
      deadlines.set(queue, queue.lease.until)
      return { status: 'batch', events: queue.events.slice(0, limit), attempts, dropped }
    },
    async postpone(ref, { node, done, attempts, retryAt }) {
      const queue = find(ref)
      if (queue?.lease.node !== node) return
      removeDone(queue, done)
      queue.attempts = attempts
      queue.lease = { node: '', until: wholeMs(retryAt) }
      deadlines.set(queue, queue.lease.until)
    },
    append: async (ref, event, now) => append(ref, event, now),
    async backlog() {
      const dueAts = [...queues.values()].flatMap(queue => deadlines.get(queue) ?? [])
      return { queues: dueAts.length, dueAt: dueAts.length === 0 ? null : Math.min(...dueAts) }
    },
    async disable(destination, at) {
      disabled.set(destination, at)
    },
    async enable(destination) {
      disabled.delete(destination)
    },
    disabled: async () => new Map(disabled),
    size: () => queues.size,
    sweep(now) {
      for (const queue of queues.values()) if (queue.expiresAt <= now) remove(queue)
    }
  }
}
