// Deadlines by urgency, and outboxes by how long they have waited. Aggregates and rooms share this index, as they share the
// sorted sets of a partition in Redis.
import type { Clock } from '../../clock.js'
import type { AggregateRef } from '../aggregate.js'
import { claimMarker } from '../claim-marker.js'
import { type TimerClass, type Timers, timerClassOf } from '../timers.js'
import { Heap } from './heap.js'

/** What is kept under a ref. Once it has expired it never comes up again. */
export interface TimerEntry {
  readonly ref: AggregateRef
  readonly expiresAt: number
}

type Times = Pick<Heap<TimerEntry>, 'get' | 'has' | 'set' | 'delete'>

export interface TimerIndex extends Timers {
  readonly deadlines: Times
  /** Since when the oldest entry of an outbox has waited, or when the outbox was last reported as stale. */
  readonly waiting: Times
  forget(kept: TimerEntry): void
  size(): number
}

export function createTimerIndex(clock: Clock): TimerIndex {
  const heaps: Record<TimerClass, Heap<TimerEntry>> = { call: new Heap(), room: new Heap(), presence: new Heap() }
  const waiting = new Heap<TimerEntry>()
  const heapOf = ({ ref }: TimerEntry) => heaps[timerClassOf(ref)]
  const deadlines: Times = {
    get: kept => heapOf(kept).get(kept),
    has: kept => heapOf(kept).has(kept),
    set: (kept, at) => heapOf(kept).set(kept, at),
    delete: kept => heapOf(kept).delete(kept)
  }

  function forget(kept: TimerEntry): void {
    deadlines.delete(kept)
    waiting.delete(kept)
  }

  /** Takes the earliest `limit` that are not after `until` out of the heap. */
  function take(heap: Heap<TimerEntry>, until: number, limit: number): TimerEntry[] {
    const taken: TimerEntry[] = []
    for (let first = heap.first(); first && first.at <= until && taken.length < limit; first = heap.first()) {
      if (first.key.expiresAt <= clock.now()) forget(first.key)
      else taken.push(first.key)
      heap.delete(first.key)
    }
    return taken
  }

  function claim(heap: Heap<TimerEntry>, { until, again, limit }: { until: number; again: number; limit: number }) {
    const taken = take(heap, until, limit)
    for (const kept of taken) heap.set(kept, again)
    return taken.map(({ ref }) => ref)
  }

  return {
    deadlines,
    waiting,
    forget,
    size: () => heaps.call.size + heaps.room.size + heaps.presence.size + waiting.size,
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
