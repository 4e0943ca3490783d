// Aggregates in plain maps. An aggregate that is over expires only once its outbox is empty.
import type { Clock } from '../../clock.js'
import type { AggregateRef, Aggregates, Commit, CommitResult, OutboxEntry, Snapshot } from '../aggregate.js'
import type { Agenda, Kept } from './agenda.js'

interface Aggregate extends Kept {
  version: number
  state: string
  /** Never changed in place: callers hold it. */
  pending: readonly OutboxEntry[]
  /** Not null: to go this long after the outbox is empty. */
  expireInMs: number | null
  expiresAt: number
}

const keyOf = (ref: AggregateRef) => `${ref.kind}:${ref.id}`

export function createMemoryAggregates(clock: Clock, agenda: Agenda): Aggregates & { sweep(now: number): void } {
  const { deadlines, waiting, partitions, findDue, claimDue } = agenda
  const kept = new Map<string, Aggregate>()
  /** Beside the entries, which go out as they are. */
  const committedAt = new WeakMap<OutboxEntry, number>()

  function find(ref: AggregateRef): Aggregate | undefined {
    const found = kept.get(keyOf(ref))
    return found && found.expiresAt > clock.now() ? found : undefined
  }

  function write(ref: AggregateRef, commit: Commit, found: Aggregate | undefined): Aggregate {
    const next: Aggregate = found ?? { ref, version: 0, state: '', pending: [], expireInMs: null, expiresAt: Infinity }
    next.version = commit.expected + 1
    next.state = commit.state
    next.expireInMs = commit.expireInMs
    if (commit.items.length > 0) {
      const entry = { version: next.version, tag: commit.tag, items: commit.items }
      committedAt.set(entry, commit.now)
      next.pending = [...next.pending, entry]
      if (!waiting.has(next)) waiting.set(next, commit.now)
    }
    expireIfSettled(next)
    if (commit.deadlineAt === null) deadlines.delete(next)
    else deadlines.set(next, commit.deadlineAt)
    kept.set(keyOf(ref), next)
    return next
  }

  function expireIfSettled(aggregate: Aggregate): void {
    const over = aggregate.expireInMs !== null && aggregate.pending.length === 0
    aggregate.expiresAt = over ? clock.now() + (aggregate.expireInMs ?? 0) : Infinity
  }

  return {
    partitions,
    findDue,
    claimDue,
    async load(ref): Promise<Snapshot | null> {
      const found = find(ref)
      return found ? { version: found.version, state: found.state, pending: found.pending } : null
    },
    async commit(ref, commit): Promise<CommitResult> {
      const found = find(ref)
      if ((found?.version ?? 0) !== commit.expected) {
        return {
          ok: false,
          current: found ? { version: found.version, state: found.state, pending: found.pending } : null
        }
      }
      const { version, pending } = write(ref, commit, found)
      return { ok: true, version, pending }
    },
    async settle(ref, version) {
      const found = find(ref)
      if (!found || (found.pending[0]?.version ?? Infinity) > version) return
      found.pending = found.pending.filter(entry => entry.version > version)
      const [first] = found.pending
      if (first) return void waiting.set(found, committedAt.get(first) ?? 0)
      waiting.delete(found)
      expireIfSettled(found)
    },
    async hasten(ref, at) {
      const found = find(ref)
      if (found && at < (deadlines.get(found) ?? -Infinity)) deadlines.set(found, at)
    },
    sweep(now) {
      for (const [key, aggregate] of kept) {
        if (aggregate.expiresAt > now) continue
        kept.delete(key)
        agenda.forget(aggregate)
      }
    }
  }
}
