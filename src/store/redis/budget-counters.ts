// BudgetCounters in Redis: one counter for each window.
import type { BudgetCounter, BudgetCounters, Charge } from '../budget-counters.js'
import type { RunCommand } from './clients.js'
import { budgetKey } from './keys.js'
import { type Argument, takeBudget } from './scripts.js'

/** A counter outlives its window by this, for nodes whose clock is behind. */
const LINGER_MS = 10_000

/** In the order that lua/charge.lua reads. */
export const chargeArguments = ({ user, isTaken, ...counter }: Charge): Argument[] => [
  budgetKey(user, counter),
  counter.max,
  isTaken ? 1 : 0,
  counter.windowMs + LINGER_MS
]

export interface RedisBudgetCounters extends BudgetCounters {
  /** Takes the charges in order. Resolves to the first one that is refused; those before it are taken. */
  charge(charges: readonly Charge[]): Promise<Charge | undefined>
}

export function createRedisBudgetCounters(runCommand: RunCommand): RedisBudgetCounters {
  async function take(user: string, { want, ...counter }: BudgetCounter & { want: number }): Promise<number> {
    const args = [counter.max, want, counter.windowMs + LINGER_MS]
    const reply = await takeBudget(runCommand, [budgetKey(user, counter)], args)
    return Number(reply.slice('GRANTED '.length))
  }

  async function left(user: string, counter: BudgetCounter): Promise<number> {
    const taken = await runCommand(client => client.get(budgetKey(user, counter)))
    return Math.max(0, counter.max - Number(taken ?? 0))
  }

  return {
    take,
    left,
    async charge(charges) {
      for (const charge of charges) {
        const { user, isTaken } = charge
        const granted = isTaken ? await take(user, { ...charge, want: 1 }) : await left(user, charge)
        if (granted === 0) return charge
      }
      return undefined
    }
  }
}
