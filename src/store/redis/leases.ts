// Leases in Redis: for each user one hash, holder → `peer|kind|at|role`. The TTL is a backstop: leases end with their call.
import type { Lease, LeaseKind, Leases } from '../leases.js'
import type { Attempt } from './clients.js'
import { leasesKey } from './keys.js'
import { takeLease, upgradeLease } from './scripts.js'

const TTL_MS = 7 * 24 * 3_600_000

/** Peer, kind and instant contain no bar; the role, opaque, comes last. */
function toLease(holder: string, text: string): Lease {
  const [peer = '', kind = '', at = '', ...role] = text.split('|')
  return { holder, peer, kind: kind as LeaseKind, at: Number(at), role: role.join('|') }
}

/** What HGETALL replies inside a script: fields and values in turn. */
function toLeases(flat: readonly string[]): Lease[] {
  const held: Lease[] = []
  for (let i = 0; i < flat.length; i += 2) held.push(toLease(flat[i] ?? '', flat[i + 1] ?? ''))
  return held
}

export function createRedisLeases(attempt: Attempt): Leases {
  return {
    async take(user, { holder, peer, kind, role, at }, limits) {
      const args = [holder, peer, kind, `${at}|${role}`, TTL_MS, ...Object.entries(limits).flat()]
      const [word, ...held] = await takeLease(attempt, [leasesKey(user)], args)
      return word === 'TAKEN' ? { taken: true } : { taken: false, held: toLeases(held) }
    },
    async upgrade(user, holder, maxActive) {
      const [word, ...held] = await upgradeLease(attempt, [leasesKey(user)], [holder, maxActive])
      if (word === 'MISSING') return { status: 'missing' }
      return { status: word === 'ACTIVE' ? 'active' : 'full', held: toLeases(held) }
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
