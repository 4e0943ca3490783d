// Quotas in memory: one counter for each window.
import type { Charge, Quota, Quotas } from '../quotas.js'

export interface MemoryQuotas extends Quotas {
  /** Takes the charges in order. Returns the first one that is refused; those before it are taken. */
  charge(charges: readonly Charge[]): Charge | undefined
  size(): number
  sweep(now: number): void
}

export function createMemoryQuotas(): MemoryQuotas {
  const windows = new Map<string, { taken: number; readonly until: number }>()

  const keyOf = (user: string, { name, windowMs, now }: Quota) =>
    `${user} ${name} ${windowMs} ${Math.floor(now / windowMs)}`

  function take(user: string, quota: Quota & { want: number }): number {
    const { windowMs, max, want, now } = quota
    const key = keyOf(user, quota)
    const window = windows.get(key) ?? { taken: 0, until: (Math.floor(now / windowMs) + 1) * windowMs }
    const granted = Math.max(0, Math.min(want, max - window.taken))
    window.taken += granted
    windows.set(key, window)
    return granted
  }

  function left(user: string, quota: Quota): number {
    const window = windows.get(keyOf(user, quota))
    return Math.max(0, quota.max - (window?.taken ?? 0))
  }

  return {
    take: async (user, quota) => take(user, quota),
    left: async (user, quota) => left(user, quota),
    charge: charges =>
      charges.find(({ user, isTaken, ...quota }) =>
        isTaken ? take(user, { ...quota, want: 1 }) === 0 : left(user, quota) === 0
      ),
    size: () => windows.size,
    sweep(now) {
      for (const [key, window] of windows) if (window.until <= now) windows.delete(key)
    }
  }
}
