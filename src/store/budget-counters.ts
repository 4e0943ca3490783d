// Part of the port in store.ts: what a user may spend in a window of time, counted over all nodes. The general promises of store.ts hold.

/** Windows are aligned to the Unix epoch; `now` selects one. All callers together are granted at most `max` in a window. */
export interface BudgetCounter {
  readonly name: string
  readonly windowMs: number
  readonly max: number
  readonly now: number
}

/** One unit of a user's budget that a commit takes. With `isTaken` false it takes none and is only refused if none is left. */
export interface Charge extends BudgetCounter {
  readonly user: string
  readonly isTaken: boolean
}

export interface BudgetCounters {
  /** Takes up to `want` units. Resolves to how many were granted, 0 … want. */
  take(user: string, counter: BudgetCounter & { readonly want: number }): Promise<number>
  /** How many units are left. */
  left(user: string, counter: BudgetCounter): Promise<number>
}
