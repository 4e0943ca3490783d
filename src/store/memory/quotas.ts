// Quotas in a plain map, one counter a window.
import type { Quotas } from '../store.js'

export function createMemoryQuotas(): Quotas & { size(): number; sweep(now: number): void } {
  const windows = new Map<string, { taken: number; readonly until: number }>()

  const keyOf = (user: string, name: string, windowMs: number, number: number) =>
    `${user} ${name} ${windowMs} ${number}`

  return {
    async take(user, { name, windowMs, max, want, now }) {
      const number = Math.floor(now / windowMs)
      const key = keyOf(user, name, windowMs, number)
      const window = windows.get(key) ?? { taken: 0, until: (number + 1) * windowMs }
      const granted = Math.max(0, Math.min(want, max - window.taken))
      window.taken += granted
      windows.set(key, window)
      return granted
    },
    async left(user, { name, windowMs, max, now }) {
      const window = windows.get(keyOf(user, name, windowMs, Math.floor(now / windowMs)))
      return Math.max(0, max - (window?.taken ?? 0))
    },
    size: () => windows.size,
    sweep(now) {
      for (const [key, window] of windows) if (window.until <= now) windows.delete(key)
    }
  }
}
