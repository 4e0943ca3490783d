// What webhooks and push did about a call. Each writes a line (CallNotes in the store) beside the state of the call, because it
// happens outside its commits; reading the timeline merges the two. A line has no URL and no device.
import type { CallTimeline, TimelineEntry, TimelineOutcome } from '../../schemas/timeline.js'
import type { Viewer } from './timeline.js'

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

/** Events about which the caller learns nothing: they tell a blocked caller from one who is not, and which callee can be woken. */
const OF_CALLEE = ['call.incoming', 'push']

/** The timeline as the viewer sees it, with the stored lines. Entries of one instant: first those of the call. */
export function withNotes(timeline: CallTimeline, notes: readonly string[], viewer: Viewer): CallTimeline {
  const added = notes.flatMap((text): TimelineEntry[] => {
    const [at, type, event, outcome, attempt] = JSON.parse(text) as NoteLine
    const isHidden = viewer === 'caller' && (type === 'push' || OF_CALLEE.includes(event))
    if (isHidden) return []
    return [{ at: new Date(at).toISOString(), type, by: null, event, outcome, ...(attempt ? { attempt } : {}) }]
  })
  const entries = [...timeline.entries, ...added].sort((a, b) => Date.parse(a.at) - Date.parse(b.at))
  return { ...timeline, entries }
}
