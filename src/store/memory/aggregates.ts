// Aggregates in plain maps. An aggregate that is over expires only once its outbox is empty.
import type { Clock } from '../../clock.js'
import {
  type AggregateRef,
  type Aggregates,
  type Commit,
  type CommitResult,
  isSameStamp,
  type OutboxEntry,
  type Snapshot,
  type Stamp
} from '../aggregate.js'
import { wholeMs } from '../hold.js'
import type { FanoutLog, FanoutSource } from './fanout.js'
import type { TimerIndex } from './timer-index.js'

interface Aggregate extends FanoutLog {
  stamp: Stamp
  state: string
  /** Not null: to go this long after the outbox is empty. */
  expireInMs: number | null
  expiresAt: number
}

const keyOf = (ref: AggregateRef) => `${ref.kind}:${ref.id}`

const toSnapshot = ({ stamp, state, pending }: Aggregate): Snapshot => ({ ...stamp, state, pending })

interface MemoryAggregates extends Aggregates {
  /** Of users who are watched; who watches is known elsewhere. */
  readonly fanout: Omit<FanoutSource, 'recipients'>
  size(): number
  sweep(now: number): void
}

export function createMemoryAggregates(clock: Clock, timerIndex: TimerIndex): MemoryAggregates {
  const { deadlines, waiting, partitions, findDue, claimDue } = timerIndex
  const kept = new Map<string, Aggregate>()
  /** Beside the entries, which go out as they are. */
  const committedAt = new WeakMap<OutboxEntry, number>()

  function find(ref: AggregateRef): Aggregate | undefined {
    const found = kept.get(keyOf(ref))
    return found && found.expiresAt > clock.now() ? found : undefined
  }

  function write(ref: AggregateRef, commit: Commit, found: Aggregate | undefined): Aggregate {
    const nothing = { pending: [], expireInMs: null, expiresAt: Infinity, lease: null }
    const stamp = { version: commit.version, tag: commit.tag }
    const next: Aggregate = found ?? { ref, stamp, state: '', ...nothing }
    next.stamp = stamp
    next.state = commit.state
    next.expireInMs = commit.expireInMs
    if (commit.items.length > 0) {
      const entry = { ...stamp, items: commit.items }
      committedAt.set(entry, commit.now)
      next.pending = [...next.pending, entry]
      if (!waiting.has(next)) waiting.set(next, commit.now)
    }
    expireIfSettled(next)
    if (commit.deadlineAt === null) deadlines.delete(next)
    else deadlines.set(next, wholeMs(commit.deadlineAt))
    kept.set(keyOf(ref), next)
    return next
  }

  function expireIfSettled(aggregate: Aggregate | undefined): void {
    if (!aggregate) return
    const over = aggregate.expireInMs !== null && aggregate.pending.length === 0
    aggregate.expiresAt = over ? clock.now() + (aggregate.expireInMs ?? 0) : Infinity
  }

  function settle(found: Aggregate | undefined, upTo: Stamp): void {
    if (!found?.pending.some(entry => isSameStamp(entry, upTo))) return
    found.pending = found.pending.filter(entry => entry.version > upTo.version)
    const [first] = found.pending
    if (first) return void waiting.set(found, committedAt.get(first) ?? 0)
    waiting.delete(found)
    expireIfSettled(found)
  }

  return {
    fanout: {
      find: id => find({ kind: 'presence', id }),
      drained: ({ ref }) => expireIfSettled(kept.get(keyOf(ref)))
    },
    partitions,
    findDue,
    claimDue,
    async load(ref) {
      const found = find(ref)
      return found ? toSnapshot(found) : null
    },
    async commit(ref, commit): Promise<CommitResult> {
      const found = find(ref)
      if (!isSameStamp(found?.stamp ?? null, commit.expected)) {
        return { ok: false, current: found ? toSnapshot(found) : null }
      }
      return { ok: true, pending: write(ref, commit, found).pending }
    },
    settle: async (ref, upTo) => settle(find(ref), upTo),
    async hasten(ref, at) {
      const found = find(ref)
      if (found && at < (deadlines.get(found) ?? -Infinity)) deadlines.set(found, wholeMs(at))
    },
    size: () => kept.size,
    sweep(now) {
      for (const [key, aggregate] of kept) {
        if (aggregate.expiresAt > now) continue
        kept.delete(key)
        timerIndex.forget(aggregate)
      }
    }
  }
}
