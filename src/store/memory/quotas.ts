// Quotas in a plain map, one counter a window.
import type { Charge, Quota, Quotas } from '../quotas.js'

export interface MemoryQuotas extends Quotas {
  /** The first charge that cannot be met; those before it are taken. */
  charge(charges: readonly Charge[]): Charge | undefined
  size(): number
  sweep(now: number): void
}

export function createMemoryQuotas(): MemoryQuotas {
  const windows = new Map<string, { taken: number; readonly until: number }>()

  const keyOf = (user: string, name: string, windowMs: number, number: number) =>
    `${user} ${name} ${windowMs} ${number}`

  function take(user: string, { name, windowMs, max, want, now }: Quota & { want: number }): number {
    const number = Math.floor(now / windowMs)
    const key = keyOf(user, name, windowMs, number)
    const window = windows.get(key) ?? { taken: 0, until: (number + 1) * windowMs }
    const granted = Math.max(0, Math.min(want, max - window.taken))
    window.taken += granted
    windows.set(key, window)
    return granted
  }

  function left(user: string, { name, windowMs, max, now }: Quota): number {
    const window = windows.get(keyOf(user, name, windowMs, Math.floor(now / windowMs)))
    return Math.max(0, max - (window?.taken ?? 0))
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
