// Contacts in plain maps.
import type { Clock } from '../../clock.js'
import { type Backoff, BLOCK_UNUSED_MS, type Contacts } from '../contacts.js'

export function createMemoryContacts(clock: Clock): Contacts & { size(): number; sweep(now: number): void } {
  /** By user and peer; no user id has a blank in it. */
  const known = new Map<string, number>()
  const backoffs = new Map<string, Backoff & { readonly until: number }>()
  const blocked = new Map<string, Map<string, number>>()
  const keyOf = (user: string, peer: string) => `${user} ${peer}`

  function blocksOf(user: string, now: number): Map<string, number> {
    const all = blocked.get(user) ?? new Map<string, number>()
    for (const [peer, usedAt] of all) if (usedAt + BLOCK_UNUSED_MS <= now) all.delete(peer)
    return all
  }

  return {
    async read(user, peer, now) {
      const blocks = blocksOf(user, now)
      const isBlocked = blocks.has(peer)
      if (isBlocked) blocks.set(peer, now)
      const backoff = backoffs.get(keyOf(user, peer))
      return {
        isBlocked,
        isKnown: (known.get(keyOf(user, peer)) ?? 0) > clock.now(),
        backoff:
          backoff && backoff.until > clock.now() ? { failures: backoff.failures, retryAt: backoff.retryAt } : null
      }
    },
    async know(user, peer, ttlMs) {
      known.set(keyOf(user, peer), clock.now() + ttlMs)
    },
    async setBackoff(user, peer, backoff) {
      if (backoff === null) return void backoffs.delete(keyOf(user, peer))
      const { failures, retryAt, ttlMs } = backoff
      backoffs.set(keyOf(user, peer), { failures, retryAt, until: clock.now() + ttlMs })
    },
    async block(user, peer, { now, max }) {
      const blocks = blocksOf(user, now)
      if (!blocks.has(peer) && blocks.size >= max) return false
      blocked.set(user, blocks.set(peer, now))
      return true
    },
    async unblock(user, peer) {
      const blocks = blocked.get(user)
      if (blocks?.delete(peer) && blocks.size === 0) blocked.delete(user)
    },
    blocks: async (user, now) => [...blocksOf(user, now).keys()].sort(),
    /** Blocks are kept on purpose. */
    size: () => known.size + backoffs.size,
    sweep(now) {
      for (const [key, until] of known) if (until <= now) known.delete(key)
      for (const [key, { until }] of backoffs) if (until <= now) backoffs.delete(key)
      for (const user of blocked.keys()) if (blocksOf(user, now).size === 0) blocked.delete(user)
    }
  }
}
