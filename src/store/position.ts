// Which commits of an aggregate a user's mailboxes have taken, and how long they remember it.

const HOUR_MS = 3_600_000

/** So many commits are remembered, newest first; mailbox_append.lua knows the same number. An older one counts as taken. */
export const POSITIONS_MAX = 8

/** Long enough for any dispatcher or cache that still knows an older version to have given up. */
export const positionTtlMs = (retentionMs: number): number => Math.max(HOUR_MS, 2 * retentionMs)
