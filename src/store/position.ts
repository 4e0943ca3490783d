// How long a user's mailboxes remember the newest version they took from an aggregate.

const HOUR_MS = 3_600_000

/**
 * Long enough for any dispatcher or cache that still knows an older version to have given up. An aggregate that is over should
 * be kept at least as long: one born again under the same id starts at version 1, which the mailboxes would drop as a duplicate.
 */
export const positionTtlMs = (retentionMs: number): number => Math.max(HOUR_MS, 2 * retentionMs)
