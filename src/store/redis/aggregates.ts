// Aggregates in Redis: a state hash, an outbox stream with one entry a commit, and a place in the partition's two indexes.

import { Redis } from 'ioredis'
import type { AggregateRef, Aggregates, OutboxEntry, OutboxItem, Snapshot } from '../aggregate.js'
import { heldUntil } from '../hold.js'
import { PARTITIONS } from '../partition.js'
import type { Attempt, Client } from './clients.js'
import { aggregateKeys, outboxPrefix, pendingKey, refOf, statePrefix, timersKey } from './keys.js'
import { toOutboxEntry } from './outbox.js'
import { claimDue, commitAggregate, loadAggregate, type StreamEntry, settleOutbox } from './scripts.js'

const toPending = (outbox: readonly StreamEntry[]): OutboxEntry[] => outbox.map(toOutboxEntry<OutboxItem>)

function toSnapshot(version: number, state: string, outbox: readonly StreamEntry[]): Snapshot {
  return { version, state, pending: toPending(outbox) }
}

/** For each partition two counts: deadlines that have passed, and outboxes that have waited too long. */
async function countPassed(
  client: Client,
  partitions: readonly number[],
  { now, staleMs }: { now: number; staleMs: number }
): Promise<number[]> {
  // One write to the socket instead of many. A Cluster's partitions lie on several nodes, which no pipeline spans.
  const pipeline = client instanceof Redis ? client.pipeline() : null
  const counts = partitions.flatMap(partition => [
    (pipeline ?? client).zcount(timersKey(partition), '-inf', now),
    (pipeline ?? client).zcount(pendingKey(partition), '-inf', now - staleMs)
  ])
  if (pipeline === null) return Promise.all(counts as Promise<number>[])
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
    async commit(ref, { expected, tag, state, items, deadlineAt, expireInMs, now }) {
      const keys = aggregateKeys(ref)
      const reply = await commitAggregate(
        attempt,
        [keys.state, keys.outbox, keys.timers, keys.pending],
        [
          expected,
          state,
          items.length > 0 ? JSON.stringify(items) : '',
          deadlineAt ?? '',
          expireInMs ?? '',
          now,
          keys.member,
          tag
        ]
      )
      if (reply[0] === 'CONFLICT') {
        return { ok: false, current: reply.length === 2 ? null : toSnapshot(reply[1], reply[2], reply[3]) }
      }
      const version = expected + 1
      const older = toPending(reply[1])
      return { ok: true, version, pending: items.length > 0 ? [...older, { version, tag, items }] : older }
    },
    async settle(ref, version) {
      const keys = aggregateKeys(ref)
      await settleOutbox(attempt, [keys.outbox, keys.pending, keys.state], [version, keys.member])
    },
    async hasten(ref, at) {
      const { timers, member } = aggregateKeys(ref)
      await attempt(client => client.zadd(timers, 'XX', 'LT', at, member))
    },
    async findDue(partitions, { now, staleMs }) {
      const counts = await attempt(client => countPassed(client, partitions, { now, staleMs }))
      return partitions.filter((_, i) => (counts[2 * i] ?? 0) + (counts[2 * i + 1] ?? 0) > 0)
    },
    async claimDue(partition, { now, holdMs, staleMs, limit }) {
      const held = heldUntil(now, holdMs)
      const [, due, stale] = await claimDue(
        attempt,
        [timersKey(partition), pendingKey(partition)],
        [now, held, now - staleMs, limit, statePrefix(partition), outboxPrefix(partition)]
      )
      const refs = (members: readonly string[]): AggregateRef[] => members.map(refOf)
      return { due: refs(due), stale: refs(stale), heldUntil: held }
    }
  }
}
