// A part of the port in store.ts, whose promises hold here too: what a user may spend in a window of time, counted over all nodes.

/** Windows are aligned to the epoch; `now` names the one. Over all callers no more than `max` are granted in a window. */
export interface Quota {
  readonly name: string
  readonly windowMs: number
  readonly max: number
  readonly now: number
}

/** One unit that a commit takes from a user's quota, or asks for: then it is only refused where nothing is left. */
export interface Charge extends Quota {
  readonly user: string
  readonly isTaken: boolean
}

export interface Quotas {
  /** Takes up to `want`. The number granted, 0 … want. */
  take(user: string, quota: Quota & { readonly want: number }): Promise<number>
  /** How much `take` would grant at most. */
  left(user: string, quota: Quota): Promise<number>
}
