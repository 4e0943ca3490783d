// Budgets in slices, for @fastify/rate-limit and budgets.ts. A node takes a slice of a user's budget from the store and counts requests against
// it in memory, so only one signal in ten costs a round trip. All nodes together never grant more than the limit; a user whose requests
// reach many nodes may get less, by what is left in the slices of other nodes.
import type { FastifyRateLimitStoreCtor } from '@fastify/rate-limit'
import type { Clock } from '../clock.js'
import type { BudgetCounters } from '../store/store.js'

/** What this node has taken of one user's budget for one window. */
interface NodeSlice {
  readonly startedAt: number
  /** Units taken from the store in this window, and those of them that are not spent. */
  taken: number
  left: number
  /** The store has no more units for this window. */
  isExhausted: boolean
  /** The request for more units that is under way. */
  taking: Promise<void> | null
}

export interface BudgetLimit {
  readonly windowMs: number
  readonly max: number
}

type Cost = BudgetLimit & { readonly cost: number }

/** After a request. */
export interface BudgetStatus {
  /** Units that this node may still spend in the window. */
  readonly remaining: number
  /** Time until the window ends. */
  readonly endsInMs: number
}

type SpendReply = BudgetStatus & { readonly isGranted: boolean }

/** Keys are `<name of the budget>:<user>`. */
export interface BudgetSlices {
  /** For @fastify/rate-limit. Takes a slice if this node has none. */
  readonly store: FastifyRateLimitStoreCtor
  /** Spends one unit of this node's slice, without a promise; null: there is no slice. */
  spendLocal(key: string, limit: BudgetLimit): BudgetStatus | null
  /** Spends `cost` units, all or none. @throws AppError store_unavailable */
  spend(key: string, cost: Cost): Promise<SpendReply>
  /** Whether `spend` would grant one unit. Spends nothing. @throws AppError store_unavailable */
  check(key: string, limit: BudgetLimit): Promise<SpendReply>
}

/** Of a window up to this length a slice is a tenth, because these are the frequent requests. Of a longer one it is a hundredth. */
const LARGE_SLICES_UP_TO_MS = 1000

const sliceSize = ({ windowMs, max }: BudgetLimit): number =>
  Math.floor(max / (windowMs > LARGE_SLICES_UP_TO_MS ? 100 : 10))

export function createBudgetSlices(counters: BudgetCounters, clock: Clock): BudgetSlices {
  const sliceOf = createSlices(clock)

  async function takeSlice(slice: NodeSlice, key: string, limit: Cost) {
    const { name, user } = parseKey(key)
    const { windowMs, max, cost } = limit
    const want = Math.max(cost - slice.left, sliceSize(limit))
    try {
      const granted = await counters.take(user, { name, windowMs, max, want, now: slice.startedAt })
      slice.taken += granted
      slice.left += granted
      slice.isExhausted = granted < want
    } finally {
      slice.taking = null
    }
  }

  /** Concurrent requests wait for one slice together. Resolves to whether `cost` units were spent. */
  async function spend(slice: NodeSlice, key: string, limit: Cost): Promise<boolean> {
    while (slice.left < limit.cost && !slice.isExhausted) {
      slice.taking ??= takeSlice(slice, key, limit)
      await slice.taking
    }
    if (slice.left < limit.cost) return false
    slice.left -= limit.cost
    return true
  }

  /** What other nodes have taken is unknown until the budget is exhausted. */
  function statusOf({ startedAt, taken, left, isExhausted }: NodeSlice, { windowMs, max }: BudgetLimit): BudgetStatus {
    const endsInMs = Math.max(1, startedAt + windowMs - clock.now())
    return { remaining: isExhausted ? left : max - taken + left, endsInMs }
  }

  class RateLimitStore {
    // biome-ignore lint/complexity/useMaxParams: @fastify/rate-limit calls it with these four
    incr(key: string, callback: RateLimitCallback, windowMs: number, max: number): void {
      const limit = { windowMs, max, cost: 1 }
      const slice = sliceOf(key, windowMs)
      spend(slice, key, limit).then(isGranted => {
        const { remaining, endsInMs } = statusOf(slice, limit)
        callback(null, { current: isGranted ? max - remaining : max + 1, ttl: endsInMs })
      }, callback)
    }

    child(): RateLimitStore {
      return this
    }
  }

  return {
    store: RateLimitStore,
    spendLocal(key, limit) {
      const slice = sliceOf(key, limit.windowMs)
      if (slice.left === 0) return null
      slice.left--
      return statusOf(slice, limit)
    },
    async spend(key, limit) {
      const slice = sliceOf(key, limit.windowMs)
      const isGranted = await spend(slice, key, limit)
      return { isGranted, ...statusOf(slice, limit) }
    },
    async check(key, limit) {
      const slice = sliceOf(key, limit.windowMs)
      const { name, user } = parseKey(key)
      const isGranted =
        slice.left > 0 ||
        (!slice.isExhausted && (await counters.left(user, { name, ...limit, now: slice.startedAt })) > 0)
      return { isGranted, ...statusOf(slice, limit) }
    }
  }
}

/** This node's slices of the current windows. Windows of one length start together, so their slices are dropped together. */
function createSlices(clock: Clock): (key: string, windowMs: number) => NodeSlice {
  const byLength = new Map<number, { readonly startedAt: number; readonly slices: Map<string, NodeSlice> }>()
  return (key, windowMs) => {
    const now = clock.now()
    const startedAt = now - (now % windowMs)
    let current = byLength.get(windowMs)
    if (current?.startedAt !== startedAt) {
      current = { startedAt, slices: new Map() }
      byLength.set(windowMs, current)
    }
    const known = current.slices.get(key)
    if (known) return known
    const slice: NodeSlice = { startedAt, taken: 0, left: 0, isExhausted: false, taking: null }
    current.slices.set(key, slice)
    return slice
  }
}

/** The name of a quota has no colon in it; a user id may have one. */
function parseKey(key: string): { readonly name: string; readonly user: string } {
  const colon = key.indexOf(':')
  return { name: key.slice(0, colon), user: key.slice(colon + 1) }
}

type RateLimitCallback = (error: Error | null, result?: { current: number; ttl: number }) => void
