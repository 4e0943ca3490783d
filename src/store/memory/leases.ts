// Leases in memory. They do not expire: leases and calls are lost together, with the process.
import type { Lease, LeaseClaim, LeaseLimits, Leases } from '../leases.js'

export interface MemoryLeases extends Leases {
  /** The leases that the user would hold if the claim were granted; null: it is refused. Writes nothing. */
  judge(user: string, claim: LeaseClaim): readonly Lease[] | null
  /** Stores a result of `judge`. */
  put(user: string, held: readonly Lease[]): void
  held(user: string): readonly Lease[]
  /** `release` without a promise. */
  drop(user: string, holder: string): void
  size(): number
}

function within(held: readonly Lease[], { uncounted, ...limits }: LeaseLimits): boolean {
  const counted = held.filter(({ holder }) => holder !== uncounted)
  return Object.entries(limits).every(([kind, limit]) => counted.filter(each => each.kind === kind).length < limit)
}

const onlyActive = ({ ringing: _, ringing_known: __, ...limits }: LeaseLimits): LeaseLimits => limits

export function createMemoryLeases(): MemoryLeases {
  const users = new Map<string, readonly Lease[]>()
  const heldBy = (user: string) => users.get(user) ?? []

  function judge(user: string, { lease, limits }: LeaseClaim): readonly Lease[] | null {
    const held = heldBy(user)
    const mine = held.find(({ holder }) => holder === lease.holder)
    if (lease.peer !== '' && held.some(each => each !== mine && each.peer === lease.peer)) return null
    if (!mine) return within(held, limits) ? [...held, lease] : null
    const isUpgrade = mine.kind !== 'active' && lease.kind === 'active'
    if (isUpgrade && !within(held, onlyActive(limits))) return null
    const kind = isUpgrade ? 'active' : mine.kind
    return held.map(each => (each === mine ? { ...mine, kind, peer: lease.peer } : each))
  }

  function put(user: string, held: readonly Lease[]): void {
    if (held.length > 0) users.set(user, held)
    else users.delete(user)
  }

  const drop = (user: string, holder: string) =>
    put(
      user,
      heldBy(user).filter(each => each.holder !== holder)
    )

  return {
    judge,
    put,
    held: heldBy,
    drop,
    async take(user, lease, limits) {
      const held = judge(user, { lease, limits })
      if (held === null) return { taken: false, held: heldBy(user) }
      put(user, held)
      return { taken: true, held }
    },
    release: async (user, holder) => drop(user, holder),
    list: async user => heldBy(user),
    size: () => users.size
  }
}
