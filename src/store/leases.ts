// A part of the port in store.ts, whose promises hold here too: the leases on a user, which decide who is busy (DESIGN 5a).

/**
 * `active`: the user's own outgoing call, or an answered incoming one. The others are incoming calls that ring: `ringing` from a
 * caller the user does not know, `ringing_known` from one the user does.
 */
export type LeaseKind = 'active' | 'ringing' | 'ringing_known'

export interface Lease {
  /** The create that holds it: see services/lease-holder.ts. Opaque to the store. */
  readonly holder: string
  /** Two leases of one user with the same peer exclude each other, whatever their kinds. */
  readonly peer: string
  readonly kind: LeaseKind
  /** Opaque to the store. */
  readonly role: string
  /** When it was taken. */
  readonly at: number
}

/** A lease is refused while the user holds this many of a kind; a kind that is not named is not counted. */
export type LeaseLimits = Readonly<Partial<Record<LeaseKind, number>>>

export type LeaseResult =
  | { readonly taken: true }
  /** Nothing was written; all leases the user holds. */
  | { readonly taken: false; readonly held: readonly Lease[] }

export type LeaseUpgrade =
  /** It is active now, or was already; all leases the user holds. */
  | { readonly status: 'active'; readonly held: readonly Lease[] }
  /** Nothing was written; all leases the user holds. */
  | { readonly status: 'full'; readonly held: readonly Lease[] }
  /** The holder has no lease on the user. */
  | { readonly status: 'missing' }

export interface Leases {
  /** Taken if the holder has it already (a retry), or if the limits allow it and no lease has the same peer. */
  take(user: string, lease: Lease, limits: LeaseLimits): Promise<LeaseResult>
  /** Makes the holder's lease `active`, unless `maxActive` others are. */
  upgrade(user: string, holder: string, maxActive: number): Promise<LeaseUpgrade>
  /** Idempotent. */
  release(user: string, holder: string): Promise<void>
  list(user: string): Promise<readonly Lease[]>
}
