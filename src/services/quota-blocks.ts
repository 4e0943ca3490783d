// What @fastify/rate-limit and services/budgets.ts count with. A node takes a user's quota in blocks and spends each from memory, so that a signal
// costs a round trip only once in ten. Over all nodes nobody gets more than the limit; somebody whose requests are spread over
// many nodes may get a little less in a window, by what lies unspent elsewhere.
import type { FastifyRateLimitStoreCtor } from '@fastify/rate-limit'
import type { Clock } from '../clock.js'
import type { Quotas } from '../store/store.js'

/** What this node knows of one user's quota in one window. */
interface Window {
  readonly startedAt: number
  /** Taken from the store so far, and what is left of that. */
  taken: number
  left: number
  /** The store has no more for this window. */
  spent: boolean
  taking: Promise<void> | null
}

export interface QuotaBlocks {
  /** For @fastify/rate-limit: waits for a block when there is none at hand. */
  readonly store: FastifyRateLimitStoreCtor
  /** Spends from the block at hand: what nine of ten requests do, and no promise is made for it. Null if there is none. */
  spendAtHand(key: string, windowMs: number, max: number): Standing | null
  /** Spends `cost` units, all or none. @throws AppError store_unavailable */
  spend(
    key: string,
    quota: { windowMs: number; max: number; cost: number }
  ): Promise<Standing & { readonly granted: boolean }>
  /** Whether `spend` would grant a unit, without spending it. @throws AppError store_unavailable */
  look(key: string, quota: { windowMs: number; max: number }): Promise<Standing & { readonly granted: boolean }>
}

/** How a user stands in a window after a request. */
export interface Standing {
  readonly remaining: number
  readonly ttl: number
}

/** Windows of a second are the hot ones: a tenth at a time. Of a longer one a hundredth, so small limits are counted one by one. */
const BLOCKS_UP_TO_MS = 1000

/** Keys are `<name of the quota>:<user>`; no user id has a colon in it. */
export function createQuotaBlocks(quotas: Quotas, clock: Clock): QuotaBlocks {
  /** By length. Windows of one length begin together, and all but those of the present one are forgotten together. */
  const present = new Map<number, { readonly startedAt: number; readonly windows: Map<string, Window> }>()

  function currentWindow(key: string, windowMs: number): Window {
    const now = clock.now()
    const startedAt = now - (now % windowMs)
    let shelf = present.get(windowMs)
    if (shelf?.startedAt !== startedAt) {
      shelf = { startedAt, windows: new Map() }
      present.set(windowMs, shelf)
    }
    const known = shelf.windows.get(key)
    if (known) return known
    const fresh: Window = { startedAt, taken: 0, left: 0, spent: false, taking: null }
    shelf.windows.set(key, fresh)
    return fresh
  }

  async function takeBlock(window: Window, key: string, { windowMs, max, cost }: Limit) {
    const { name, user } = partsOf(key)
    const short = cost - window.left
    const want = Math.max(short, Math.floor(max / (windowMs > BLOCKS_UP_TO_MS ? 100 : 10)))
    try {
      const granted = await quotas.take(user, { name, windowMs, max, want, now: window.startedAt })
      window.taken += granted
      window.left += granted
      window.spent = granted < want
    } finally {
      window.taking = null
    }
  }

  /** Resolves to whether `cost` units were left. Requests that arrive while a block is being taken wait for it together. */
  async function spend(window: Window, key: string, limit: Limit): Promise<boolean> {
    while (window.left < limit.cost && !window.spent) {
      window.taking ??= takeBlock(window, key, limit)
      await window.taking
    }
    if (window.left < limit.cost) return false
    window.left -= limit.cost
    return true
  }

  /** Others' share is not known here: what remains is what this node may still hope for. */
  function standing({ startedAt, taken, left, spent }: Window, windowMs: number, max: number): Standing {
    const ttl = Math.max(1, startedAt + windowMs - clock.now())
    return { remaining: spent ? left : max - taken + left, ttl }
  }

  class BlockStore {
    incr(key: string, callback: Answer, windowMs: number, max: number): void {
      const window = currentWindow(key, windowMs)
      spend(window, key, { windowMs, max, cost: 1 }).then(granted => {
        const { remaining, ttl } = standing(window, windowMs, max)
        callback(null, { current: granted ? max - remaining : max + 1, ttl })
      }, callback)
    }

    child(): BlockStore {
      return this
    }
  }

  return {
    store: BlockStore,
    spendAtHand(key, windowMs, max) {
      const window = currentWindow(key, windowMs)
      if (window.left === 0) return null
      window.left--
      return standing(window, windowMs, max)
    },
    async spend(key, limit) {
      const window = currentWindow(key, limit.windowMs)
      const granted = await spend(window, key, limit)
      return { granted, ...standing(window, limit.windowMs, limit.max) }
    },
    async look(key, { windowMs, max }) {
      const window = currentWindow(key, windowMs)
      const { name, user } = partsOf(key)
      const granted =
        window.left > 0 ||
        (!window.spent && (await quotas.left(user, { name, windowMs, max, now: window.startedAt })) > 0)
      return { granted, ...standing(window, windowMs, max) }
    }
  }
}

function partsOf(key: string): { readonly name: string; readonly user: string } {
  const colon = key.indexOf(':')
  return { name: key.slice(0, colon), user: key.slice(colon + 1) }
}

interface Limit {
  readonly windowMs: number
  readonly max: number
  readonly cost: number
}

type Answer = (error: Error | null, result?: { current: number; ttl: number }) => void
