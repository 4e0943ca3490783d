// All revocations in the memory of a node: of both engines.
import type { IssuedToken, Revocation } from './revocations.js'

/** A removed revocation stays until it would have expired: a node that has not learned of the removal must not bring it back. */
export type RevocationRecord = Omit<Revocation, 'kind'> & { readonly kind: Revocation['kind'] | 'removed' }

interface UserRecords {
  /** Of all devices. */
  all: RevocationRecord | null
  /** Null until there is one. */
  devices: Map<string, RevocationRecord> | null
}

export class RevocationMap {
  readonly #users = new Map<string, UserRecords>()
  readonly #listeners = new Set<(user: string) => void>()
  #size = 0
  #sweepAt = Number.POSITIVE_INFINITY

  get size(): number {
    return this.#size
  }

  /** Takes the record unless a newer one is known. */
  apply(record: RevocationRecord): void {
    const { user, device, at, expiresAt } = record
    const before = this.find(user, device)
    if (before !== null && before.at >= at) return
    this.#set(record)
    this.#sweepAt = Math.min(this.#sweepAt, expiresAt)
    if (limitOf(record) > limitOf(before)) for (const listen of this.#listeners) listen(user)
  }

  find(user: string, device: string | null): RevocationRecord | null {
    const records = this.#users.get(user)
    return (device === null ? records?.all : records?.devices?.get(device)) ?? null
  }

  revocationOf({ user, device, issuedAt = null }: IssuedToken): Revocation | null {
    const records = this.#users.get(user)
    if (records === undefined) return null
    const ofDevice = device === null ? null : (records.devices?.get(device) ?? null)
    const refusing = [records.all, ofDevice]
      .filter(isInForce)
      .filter(({ issuedAfter }) => (issuedAt ?? 0) <= issuedAfter)
    return refusing.find(({ kind }) => kind === 'sign_out') ?? refusing[0] ?? null
  }

  list(user: string): readonly Revocation[] {
    const { all = null, devices = null } = this.#users.get(user) ?? {}
    return [all, ...(devices?.values() ?? [])].filter(isInForce)
  }

  *records(): Iterable<RevocationRecord> {
    for (const { all, devices } of this.#users.values()) {
      if (all !== null) yield all
      if (devices !== null) yield* devices.values()
    }
  }

  onRevoked(listen: (user: string) => void): () => void {
    this.#listeners.add(listen)
    return () => this.#listeners.delete(listen)
  }

  /** Forgets what has expired. Costs nothing before the first one has. */
  sweep(now: number): void {
    if (now < this.#sweepAt) return
    this.#sweepAt = Number.POSITIVE_INFINITY
    for (const record of this.records()) {
      if (record.expiresAt <= now) this.#delete(record)
      else this.#sweepAt = Math.min(this.#sweepAt, record.expiresAt)
    }
  }

  #set(record: RevocationRecord): void {
    const { user, device } = record
    const records = this.#users.get(user) ?? { all: null, devices: null }
    this.#users.set(user, records)
    if (this.find(user, device) === null) this.#size++
    if (device === null) records.all = record
    else records.devices = (records.devices ?? new Map()).set(device, record)
  }

  #delete({ user, device }: RevocationRecord): void {
    const records = this.#users.get(user)
    if (records === undefined) return
    this.#size--
    if (device === null) records.all = null
    else records.devices?.delete(device)
    if (records.all === null && (records.devices?.size ?? 0) === 0) this.#users.delete(user)
  }
}

const NONE = Number.NEGATIVE_INFINITY

/** Tokens issued at or before it are refused. */
function limitOf(record: RevocationRecord | null | undefined): number {
  return record == null || record.kind === 'removed' ? NONE : record.issuedAfter
}

export function isInForce(record: RevocationRecord | null): record is Revocation {
  return record !== null && record.kind !== 'removed'
}

/**
 * The record that follows `before`: a revocation never refuses fewer tokens than the one before. Each record of a user and device is newer
 * than the one before, whatever the clock says. lua/revocation_put.lua computes the same.
 */
export function nextRecord(before: RevocationRecord | null, record: RevocationRecord): RevocationRecord {
  if (before === null) return record
  const at = Math.max(record.at, before.at + 1)
  const expiresAt = Math.max(record.expiresAt, before.expiresAt)
  const isStronger = limitOf(before) < limitOf(record) || record.kind === 'removed'
  return isStronger ? { ...record, at, expiresAt } : { ...before, at, expiresAt }
}
