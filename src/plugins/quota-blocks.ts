// The store behind @fastify/rate-limit. A node takes a user's quota in blocks and spends each from memory, so that a signal
// costs a round trip only once in ten. Over all nodes nobody gets more than the limit; somebody whose requests are spread over
// many nodes may get a little less in a window, by what lies unspent elsewhere.
import type { FastifyRateLimitStoreCtor } from '@fastify/rate-limit'
import { LRUCache } from 'lru-cache'
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

/** Windows of a second are the hot ones. A longer window counts one by one: there the limit is small and exact. */
const BLOCKS_UP_TO_MS = 1000
const REMEMBERED_USERS = 30_000

/** Keys are `<name of the quota>:<user>`; no user id has a colon in it. */
export function quotaBlocks(quotas: Quotas, clock: Clock): FastifyRateLimitStoreCtor {
  const windows = new LRUCache<string, Window>({ max: REMEMBERED_USERS })

  function currentWindow(key: string, windowMs: number): Window {
    const now = clock.now()
    const startedAt = now - (now % windowMs)
    const known = windows.get(key)
    if (known?.startedAt === startedAt) return known
    const fresh: Window = { startedAt, taken: 0, left: 0, spent: false, taking: null }
    windows.set(key, fresh)
    return fresh
  }

  async function takeBlock(window: Window, key: string, { windowMs, max }: { windowMs: number; max: number }) {
    const colon = key.indexOf(':')
    const want = windowMs > BLOCKS_UP_TO_MS ? 1 : Math.max(1, Math.floor(max / 10))
    try {
      const granted = await quotas.take(key.slice(colon + 1), {
        name: key.slice(0, colon),
        windowMs,
        max,
        want,
        now: window.startedAt
      })
      window.taken += granted
      window.left += granted
      window.spent = granted < want
    } finally {
      window.taking = null
    }
  }

  /** Resolves to whether there was one left. Requests that come while a block is under way wait for it together. */
  async function spend(window: Window, key: string, limit: { windowMs: number; max: number }): Promise<boolean> {
    while (window.left === 0 && !window.spent) {
      window.taking ??= takeBlock(window, key, limit)
      await window.taking
    }
    return window.left > 0 && window.left-- > 0
  }

  return class QuotaBlocks {
    incr(key: string, callback: Answer, windowMs: number, max: number): void {
      const window = currentWindow(key, windowMs)
      spend(window, key, { windowMs, max }).then(granted => {
        // Others' share is not known here: what remains is what this node may still hope for.
        const remaining = window.spent ? window.left : max - window.taken + window.left
        const ttl = Math.max(1, window.startedAt + windowMs - clock.now())
        callback(null, { current: granted ? max - remaining : max + 1, ttl })
      }, callback)
    }

    child(): QuotaBlocks {
      return this
    }
  }
}

type Answer = (error: Error | null, result?: { current: number; ttl: number }) => void
