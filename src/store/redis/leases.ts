// Leases in Redis: for each user one hash, holder → `peer|kind|at|role`. The TTL is a backstop: leases end with their call.
import type { Lease, LeaseClaim, LeaseKind, Leases } from '../leases.js'
import type { Attempt } from './clients.js'
import { leasesKey } from './keys.js'
import { type Argument, takeLease } from './scripts.js'

const TTL_MS = 7 * 24 * 3_600_000

/** Peer, kind and instant contain no bar; the role, opaque, comes last. */
function toLease(holder: string, text: string): Lease {
  const [peer = '', kind = '', at = '', ...role] = text.split('|')
  return { holder, peer, kind: kind as LeaseKind, at: Number(at), role: role.join('|') }
}

/** What HGETALL replies inside a script: fields and values in turn. */
export function toLeases(flat: readonly string[]): Lease[] {
  const held: Lease[] = []
  for (let i = 0; i < flat.length; i += 2) held.push(toLease(flat[i] ?? '', flat[i + 1] ?? ''))
  return held
}

/** As lua/lease.lua reads it. */
export function claimArguments({ lease, limits }: LeaseClaim): Argument[] {
  const { holder, peer, kind, role, at } = lease
  const flat = Object.entries(limits).flat()
  return [holder, peer, kind, `${at}|${role}`, TTL_MS, flat.length / 2, ...flat]
}

export function createRedisLeases(attempt: Attempt): Leases {
  return {
    async take(user, lease, limits) {
      const [word, ...held] = await takeLease(attempt, [leasesKey(user)], claimArguments({ lease, limits }))
      return { taken: word === 'TAKEN', held: toLeases(held) }
    },
    async release(user, holder) {
      await attempt(client => client.hdel(leasesKey(user), holder))
    },
    async list(user) {
      const held = await attempt(client => client.hgetall(leasesKey(user)))
      return Object.entries(held).map(([holder, text]) => toLease(holder, text))
    }
  }
}
