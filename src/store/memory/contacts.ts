// Contacts in memory.
import type { Clock } from '../../clock.js'
import { joinIds } from '../../id-text.js'
import {
  type Backoff,
  BLOCK_UNUSED_MS,
  backoffAfter,
  type Contact,
  type Contacts,
  type ContactUpdate
} from '../contacts.js'
import { ExpiringMap } from './expiring-map.js'

export interface MemoryContacts extends Omit<Contacts, 'readCallee' | 'record'> {
  read(user: string, peer: string, now: number): Contact
  record(user: string, update: ContactUpdate, now: number): void
  size(): number
  sweep(now: number): void
}

export function createMemoryContacts(clock: Clock): MemoryContacts {
  const known = new ExpiringMap<true>(clock)
  const backoffs = new ExpiringMap<Backoff>(clock)
  const blocked = new Map<string, Map<string, number>>()

  function blocksOf(user: string, now: number): Map<string, number> {
    const all = blocked.get(user) ?? new Map<string, number>()
    for (const [peer, usedAt] of all) if (usedAt + BLOCK_UNUSED_MS <= now) all.delete(peer)
    return all
  }

  return {
    read(user, peer, now) {
      const blocks = blocksOf(user, now)
      const isBlocked = blocks.has(peer)
      if (isBlocked) blocks.set(peer, now)
      const isKnown = known.get(joinIds(user, peer)) ?? false
      return { isBlocked, isKnown, backoff: backoffs.get(joinIds(user, peer)) ?? null }
    },
    record(user, { peer, outcome, keepMs, backoffMs }, now) {
      const key = joinIds(user, peer)
      if (outcome !== 'failed') known.set(key, true, clock.now() + keepMs)
      if (outcome === 'answered') backoffs.delete(key)
      if (outcome !== 'failed' || backoffMs === 0) return
      const failures = (backoffs.get(key)?.failures ?? 0) + 1
      const waitMs = backoffAfter(failures, backoffMs)
      backoffs.set(key, { failures, retryAt: now + waitMs }, clock.now() + waitMs + keepMs)
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
    /** Without blocks, which users keep on purpose: they are no leak. */
    size: () => known.size + backoffs.size,
    sweep(now) {
      known.sweep(now)
      backoffs.sweep(now)
      for (const user of blocked.keys()) if (blocksOf(user, now).size === 0) blocked.delete(user)
    }
  }
}
