// Quotas in a plain map, one counter a window.
import type { Quotas } from '../store.js'

export function createMemoryQuotas(): Quotas & { size(): number; sweep(now: number): void } {
  const windows = new Map<string, { taken: number; readonly until: number }>()
  return {
    async take(user, { name, windowMs, max, want, now }) {
      const number = Math.floor(now / windowMs)
      const key = `${user} ${name} ${windowMs} ${number}`
      const window = windows.get(key) ?? { taken: 0, until: (number + 1) * windowMs }
      const granted = Math.max(0, Math.min(want, max - window.taken))
      window.taken += granted
      windows.set(key, window)
      return granted
    },
    size: () => windows.size,
    sweep(now) {
      for (const [key, window] of windows) if (window.until <= now) windows.delete(key)
    }
  }
}
