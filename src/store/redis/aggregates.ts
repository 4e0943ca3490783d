// Aggregates in Redis: a state hash, an outbox stream with one entry a commit, and a place in the partition's two indexes.

import { type ChainableCommander, Redis } from 'ioredis'
import { type AggregateRef, type Aggregates, type OutboxEntry, type Snapshot, TIMER_CLASSES } from '../aggregate.js'
import { heldUntil, wholeMs } from '../hold.js'
import { PARTITIONS } from '../partition.js'
import type { Attempt, Client } from './clients.js'
import { aggregateKeys, outboxPrefix, pendingKey, refOf, statePrefix, timersKey } from './keys.js'
import { toOutboxEntry } from './outbox.js'
import { claimDue, commitAggregate, loadAggregate, type StreamEntry, settleOutbox } from './scripts.js'
import { formatStamp, parseStamp } from './stamp.js'

const toPending = (outbox: readonly StreamEntry[]): OutboxEntry[] => outbox.map(toOutboxEntry)

function toSnapshot(stamp: string, state: string, outbox: readonly StreamEntry[]): Snapshot {
  return { ...parseStamp(stamp), state, pending: toPending(outbox) }
}

/** For each partition: how many deadlines have passed, and how many outboxes have waited too long. */
async function countDue(
  client: Client,
  partitions: readonly number[],
  { now, staleMs }: { now: number; staleMs: number }
): Promise<number[]> {
  // One write to the socket instead of many. A Cluster's partitions lie on several nodes, which no pipeline spans.
  const pipeline = client instanceof Redis ? client.pipeline() : null
  const counts = partitions.flatMap(partition => [
    ...TIMER_CLASSES.map(each => (pipeline ?? client).zcount(timersKey(partition, each), '-inf', now)),
    (pipeline ?? client).zcount(pendingKey(partition), '-inf', now - staleMs)
  ])
  const numbers = pipeline === null ? await Promise.all(counts as Promise<number>[]) : await run(pipeline)
  return partitions.map((_, i) => sum(numbers.slice(i * COUNTS, (i + 1) * COUNTS)))
}

/** One for each class of timers, and one for the outboxes. */
const COUNTS = TIMER_CLASSES.length + 1
const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0)

async function run(pipeline: ChainableCommander): Promise<number[]> {
  const replies = await pipeline.exec()
  return (replies ?? []).map(([error, count]) => {
    if (error) throw error
    return Number(count)
  })
}

export function createRedisAggregates(attempt: Attempt): Aggregates {
  return {
    partitions: PARTITIONS,
    async load(ref) {
      const keys = aggregateKeys(ref)
      const reply = await loadAggregate(attempt, [keys.state, keys.outbox], [])
      return reply[0] === 'OK' ? toSnapshot(reply[1], reply[2], reply[3]) : null
    },
    async commit(ref, { expected, version, tag, state, items, deadlineAt, expireInMs, now }) {
      const keys = aggregateKeys(ref)
      const reply = await commitAggregate(
        attempt,
        [keys.state, keys.outbox, keys.timers, keys.pending],
        [
          formatStamp(expected),
          version,
          tag,
          state,
          items.length > 0 ? JSON.stringify(items) : '',
          deadlineAt === null ? '' : wholeMs(deadlineAt),
          expireInMs ?? '',
          now,
          keys.member
        ]
      )
      if (reply[0] === 'CONFLICT') {
        return { ok: false, current: reply.length === 1 ? null : toSnapshot(reply[1], reply[2], reply[3]) }
      }
      const older = toPending(reply[1])
      return { ok: true, pending: items.length > 0 ? [...older, { version, tag, items }] : older }
    },
    async settle(ref, upTo) {
      const keys = aggregateKeys(ref)
      await settleOutbox(attempt, [keys.outbox, keys.pending, keys.state], [formatStamp(upTo), keys.member])
    },
    async hasten(ref, at) {
      const { timers, member } = aggregateKeys(ref)
      await attempt(client => client.zadd(timers, 'XX', 'LT', wholeMs(at), member))
    },
    async findDue(partitions, { now, staleMs }) {
      const counts = await attempt(client => countDue(client, partitions, { now, staleMs }))
      return partitions.filter((_, i) => (counts[i] ?? 0) > 0)
    },
    async claimDue(partition, { now, holdMs, staleMs, limit, classes }) {
      const held = heldUntil(now, holdMs)
      const [, due, stale, more] = await claimDue(
        attempt,
        [pendingKey(partition), ...classes.map(each => timersKey(partition, each))],
        [now, held, now - staleMs, limit, statePrefix(partition), outboxPrefix(partition)]
      )
      const refs = (members: readonly string[]): AggregateRef[] => members.map(refOf)
      return { due: refs(due), stale: refs(stale), heldUntil: held, more: more === 1 }
    }
  }
}
