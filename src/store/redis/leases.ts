// Leases in Redis: for each user one hash, holder → `peer|at|role`. The TTL is a backstop: leases end with their call.
import type { Lease, Leases } from '../store.js'
import type { Attempt } from './clients.js'
import { leasesKey } from './keys.js'
import { takeLease } from './scripts.js'

const TTL_MS = 7 * 24 * 3_600_000

/** Peer and instant contain no bar; the role, opaque, comes last. */
function toLease(holder: string, text: string): Lease {
  const [peer = '', at = ''] = text.split('|', 2)
  return { holder, peer, at: Number(at), role: text.slice(peer.length + at.length + 2) }
}

export function createRedisLeases(attempt: Attempt): Leases {
  return {
    async take(user, { holder, peer, role, at }, max) {
      const reply = await takeLease(attempt, [leasesKey(user)], [holder, peer, `${at}|${role}`, max, TTL_MS])
      if (reply[0] === 'TAKEN') return { taken: true }
      const held: Lease[] = []
      for (let i = 1; i < reply.length; i += 2) held.push(toLease(reply[i] ?? '', reply[i + 1] ?? ''))
      return { taken: false, held }
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
