// The marker of a claim. A claim puts a deadline between two milliseconds, and every other deadline is a whole one, whatever the engines
// are given. Whoever wants a check meanwhile moves the deadline to a whole millisecond, even if later than the claim ends: so a
// claimer that knows nothing of the wish does not put the deadline beyond it. The Lua scripts do the same.

export const claimMarker = (now: number, claimMs: number): number => Math.ceil(now + claimMs) - 0.5

/** A deadline that is no claim. */
export const wholeMs = (at: number): number => Math.ceil(at)

/** Where a deadline that stands `before` goes when a check is wanted `at`. */
export const broughtForward = (before: number, at: number): number => Math.min(wholeMs(at), Math.floor(before))
