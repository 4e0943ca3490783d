// Which commits of an aggregate a user's mailboxes have taken, so that a repeat is dropped.
import { isSameStamp, type Stamp } from './aggregate.js'

const HOUR_MS = 3_600_000

/** How many commits are remembered. An older commit than all of these counts as taken. lua/taken.lua does the same. */
const TAKEN_MAX = 8

/** How long they are remembered: longer than any node may still deliver an older version. */
export const takenCommitsTtlMs = (retentionMs: number): number => Math.max(HOUR_MS, 2 * retentionMs)

/**
 * The commits to remember once the mailboxes take `stamp`, newest first. Null: they must drop it, because it is a repeat, or older than all
 * that are remembered. Any other version that is not remembered belongs to a history that began after a failover lost the first one: the
 * versions from it on are forgotten.
 */
export function addTaken(taken: readonly Stamp[], stamp: Stamp): readonly Stamp[] | null {
  const oldest = taken.length < TAKEN_MAX ? 0 : (taken.at(-1)?.version ?? 0)
  if (stamp.version < oldest || taken.some(other => isSameStamp(other, stamp))) return null
  return [stamp, ...taken.filter(({ version }) => version < stamp.version).slice(0, TAKEN_MAX - 1)]
}
