// Leases in Redis: one hash for each user, holder → `peer|kind|at|role`, the peer encoded. Leases are released with their call; the TTL is a backstop.
import { decodeId, encodeId } from '../../id-text.js'
import type { Lease, LeaseClaim, LeaseKind, Leases } from '../leases.js'
import type { RunCommand } from './clients.js'
import { leasesKey } from './keys.js'
import { type Argument, takeLease } from './scripts.js'

const TTL_MS = 7 * 24 * 3_600_000

/** Only the role, which comes last, may contain a bar. */
function toLease(holder: string, text: string): Lease {
  const [peer = '', kind = '', at = '', ...role] = text.split('|')
  return { holder, peer: decodeId(peer), kind: kind as LeaseKind, at: Number(at), role: role.join('|') }
}

/** `flat` is the reply to HGETALL inside a script: field, value, field, … */
export function toLeases(flat: readonly string[]): Lease[] {
  const held: Lease[] = []
  for (let i = 0; i < flat.length; i += 2) held.push(toLease(flat[i] ?? '', flat[i + 1] ?? ''))
  return held
}

/** In the order that lua/lease.lua reads. */
export function claimArguments({ lease, limits }: LeaseClaim): Argument[] {
  const { holder, peer, kind, role, at } = lease
  const { uncounted = '', ...counted } = limits
  const flat = Object.entries(counted).flat()
  return [holder, encodeId(peer), kind, `${at}|${role}`, TTL_MS, uncounted, flat.length / 2, ...flat]
}

export function createRedisLeases(runCommand: RunCommand): Leases {
  return {
    async take(user, lease, limits) {
      const [status, ...held] = await takeLease(runCommand, [leasesKey(user)], claimArguments({ lease, limits }))
      return { taken: status === 'TAKEN', held: toLeases(held) }
    },
    async release(user, holder) {
      await runCommand(client => client.hdel(leasesKey(user), holder))
    },
    async list(user) {
      const held = await runCommand(client => client.hgetall(leasesKey(user)))
      return Object.entries(held).map(([holder, text]) => toLease(holder, text))
    }
  }
}
