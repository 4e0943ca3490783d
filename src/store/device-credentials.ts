// Part of the port in store.ts: the credentials of devices, the codes by which devices enroll, and the nonces that were used. The general
// promises of store.ts hold.
import { joinIds, splitIds } from '../id-text.js'
import { PARTITIONS, partitionOf } from './partition.js'

export interface Owner {
  readonly user: string
  readonly device: string
}

export interface CredentialChange {
  /** As `get` or `list` returned it; null: there is none. */
  readonly expected: string | null
  /** Opaque; null removes it. */
  readonly next: string | null
  readonly expiresAt: number
}

export interface OwnedCredential extends Owner {
  readonly text: string
}

export interface CredentialPage {
  readonly after: Owner | null
  readonly limit: number
  /** Undefined: of all users. */
  readonly user?: string | undefined
}

export interface DeviceCredentials {
  /** Null: the device has none, or it has expired. */
  get(owner: Owner, now: number): Promise<string | null>
  /**
   * Compare and set. `changed`: it is not `expected` any more, and nothing is written. `full`: the user's partition has its share of `max`
   * credentials, which are not this one; expired ones do not count.
   */
  replace(
    owner: Owner,
    change: CredentialChange,
    options: { now: number; max: number }
  ): Promise<'written' | 'changed' | 'full'>
  /**
   * Those of all users, or of one, in a fixed order, after the device `after`; null: from the first one. One that is there all the time is listed once.
   */
  list(page: CredentialPage, now: number): Promise<readonly OwnedCredential[]>
  /** Remembers to which device the code with this digest belongs. */
  putCode(digest: string, owner: Owner, ttlMs: number): Promise<void>
  findCode(digest: string): Promise<Owner | null>
  /** True for the first use. Used nonces are remembered for `ttlMs`. */
  useNonce(nonce: string, ttlMs: number): Promise<boolean>
}

/** How many credentials a partition keeps. */
export const shareOf = (max: number): number => Math.max(1, Math.floor(max / PARTITIONS))

export const toOwner = (joined: string): Owner => {
  const [user = '', device = ''] = splitIds(joined)
  return { user, device }
}

/** Partitions that are asked at the same time. */
const AT_ONCE = 32

/** The owners, joined, of a page of `list`: by partition, then by name. @param namesOf the joined owners of a partition, in any order */
export async function pageOfOwners(
  { after, limit, user }: CredentialPage,
  namesOf: (partition: number) => Promise<readonly string[]>
): Promise<string[]> {
  const begin = user === undefined ? 0 : partitionOf(user)
  const end = user === undefined ? PARTITIONS : begin + 1
  const first = after === null ? begin : partitionOf(after.user)
  const isListed = (name: string) => user === undefined || toOwner(name).user === user
  const last = after === null ? '' : joinIds(after.user, after.device)
  const page: string[] = []
  for (let from = first; from < end && page.length < limit; from += AT_ONCE) {
    const count = Math.min(AT_ONCE, end - from)
    const found = await Promise.all(Array.from({ length: count }, (_, i) => namesOf(from + i)))
    const [own = [], ...others] = found.map(names => names.filter(isListed).sort())
    page.push(...(from === first ? own.filter(name => name > last) : own), ...others.flat())
  }
  return page.slice(0, limit)
}
