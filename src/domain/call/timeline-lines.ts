// The lines of a timeline: how many are kept, and what the policy decided.
import type { TimelineOutcome } from '../../schemas/timeline.js'
import type { CallState, Timeline, TimelineLine } from './state.js'

/** The state keeps the first lines, which tell how the call began, and the newest ones. */
const FIRST_LINES = 16
const LINES_MAX = 48
/** The most bytes of all lines as JSON. A line without a device has about 30. */
const BYTES_MAX = 4096

/** Adds lines, and drops others if there are too many. */
export function append({ lines, omitted, ...rest }: Timeline, added: readonly TimelineLine[]): Timeline {
  const kept = [...lines]
  for (const line of added) {
    const last = kept.at(-1)
    if (last && mayCombine(last, line)) kept.splice(-1, 1, combine(last, line))
    else kept.push(line)
  }
  let dropped = 0
  while (kept.length > LINES_MAX || Buffer.byteLength(JSON.stringify(kept)) > BYTES_MAX) {
    // The newest line always stays.
    kept.splice(Math.min(FIRST_LINES, kept.length - 2), 1)
    dropped++
  }
  return { ...rest, lines: kept, omitted: omitted + dropped }
}

/** Two lines with a count that follow each other, of one type and by one device, become one line. */
const mayCombine = ([, type, by, details]: TimelineLine, [, nextType, nextBy, next]: TimelineLine): boolean =>
  [type, by, details?.device, details?.user].join() === [nextType, nextBy, next?.device, next?.user].join() &&
  details?.count !== undefined &&
  next?.count !== undefined

const combine = ([afterMs, type, by, details]: TimelineLine, [, , , next]: TimelineLine): TimelineLine => [
  afterMs,
  type,
  by,
  { ...details, count: (details?.count ?? 0) + (next?.count ?? 0) }
]

/** What the policy service decided about a transfer of the user, in order. */
export function withPolicy(
  { timeline }: CallState,
  policy: readonly TimelineOutcome[],
  { user, afterMs }: { readonly user: string; readonly afterMs: number }
): Timeline {
  const lines = policy.map((outcome): TimelineLine => [afterMs, 'policy', null, { event: 'transfer', outcome, user }])
  return append(timeline, lines)
}

/** Others than the user who called, or transferred the call, do not learn to whom first. */
export const isPolicyVisible = ({ creator }: CallState, asker: string | undefined, user: string | null): boolean =>
  user === null || user === (asker ?? creator)
