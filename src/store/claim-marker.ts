// The claim marker: a claim moves a deadline to half a millisecond, and every other deadline is a whole millisecond. A deadline that another
// node brings forward during a claim therefore no longer equals the marker, and the claiming node does not postpone it.
// lua/room_reschedule.lua and lua/room_commit.lua rely on the same rule.

/** The deadline of an aggregate that was claimed at `now` for `claimMs`. */
export const claimMarker = (now: number, claimMs: number): number => Math.ceil(now + claimMs) - 0.5

/** A deadline that is not a claim marker. */
export const wholeMs = (at: number): number => Math.ceil(at)

/** The earlier of the deadlines `before` and `at`, without a claim marker. */
export const earlierDeadline = (before: number, at: number): number => Math.min(wholeMs(at), Math.floor(before))
