// Leases in plain maps. No expiry: a lease and its call live and die with the same process.
import type { Lease, Leases } from '../store.js'

export function createMemoryLeases(): Leases {
  const users = new Map<string, Map<string, Lease>>()
  return {
    async take(user, lease, max) {
      const held = users.get(user) ?? new Map<string, Lease>()
      if (held.has(lease.holder)) return { taken: true }
      const all = [...held.values()]
      if (all.length >= max || all.some(other => other.peer === lease.peer)) return { taken: false, held: all }
      users.set(user, held.set(lease.holder, lease))
      return { taken: true }
    },
    async release(user, holder) {
      const held = users.get(user)
      if (held?.delete(holder) && held.size === 0) users.delete(user)
    },
    list: async user => [...(users.get(user)?.values() ?? [])]
  }
}
