// Webhook queues in Redis: one hash each, see lua/webhooks.lua, and an entry in the index of timers.
import type { AggregateRef, Commit } from '../aggregate.js'
import { wholeMs } from '../claim-marker.js'
import { PARTITIONS } from '../partition.js'
import {
  type QueuedEvent,
  toQueueAggregate,
  WEBHOOK_QUEUE_MS,
  WEBHOOK_START_MS,
  type WebhookEvent,
  type WebhookQueueBounds,
  type WebhookQueueRef,
  type WebhookQueues
} from '../webhook-queues.js'
import type { RunCommand } from './clients.js'
import { aggregateKeys, DISABLED_WEBHOOKS_KEY, timersKey } from './keys.js'
import { type Argument, appendWebhook, nextWebhooks, postponeWebhooks } from './scripts.js'
import { formatStamp, parseStamp } from './stamp.js'
import type { Topology } from './topology.js'

interface Parts extends WebhookQueueBounds {
  readonly runCommand: RunCommand
  readonly topology: Pick<Topology, 'isOneServer'>
}

export interface RedisWebhookQueues extends WebhookQueues {
  /** What lua/webhooks.lua reads of a commit. Empty if it queues nothing. */
  commitArguments(source: AggregateRef, commit: Pick<Commit, 'webhooks' | 'now'>): Argument[]
}

/** What the result of a commit says of the events that it was to queue. */
export const toRefused = (count: number) => (count > 0 ? { webhooksRefused: count } : {})

/** What follows the stamp in the text of an event. */
const toText = ({ index, expiresAt, type, envelope }: Omit<WebhookEvent, 'version' | 'tag'>) =>
  `${index}|${expiresAt === null ? '' : wholeMs(expiresAt)}|${type}|${envelope}`

function parseEvent(number: number, text: string): QueuedEvent {
  const [stamp = '', index = '', expiresAt = '', type = ''] = text.split('|', 4)
  const head = [stamp, index, expiresAt, type, ''].join('|')
  return {
    ...parseStamp(stamp),
    index: Number(index),
    position: `${number}|${stamp}|${index}`,
    type,
    envelope: text.slice(head.length),
    expiresAt: expiresAt === '' ? null : Number(expiresAt)
  }
}

export function createRedisWebhookQueues(parts: Parts): RedisWebhookQueues {
  const { runCommand, topology, webhookQueueMax, webhookBacklogMax } = parts

  function keysOf(ref: WebhookQueueRef) {
    const { state, timers } = aggregateKeys(toQueueAggregate(ref), topology.isOneServer())
    return { queue: state, timers }
  }

  /** What comes before the events. */
  function boundsArguments(timers: string, now: number): Argument[] {
    const queuesMax = topology.isOneServer() ? webhookBacklogMax : Math.ceil(webhookBacklogMax / PARTITIONS)
    return [timers, Math.floor(now), wholeMs(now + WEBHOOK_START_MS), webhookQueueMax, queuesMax, WEBHOOK_QUEUE_MS]
  }

  return {
    commitArguments(source, { webhooks = [], now }) {
      const [first] = webhooks
      if (!first) return []
      const numbers = new Map<string, number[]>()
      for (const [index, { destinations }] of webhooks.entries()) {
        for (const destination of destinations) {
          numbers.set(destination, [...(numbers.get(destination) ?? []), index + 1])
        }
      }
      const { timers } = keysOf({ destination: '', source })
      return [
        ...boundsArguments(timers, now),
        webhooks.length,
        ...webhooks.map((event, index) => toText({ ...event, index })),
        ...[...numbers].flatMap(([destination, own]) => [keysOf({ destination, source }).queue, own.join(' ')])
      ]
    },
    async next(ref, { node, leaseMs, now, limit, done }) {
      const { queue, timers } = keysOf(ref)
      const reply = await nextWebhooks(
        runCommand,
        [queue, timers],
        [node, now, wholeMs(now + leaseMs), done ?? '', limit]
      )
      if (reply[0] === 'IDLE') return { status: 'idle' }
      if (reply[0] === 'BUSY') return { status: 'busy' }
      const [, first, attempts, dropped, texts] = reply
      return { status: 'batch', events: texts.map((text, i) => parseEvent(first + i, text)), attempts, dropped }
    },
    async postpone(ref, { node, done, attempts, retryAt }) {
      const { queue, timers } = keysOf(ref)
      await postponeWebhooks(runCommand, [queue, timers], [node, done ?? '', attempts, wholeMs(retryAt)])
    },
    async append(ref, event, now) {
      const { queue, timers } = keysOf(ref)
      const args = [formatStamp(event), ...boundsArguments(timers, now), 1, toText(event), queue, '1']
      return (await appendWebhook(runCommand, [queue], args)) === 0
    },
    async backlog() {
      const partitions = topology.isOneServer() ? [null] : Array.from({ length: PARTITIONS }, (_, n) => n)
      const found = await Promise.all(partitions.map(each => readIndex(timersKey(each, 'webhook'))))
      const dueAts = found.flatMap(({ dueAt }) => dueAt ?? [])
      return {
        queues: found.reduce((sum, { queues }) => sum + queues, 0),
        dueAt: dueAts.length === 0 ? null : Math.min(...dueAts)
      }
    },
    async disable(destination, at) {
      await runCommand(client => client.hset(DISABLED_WEBHOOKS_KEY, destination, String(at)))
    },
    async enable(destination) {
      await runCommand(client => client.hdel(DISABLED_WEBHOOKS_KEY, destination))
    },
    async disabled() {
      const found = await runCommand(client => client.hgetall(DISABLED_WEBHOOKS_KEY))
      return new Map(Object.entries(found).map(([destination, at]) => [destination, Number(at)]))
    }
  }

  async function readIndex(timers: string) {
    const [queues, [, dueAt]] = await Promise.all([
      runCommand(client => client.zcard(timers)),
      runCommand(client => client.zrange(timers, '0', '0', 'WITHSCORES'))
    ])
    return { queues, dueAt: dueAt === undefined ? null : Number(dueAt) }
  }
}
