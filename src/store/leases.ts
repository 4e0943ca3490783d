// A part of the port in store.ts, whose promises hold here too: the leases on a user, which decide who is busy (DESIGN 5a).

/**
 * `active`: the user's own outgoing call, or an answered incoming one. The others are incoming calls that ring: `ringing` from a
 * caller the user does not know, `ringing_known` from one the user does.
 */
export type LeaseKind = 'active' | 'ringing' | 'ringing_known'

export interface Lease {
  /** The create that holds it: see services/call/lease-holder.ts. Opaque to the store. */
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

export interface LeaseResult {
  /** False: nothing was written. */
  readonly taken: boolean
  /** All leases the user holds now. */
  readonly held: readonly Lease[]
}

/** A lease that is taken if the limits allow it: see Leases.take. */
export interface LeaseClaim {
  readonly lease: Lease
  readonly limits: LeaseLimits
}

export interface Leases {
  /**
   * Taken if the limits allow it and no lease has the same peer. If the holder has it already, it becomes `active` if that is asked
   * for and the limit of `active` allows it; otherwise nothing changes, and that is a success.
   */
  take(user: string, lease: Lease, limits: LeaseLimits): Promise<LeaseResult>
  /** Idempotent. */
  release(user: string, holder: string): Promise<void>
  list(user: string): Promise<readonly Lease[]>
}
