// What webhooks and push did about a call. Each writes a line (CallNotes in the store) beside the state of the call, because it
// happens outside its commits; reading the timeline merges the two. A line has no URL and no device.
import type { CallTimeline, TimelineEntry, TimelineOutcome } from '../../schemas/timeline.js'
import type { CallState } from './state.js'
import { viewTimeline } from './timeline.js'
import { attendanceOf, WHOLE_CALL } from './view.js'

export interface CallNote {
  readonly type: Extract<TimelineEntry['type'], 'webhook' | 'push'>
  /** The type of the event. */
  readonly event: string
  readonly outcome: TimelineOutcome
  /** Counts from 1. */
  readonly attempt?: number
}

type NoteLine = readonly [at: number, type: CallNote['type'], event: string, outcome: TimelineOutcome, attempt?: number]

/** The line as it is stored. */
export function formatNote({ type, event, outcome, attempt }: CallNote, at: number): string {
  const line: NoteLine = attempt === undefined ? [at, type, event, outcome] : [at, type, event, outcome, attempt]
  return JSON.stringify(line)
}

/**
 * They show which callee can be woken, whom a call with several callees or a transfer rings, and tell a blocked caller from one who is not: only
 * the one callee of a call sees them.
 */
const OF_CALLEE = ['call.incoming', 'push']

const isOnlyCallee = ({ called, transfers }: CallState, user: string): boolean =>
  called.length === 1 && called[0]?.user === user && transfers === 0

/**
 * The timeline as the user sees it, with the stored lines of the time in which they had part in the call. Entries of one instant: first
 * those of the call. `user`: null is an operator.
 */
export function withNotes(state: CallState, notes: readonly string[], user: string | null): CallTimeline {
  const { fromMs, untilMs } = user === null ? WHOLE_CALL : attendanceOf(state, user)
  const seesRinging = user === null || isOnlyCallee(state, user)
  const added = notes.flatMap((text): TimelineEntry[] => {
    const [at, type, event, outcome, attempt] = JSON.parse(text) as NoteLine
    const afterMs = at - state.createdAt
    // The clocks of nodes differ: a line may seem to be older than the call.
    const isBefore = fromMs > 0 && afterMs < fromMs
    if (isBefore || afterMs > untilMs || (!seesRinging && (type === 'push' || OF_CALLEE.includes(event)))) return []
    return [{ at: new Date(at).toISOString(), type, by: null, event, outcome, ...(attempt ? { attempt } : {}) }]
  })
  const timeline = viewTimeline(state, user)
  const entries = [...timeline.entries, ...added].sort((a, b) => Date.parse(a.at) - Date.parse(b.at))
  return { ...timeline, entries }
}
