// Aggregates in plain maps. An aggregate that is over expires only once its outbox is empty.
import type { Clock } from '../../clock.js'
import type { AggregateRef, Aggregates, Commit, CommitResult, Due, OutboxEntry, Snapshot } from '../aggregate.js'

interface Kept {
  readonly ref: AggregateRef
  version: number
  state: string
  /** Never changed in place: callers hold it. */
  pending: readonly OutboxEntry[]
  /** Not null: to go this long after the outbox is empty. */
  expireInMs: number | null
  expiresAt: number
}

const keyOf = (ref: AggregateRef) => `${ref.kind}:${ref.id}`

export function createMemoryAggregates(clock: Clock): Aggregates & { sweep(now: number): void } {
  const kept = new Map<string, Kept>()
  const deadlines = new Map<string, number>()
  /** Since when the oldest entry has waited, or when it was last reported as stale. */
  const waiting = new Map<string, number>()
  /** Beside the entries, which go out as they are. */
  const committedAt = new WeakMap<OutboxEntry, number>()

  function find(ref: AggregateRef): Kept | undefined {
    const found = kept.get(keyOf(ref))
    return found && found.expiresAt > clock.now() ? found : undefined
  }

  function write(ref: AggregateRef, commit: Commit, found: Kept | undefined): Kept {
    const key = keyOf(ref)
    const next: Kept = found ?? { ref, version: 0, state: '', pending: [], expireInMs: null, expiresAt: Infinity }
    next.version = commit.expected + 1
    next.state = commit.state
    next.expireInMs = commit.expireInMs
    if (commit.items.length > 0) {
      const entry = { version: next.version, tag: commit.tag, items: commit.items }
      committedAt.set(entry, commit.now)
      next.pending = [...next.pending, entry]
      if (!waiting.has(key)) waiting.set(key, commit.now)
    }
    expireIfSettled(next)
    if (commit.deadlineAt === null) deadlines.delete(key)
    else deadlines.set(key, commit.deadlineAt)
    kept.set(key, next)
    return next
  }

  function expireIfSettled(aggregate: Kept): void {
    const over = aggregate.expireInMs !== null && aggregate.pending.length === 0
    aggregate.expiresAt = over ? clock.now() + (aggregate.expireInMs ?? 0) : Infinity
  }

  function forget(key: string): void {
    kept.delete(key)
    deadlines.delete(key)
    waiting.delete(key)
  }

  /** Those not after `until`, oldest first, each moved to `again`. */
  function claim(times: Map<string, number>, until: number, again: number, limit: number): AggregateRef[] {
    const passed = [...times].filter(([, at]) => at <= until).sort((a, b) => a[1] - b[1])
    const refs: AggregateRef[] = []
    for (const [key] of passed) {
      const found = kept.get(key)
      if (!found || found.expiresAt <= clock.now()) forget(key)
      else if (refs.length < limit) {
        refs.push(found.ref)
        times.set(key, again)
      }
    }
    return refs
  }

  return {
    partitions: 1,
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
      if (!found) forget(keyOf(ref))
      const { version, pending } = write(ref, commit, found)
      return { ok: true, version, pending }
    },
    async settle(ref, version) {
      const found = find(ref)
      if (!found || (found.pending[0]?.version ?? Infinity) > version) return
      found.pending = found.pending.filter(entry => entry.version > version)
      const [first] = found.pending
      if (first) return void waiting.set(keyOf(ref), committedAt.get(first) ?? 0)
      waiting.delete(keyOf(ref))
      expireIfSettled(found)
    },
    async hasten(ref, at) {
      const key = keyOf(ref)
      if (at < (deadlines.get(key) ?? -Infinity)) deadlines.set(key, at)
    },
    async findDue(partitions, { now, staleMs }) {
      const earliest = (times: Map<string, number>) => Math.min(...times.values())
      return earliest(deadlines) <= now || earliest(waiting) <= now - staleMs ? partitions : []
    },
    async claimDue(_partition, { now, holdMs, staleMs, limit }): Promise<Due> {
      return {
        due: claim(deadlines, now, now + holdMs, limit),
        stale: claim(waiting, now - staleMs, now, limit)
      }
    },
    sweep(now) {
      for (const [key, aggregate] of kept) if (aggregate.expiresAt <= now) forget(key)
    }
  }
}
