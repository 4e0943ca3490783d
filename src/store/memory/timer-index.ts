// The timer index in memory: deadlines by class, and outboxes by how long they have waited. Aggregates and rooms share it.
import type { Clock } from '../../clock.js'
import type { AggregateRef } from '../aggregate.js'
import { claimMarker } from '../claim-marker.js'
import { type ListOptions, TIMER_CLASSES, type TimerClass, type Timers, timerClassOf } from '../timers.js'
import { Heap } from './heap.js'

/** An entry is not returned after it has expired. */
export interface TimerEntry {
  readonly ref: AggregateRef
  readonly expiresAt: number
}

type Times = Pick<Heap<TimerEntry>, 'get' | 'has' | 'set' | 'delete'>

export interface TimerIndex extends Timers {
  readonly deadlines: Times
  /** By outbox: since when its oldest entry has waited, or when the outbox was last returned as stale. */
  readonly waiting: Times
  remove(entry: TimerEntry): void
  size(): number
}

export function createTimerIndex(clock: Clock): TimerIndex {
  const heaps: Record<TimerClass, Heap<TimerEntry>> = {
    call: new Heap(),
    room: new Heap(),
    presence: new Heap(),
    webhook: new Heap()
  }
  const waiting = new Heap<TimerEntry>()
  const heapOf = ({ ref }: TimerEntry) => heaps[timerClassOf(ref)]
  const deadlines: Times = {
    get: entry => heapOf(entry).get(entry),
    has: entry => heapOf(entry).has(entry),
    set: (entry, at) => heapOf(entry).set(entry, at),
    delete: entry => heapOf(entry).delete(entry)
  }

  function remove(entry: TimerEntry): void {
    deadlines.delete(entry)
    waiting.delete(entry)
  }

  /** Removes the earliest `limit` entries that are not after `until`. */
  function take(heap: Heap<TimerEntry>, until: number, limit: number): TimerEntry[] {
    const taken: TimerEntry[] = []
    for (let first = heap.first(); first && first.at <= until && taken.length < limit; first = heap.first()) {
      if (first.key.expiresAt <= clock.now()) remove(first.key)
      else taken.push(first.key)
      heap.delete(first.key)
    }
    return taken
  }

  function claim(heap: Heap<TimerEntry>, { until, again, limit }: { until: number; again: number; limit: number }) {
    const taken = take(heap, until, limit)
    for (const entry of taken) heap.set(entry, again)
    return taken.map(({ ref }) => ref)
  }

  /** The first ids after `after`, in order. One pass over the index. */
  function idsAfter(after: string, { kind, limit }: Pick<ListOptions, 'kind' | 'limit'>): string[] {
    const first: string[] = []
    for (const { ref, expiresAt } of heaps[timerClassOf({ kind, id: '' })].keys()) {
      if (ref.kind !== kind || ref.id <= after || expiresAt <= clock.now()) continue
      if (first.length === limit && ref.id >= (first.at(-1) ?? '')) continue
      first.splice(first.filter(id => id < ref.id).length, 0, ref.id)
      first.length = Math.min(first.length, limit)
    }
    return first
  }

  return {
    deadlines,
    waiting,
    remove,
    size: () => TIMER_CLASSES.reduce((sum, each) => sum + heaps[each].size, waiting.size),
    async list({ kind, limit, after }) {
      const ids = idsAfter(after === null ? '' : Buffer.from(after, 'base64url').toString(), { kind, limit: limit + 1 })
      const last = ids.length > limit ? ids[limit - 1] : undefined
      const next = last === undefined ? null : Buffer.from(last).toString('base64url')
      return { refs: ids.slice(0, limit).map(id => ({ kind, id })), next }
    },
    async claimDue({ now, claimMs, staleMs, limit, classes }) {
      const held = claimMarker(now, claimMs)
      const due: AggregateRef[] = []
      for (const each of classes)
        due.push(...claim(heaps[each], { until: now, again: held, limit: limit - due.length }))
      const stale = claim(waiting, { until: now - staleMs, again: now, limit })
      return { due, stale, claimedUntil: held, more: Math.max(due.length, stale.length) === limit, nextClaimAt: now }
    }
  }
}
