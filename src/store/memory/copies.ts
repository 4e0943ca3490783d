// Copies in a plain map.
import type { Clock } from '../../clock.js'
import type { Copies, Copy } from '../copies.js'

export function createMemoryCopies(clock: Clock): Copies & { size(): number; sweep(now: number): void } {
  const copies = new Map<string, Copy & { readonly until: number }>()
  function find(id: string): Copy | null {
    const found = copies.get(id)
    return found && found.until > clock.now() ? { tag: found.tag, value: found.value } : null
  }
  return {
    get: async id => find(id),
    async put(id, copy, { keepMs, over }) {
      if (over !== undefined && (find(id)?.tag ?? null) !== over) return false
      copies.set(id, { ...copy, until: clock.now() + keepMs })
      return true
    },
    size: () => copies.size,
    sweep(now) {
      for (const [id, { until }] of copies) if (until <= now) copies.delete(id)
    }
  }
}
