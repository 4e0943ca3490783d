// BudgetCounters in memory: one counter for each window.
import type { BudgetCounter, BudgetCounters, Charge } from '../budget-counters.js'

export interface MemoryBudgetCounters extends BudgetCounters {
  /** Takes the charges in order. Returns the first one that is refused; those before it are taken. */
  charge(charges: readonly Charge[]): Charge | undefined
  size(): number
  sweep(now: number): void
}

export function createMemoryBudgetCounters(): MemoryBudgetCounters {
  const windows = new Map<string, { taken: number; readonly until: number }>()

  const keyOf = (user: string, { name, windowMs, now }: BudgetCounter) =>
    `${user} ${name} ${windowMs} ${Math.floor(now / windowMs)}`

  function take(user: string, counter: BudgetCounter & { want: number }): number {
    const { windowMs, max, want, now } = counter
    const key = keyOf(user, counter)
    const window = windows.get(key) ?? { taken: 0, until: (Math.floor(now / windowMs) + 1) * windowMs }
    const granted = Math.max(0, Math.min(want, max - window.taken))
    window.taken += granted
    windows.set(key, window)
    return granted
  }

  function left(user: string, counter: BudgetCounter): number {
    const window = windows.get(keyOf(user, counter))
    return Math.max(0, counter.max - (window?.taken ?? 0))
  }

  return {
    take: async (user, counter) => take(user, counter),
    left: async (user, counter) => left(user, counter),
    charge: charges =>
      charges.find(({ user, isTaken, ...counter }) =>
        isTaken ? take(user, { ...counter, want: 1 }) === 0 : left(user, counter) === 0
      ),
    size: () => windows.size,
    sweep(now) {
      for (const [key, window] of windows) if (window.until <= now) windows.delete(key)
    }
  }
}
