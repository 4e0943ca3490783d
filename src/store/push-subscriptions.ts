// Part of the port in store.ts: where the push service reaches each device of a user. They lie with the user and outlive the devices'
// records and mailboxes, because a device is woken after those have expired. The general promises of store.ts hold.

export interface PushSubscriptionRecord {
  readonly device: string
  /** Opaque: encrypted by the caller. */
  readonly sealed: string
  readonly expiresAt: number
}

export interface PushSubscriptions {
  /** Replaces the device's subscription. If the user has `max` others, the one that expires first is removed. */
  put(user: string, subscription: PushSubscriptionRecord, options: { now: number; max: number }): Promise<void>
  /** `sealed` of each device, without expired ones. */
  list(user: string, now: number): Promise<ReadonlyMap<string, string>>
  /** Removes the device's subscription; with `sealed` only if it is still that one. Mailboxes.remove does the same. Idempotent. */
  remove(user: string, device: string, sealed?: string): Promise<void>
}
