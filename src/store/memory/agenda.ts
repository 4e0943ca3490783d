// What wants to be looked at again: the deadlines, and the outboxes that wait. Aggregates and rooms share one agenda, as they
// share the two indexes of a partition in Redis.
import type { Clock } from '../../clock.js'
import type { AggregateRef, Aggregates } from '../aggregate.js'
import { heldUntil } from '../hold.js'

/** Whatever is kept under a ref; when it has expired it is on no agenda. */
export interface Kept {
  readonly ref: AggregateRef
  readonly expiresAt: number
}

export interface Agenda extends Pick<Aggregates, 'partitions' | 'findDue' | 'claimDue'> {
  readonly deadlines: Map<Kept, number>
  /** Since when the oldest entry has waited, or when it was last reported as stale. */
  readonly waiting: Map<Kept, number>
  forget(kept: Kept): void
}

export function createAgenda(clock: Clock): Agenda {
  const deadlines = new Map<Kept, number>()
  const waiting = new Map<Kept, number>()

  function forget(kept: Kept): void {
    deadlines.delete(kept)
    waiting.delete(kept)
  }

  /** Those not after `until`, oldest first, each moved to `again`. */
  function claim(times: Map<Kept, number>, until: number, again: number, limit: number): AggregateRef[] {
    const passed = [...times].filter(([, at]) => at <= until).sort((a, b) => a[1] - b[1])
    const refs: AggregateRef[] = []
    for (const [kept] of passed) {
      if (kept.expiresAt <= clock.now()) forget(kept)
      else if (refs.length < limit) {
        refs.push(kept.ref)
        times.set(kept, again)
      }
    }
    return refs
  }

  return {
    deadlines,
    waiting,
    forget,
    partitions: 1,
    async findDue(partitions, { now, staleMs }) {
      const earliest = (times: Map<Kept, number>) => Math.min(...times.values())
      return earliest(deadlines) <= now || earliest(waiting) <= now - staleMs ? partitions : []
    },
    async claimDue(_partition, { now, holdMs, staleMs, limit }) {
      const held = heldUntil(now, holdMs)
      return {
        due: claim(deadlines, now, held, limit),
        stale: claim(waiting, now - staleMs, now, limit),
        heldUntil: held
      }
    }
  }
}
