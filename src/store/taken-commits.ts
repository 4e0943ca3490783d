// Which commits of an aggregate a user's mailboxes have taken, so that a repeat is dropped.
import { isSameStamp, type Stamp } from './aggregate.js'

const HOUR_MS = 3_600_000

/** How many commits are remembered. One that is older than all of them counts as taken. lua/taken.lua does the same. */
const TAKEN_MAX = 8

/** Longer than any node can keep an older version in use. */
export const positionTtlMs = (retentionMs: number): number => Math.max(HOUR_MS, 2 * retentionMs)

/**
 * The commits to remember after `stamp` was taken, newest first; null: it is a repeat, or older than all that are remembered. An older
 * version that is not remembered begins another history, made after a failover lost the first.
 */
export function withTaken(taken: readonly Stamp[], stamp: Stamp): readonly Stamp[] | null {
  const oldest = taken.length < TAKEN_MAX ? 0 : (taken.at(-1)?.version ?? 0)
  if (stamp.version < oldest || taken.some(other => isSameStamp(other, stamp))) return null
  return [stamp, ...taken.filter(({ version }) => version < stamp.version).slice(0, TAKEN_MAX - 1)]
}
