// Quotas in Redis: one counter for each window.
import type { Charge, Quota, Quotas } from '../quotas.js'
import type { RunCommand } from './clients.js'
import { quotaKey } from './keys.js'
import { type Argument, takeQuota } from './scripts.js'

/** A counter outlives its window by this, for nodes whose clock is behind. */
const LINGER_MS = 10_000

/** In the order that lua/charge.lua reads. */
export const chargeArguments = ({ user, isTaken, ...quota }: Charge): Argument[] => [
  quotaKey(user, quota),
  quota.max,
  isTaken ? 1 : 0,
  quota.windowMs + LINGER_MS
]

export interface RedisQuotas extends Quotas {
  /** Takes the charges in order. Resolves to the first one that is refused; those before it are taken. */
  charge(charges: readonly Charge[]): Promise<Charge | undefined>
}

export function createRedisQuotas(runCommand: RunCommand): RedisQuotas {
  async function take(user: string, { want, ...quota }: Quota & { want: number }): Promise<number> {
    const args = [quota.max, want, quota.windowMs + LINGER_MS]
    const reply = await takeQuota(runCommand, [quotaKey(user, quota)], args)
    return Number(reply.slice('GRANTED '.length))
  }

  async function left(user: string, quota: Quota): Promise<number> {
    const taken = await runCommand(client => client.get(quotaKey(user, quota)))
    return Math.max(0, quota.max - Number(taken ?? 0))
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
