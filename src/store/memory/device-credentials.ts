// Credentials of devices in memory: one map for each partition, as in Redis, so that both engines have the same bounds.
import type { Clock } from '../../clock.js'
import { joinIds } from '../../id-text.js'
import { type DeviceCredentials, type Owner, pageOfOwners, shareOf, toOwner } from '../device-credentials.js'
import { partitionOf } from '../partition.js'
import { ExpiringMap } from './expiring-map.js'

interface CredentialRecord {
  readonly text: string
  readonly expiresAt: number
}

export type MemoryDeviceCredentials = DeviceCredentials & { size(): number; sweep(now: number): void }

export function createMemoryDeviceCredentials(clock: Clock): MemoryDeviceCredentials {
  const partitions = new Map<number, Map<string, CredentialRecord>>()
  const codes = new ExpiringMap<Owner>(clock)
  const usedNonces = new ExpiringMap<true>(clock)

  function partOf(partition: number): Map<string, CredentialRecord> {
    const found = partitions.get(partition) ?? new Map<string, CredentialRecord>()
    partitions.set(partition, found)
    return found
  }

  function find({ user, device }: Owner, now: number): string | null {
    const found = partOf(partitionOf(user)).get(joinIds(user, device))
    return found && found.expiresAt > now ? found.text : null
  }

  function sweepPart(part: Map<string, CredentialRecord>, now: number): void {
    for (const [name, { expiresAt }] of part) if (expiresAt <= now) part.delete(name)
  }

  return {
    get: async (owner, now) => find(owner, now),
    async replace(owner, { expected, next, expiresAt }, { now, max }) {
      const part = partOf(partitionOf(owner.user))
      const name = joinIds(owner.user, owner.device)
      sweepPart(part, now)
      if (find(owner, now) !== expected) return 'changed'
      if (next === null) part.delete(name)
      else if (!part.has(name) && part.size >= shareOf(max)) return 'full'
      else part.set(name, { text: next, expiresAt })
      return 'written'
    },
    async list(page, now) {
      const names = await pageOfOwners(page, async partition => {
        const part = partOf(partition)
        sweepPart(part, now)
        return [...part.keys()]
      })
      return names.flatMap(name => {
        const owner = toOwner(name)
        const text = find(owner, now)
        return text === null ? [] : [{ ...owner, text }]
      })
    },
    putCode: async (digest, owner, ttlMs) => codes.set(digest, owner, clock.now() + ttlMs),
    findCode: async digest => codes.get(digest) ?? null,
    async useNonce(nonce, ttlMs) {
      if (usedNonces.get(nonce)) return false
      usedNonces.set(nonce, true, clock.now() + ttlMs)
      return true
    },
    size: () => [...partitions.values()].reduce((sum, part) => sum + part.size, 0) + codes.size + usedNonces.size,
    sweep(now) {
      for (const [partition, part] of partitions) {
        sweepPart(part, now)
        if (part.size === 0) partitions.delete(partition)
      }
      codes.sweep(now)
      usedNonces.sweep(now)
    }
  }
}
