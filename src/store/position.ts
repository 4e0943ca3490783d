// Which commits of an aggregate a user's mailboxes have taken, and how long they remember it.
import { isSameStamp, type Stamp } from './aggregate.js'

const HOUR_MS = 3_600_000

/** How many commits are remembered, newest first; lua/taken.lua does the same. An older one counts as taken. */
const TAKEN_MAX = 8

/** Long enough for any node or cache that still knows an older version to have given up. */
export const positionTtlMs = (retentionMs: number): number => Math.max(HOUR_MS, 2 * retentionMs)

/**
 * What is remembered once this commit is taken; null if it was taken before or is older than all that is remembered. An older one
 * that is not remembered begins another history, made after a failover forgot the first.
 */
export function withTaken(taken: readonly Stamp[], stamp: Stamp): readonly Stamp[] | null {
  const oldest = taken.length < TAKEN_MAX ? 0 : (taken.at(-1)?.version ?? 0)
  if (stamp.version < oldest || taken.some(other => isSameStamp(other, stamp))) return null
  return [stamp, ...taken.filter(({ version }) => version < stamp.version).slice(0, TAKEN_MAX - 1)]
}
