// The budget of clients without a valid token, counted by address in this process, so that a flood costs the store nothing. n nodes together
// grant n times as much, and a restart resets it.
import type { Clock } from '../clock.js'
import { AppError } from '../errors.js'
import { createLeastRecentlyUsed } from './least-recently-used.js'

/**
 * Addresses counted at once. Only a flood from a large network has more: the least recently seen one is then forgotten, and begins with a full
 * budget.
 */
const ADDRESSES_MAX = 50_000

export interface AddressBudget {
  /** @throws AppError rate_limited if the budget of this address is spent, with the time until the window ends */
  check(address: string): void
  /** Charges one unit. @throws AppError rate_limited, as check does */
  spend(address: string): void
}

interface Window {
  spent: number
  readonly endsAt: number
}

interface Limit {
  readonly max: number
  readonly windowMs: number
  /** The name of a unit in error details, in the plural. */
  readonly what: string
}

export function createAddressBudget({ max, windowMs, what }: Limit, clock: Clock): AddressBudget {
  const windows = createLeastRecentlyUsed<string, Window>(ADDRESSES_MAX)

  function windowOf(address: string): Window {
    const now = clock.now()
    const current = windows.get(address)
    if (current && current.endsAt > now) return current
    const window = { spent: 0, endsAt: now + windowMs }
    windows.set(address, window)
    return window
  }

  function refuseIfSpent({ spent, endsAt }: Window): void {
    if (spent < max) return
    const detail = `More than ${max} ${what} in ${windowMs / 1000} s from your address`
    throw new AppError('rate_limited', { detail, retryAfterMs: endsAt - clock.now() })
  }

  return {
    check: address => refuseIfSpent(windowOf(address)),
    spend(address) {
      const window = windowOf(address)
      refuseIfSpent(window)
      window.spent++
    }
  }
}
