// Part of the port in store.ts: leases, which decide who is busy (docs/decisions/0007-leases.md). The general promises of store.ts hold.

/**
 * `active`: an outgoing call, or an incoming one that was answered. `ringing` and `ringing_known`: an incoming call that rings, from an
 * unknown or a known caller.
 */
export type LeaseKind = 'active' | 'ringing' | 'ringing_known'

export interface Lease {
  /** The lease holder, see services/call/lease-holder.ts. Opaque to the store. */
  readonly holder: string
  /** A user has at most one lease with the same peer, of whatever kind. Empty: any number. */
  readonly peer: string
  readonly kind: LeaseKind
  /** Opaque to the store. */
  readonly role: string
  /** When the lease was taken. */
  readonly at: number
}

/** The most leases of each kind that a user may hold. A kind that is missing has no limit. */
export interface LeaseLimits extends Readonly<Partial<Record<LeaseKind, number>>> {
  /** The holder of a lease that counts against no limit: its call is about to end, or the new one exists only for its sake. */
  readonly uncounted?: string
}

export interface LeaseResult {
  /** False: nothing was written. */
  readonly taken: boolean
  /** All leases the user holds now. */
  readonly held: readonly Lease[]
}

/** A lease to be taken as Leases.take says. */
export interface LeaseClaim {
  readonly lease: Lease
  readonly limits: LeaseLimits
}

export interface Leases {
  /**
   * Takes the lease if the limits allow it and the user has no other lease with the same peer. If the holder already has it, the call
   * succeeds; the lease changes only from ringing to `active`, if the limit of `active` allows it, and takes the new peer, if the user has
   * no other lease with that.
   */
  take(user: string, lease: Lease, limits: LeaseLimits): Promise<LeaseResult>
  /** Idempotent. */
  release(user: string, holder: string): Promise<void>
  list(user: string): Promise<readonly Lease[]>
}
