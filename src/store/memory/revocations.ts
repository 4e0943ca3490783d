// Revocations in memory.
import type { Clock } from '../../clock.js'
import { isInForce, nextRecord, RevocationMap } from '../revocation-map.js'
import { ISSUER_LEAD_TTL_MS, type Revocations } from '../revocations.js'

export interface MemoryRevocations extends Revocations {
  sweep(now: number): void
}

export function createMemoryRevocations(clock: Pick<Clock, 'now'>): MemoryRevocations {
  const known = new RevocationMap()
  /** Until when each is remembered. At most one for each second of JWT_LEEWAY_MS. */
  const leads = new Map<number, number>()
  return {
    async put(revocation, { max }) {
      const { user, device } = revocation
      known.sweep(clock.now())
      const before = known.find(user, device)
      if (before === null && known.size >= max) return null
      const next = nextRecord(before, revocation)
      known.apply(next)
      return isInForce(next) ? next : null
    },
    async remove(user, device, now) {
      const before = known.find(user, device)
      if (!isInForce(before)) return false
      known.apply(nextRecord(before, { ...before, kind: 'removed', at: now }))
      return true
    },
    revocationOf: token => known.revocationOf(token),
    list: user => known.list(user),
    size: () => known.size,
    async noteIssuerLead(leadMs) {
      leads.set(leadMs, clock.now() + ISSUER_LEAD_TTL_MS)
    },
    async issuerLeadMs() {
      return Math.max(0, ...[...leads].flatMap(([leadMs, until]) => (until > clock.now() ? [leadMs] : [])))
    },
    onRevoked: listen => known.onRevoked(listen),
    sweep: now => known.sweep(now)
  }
}
