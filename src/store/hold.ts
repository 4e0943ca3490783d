// How a deadline shows that whoever claimed it still has it in hand. A claim puts it between two milliseconds, where no wish of
// anybody's is. Who wants a look meanwhile takes it off there, even if it wants it later than the hold: so a claimer that knows
// nothing of the wish does not put the deadline beyond it. The lua scripts do the same.

export const heldUntil = (now: number, holdMs: number): number => Math.ceil(now + holdMs) - 0.5

/** Where a deadline that stands `before` goes when somebody wants a look `at`. */
export const hastened = (before: number, at: number): number => Math.min(at, Math.floor(before))
