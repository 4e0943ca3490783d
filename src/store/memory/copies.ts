// Copies in a plain map.
import type { Clock } from '../../clock.js'
import type { Copies, Copy } from '../cached-answers.js'
import { ExpiringMap } from './expiring-map.js'

export function createMemoryCopies(clock: Clock): Copies & { size(): number; sweep(now: number): void } {
  const copies = new ExpiringMap<Copy>(clock)
  return {
    get: async id => copies.get(id) ?? null,
    async put(id, { tag, value }, { keepMs, over }) {
      if (over !== undefined && (copies.get(id)?.tag ?? null) !== over) return false
      copies.set(id, { tag, value }, clock.now() + keepMs)
      return true
    },
    size: () => copies.size,
    sweep: now => copies.sweep(now)
  }
}
