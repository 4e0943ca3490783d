// Leases in plain maps. No expiry: a lease and its call live and die with the same process.
import type { Lease, LeaseLimits, Leases } from '../leases.js'

function allows(held: readonly Lease[], lease: Lease, limits: LeaseLimits): boolean {
  if (held.some(({ peer }) => peer === lease.peer)) return false
  return Object.entries(limits).every(([kind, limit]) => held.filter(each => each.kind === kind).length < limit)
}

export interface MemoryLeases extends Leases {
  /** `release`, at once. */
  drop(user: string, holder: string): void
  size(): number
}

export function createMemoryLeases(): MemoryLeases {
  const users = new Map<string, Map<string, Lease>>()

  function drop(user: string, holder: string): void {
    const held = users.get(user)
    if (held?.delete(holder) && held.size === 0) users.delete(user)
  }

  return {
    async take(user, lease, limits) {
      const held = users.get(user) ?? new Map<string, Lease>()
      if (held.has(lease.holder)) return { taken: true }
      const all = [...held.values()]
      if (!allows(all, lease, limits)) return { taken: false, held: all }
      users.set(user, held.set(lease.holder, lease))
      return { taken: true }
    },
    async upgrade(user, holder, maxActive) {
      const held = users.get(user)
      const lease = held?.get(holder)
      if (!held || !lease) return { status: 'missing' }
      const others = [...held.values()].filter(each => each.kind === 'active' && each.holder !== holder)
      if (lease.kind !== 'active' && others.length >= maxActive) return { status: 'full', held: [...held.values()] }
      held.set(holder, { ...lease, kind: 'active' })
      return { status: 'active', held: [...held.values()] }
    },
    drop,
    release: async (user, holder) => drop(user, holder),
    list: async user => [...(users.get(user)?.values() ?? [])],
    size: () => users.size
  }
}
