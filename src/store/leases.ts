// A part of the port in store.ts, whose promises hold here too: who is busy with what.

export interface Lease {
  /** The holder: a call id. */
  readonly holder: string
  /** Two leases of one user with the same peer exclude each other even when there is room for more: that is glare. */
  readonly peer: string
  /** Opaque to the store. */
  readonly role: string
  /** When it was taken. */
  readonly at: number
}

export type LeaseResult =
  | { readonly taken: true }
  /** Nothing was written; all leases the user holds. */
  | { readonly taken: false; readonly held: readonly Lease[] }

export interface Leases {
  /** Taken if the holder has it already (a retry), or if fewer than `max` are held and none with the same peer. */
  take(user: string, lease: Lease, max: number): Promise<LeaseResult>
  /** Idempotent. */
  release(user: string, holder: string): Promise<void>
  list(user: string): Promise<readonly Lease[]>
}
