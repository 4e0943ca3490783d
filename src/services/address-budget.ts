// What clients that have not proved who they are may ask of one node, counted by address in this process: a flood must not cost the
// store a command per request. So n nodes together grant n times as much, and a restart forgets.
import { LRUCache } from 'lru-cache'
import type { Clock } from '../clock.js'
import { AppError } from '../errors.js'

/** More addresses than this at once are a flood from a large network; forgetting one of them grants it a new window. */
const ADDRESSES_MAX = 50_000

export interface AddressBudget {
  /** @throws AppError rate_limited, with the time until the window ends, when the budget of this address is spent */
  check(address: string): void
  /** Charges one. @throws AppError rate_limited as check does */
  spend(address: string): void
}

interface Window {
  spent: number
  readonly endsAt: number
}

interface Limit {
  readonly max: number
  readonly windowMs: number
  /** Names what is charged, in the plural, for whoever is refused. */
  readonly what: string
}

export function createAddressBudget({ max, windowMs, what }: Limit, clock: Clock): AddressBudget {
  const windows = new LRUCache<string, Window>({ max: ADDRESSES_MAX })

  function windowOf(address: string): Window {
    const now = clock.now()
    const known = windows.get(address)
    if (known && known.endsAt > now) return known
    const fresh = { spent: 0, endsAt: now + windowMs }
    windows.set(address, fresh)
    return fresh
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
