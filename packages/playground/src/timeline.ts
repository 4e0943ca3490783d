// What the timeline of a call says: who did what, and what it waits for.
import type { CallParty, CallTimeline, TimelineEntry } from '../../client/src/api.js'
import { entryText } from '../../page-parts/src/timeline-text.js'

export type Lane = 'caller' | 'server' | 'callee'

export interface Step {
  /** Since the call was created. */
  readonly ms: number
  readonly from: Lane
  /** The same as `from`: something that happened there. */
  readonly to: Lane
  readonly text: string
  readonly type: TimelineEntry['type']
}

/** The name of the callees until one has answered. */
export const SEVERAL = 'callees'

export interface CallSides {
  readonly caller: string
  readonly callee: string
  /** Who makes the first offer; any side may make later ones. */
  readonly offerer: 'caller' | 'callee'
}

/** What is missing, and since when. */
export interface Stall {
  readonly text: string
  /** In ms since the epoch. */
  readonly since: number
}

const LOCAL: ReadonlySet<string> = new Set(['away', 'back'])
/** The server keeps or drops them. */
const UP_TO_SERVER: ReadonlySet<string> = new Set(['candidates_held', 'candidates_stale'])
/** What the systems of the operator did. */
const NOTES: ReadonlySet<string> = new Set(['webhook', 'push', 'policy'])

export function stepsOf({ entries }: Pick<CallTimeline, 'entries'>, sides: CallSides): Step[] {
  // A policy service is asked before the call is created.
  const begin = Date.parse((entries.find(({ type }) => type === 'created') ?? entries[0])?.at ?? '')
  return entries.map(entry => {
    const from = laneOf(entry.by, sides)
    const to = LOCAL.has(entry.type) ? from : UP_TO_SERVER.has(entry.type) ? 'server' : otherOf(from)
    const text = `${otherName(entry.by, sides)}${entryText(entry)}`
    return { ms: Math.max(0, Date.parse(entry.at) - begin), from, to, type: entry.type, text }
  })
}

const laneOf = (by: CallParty | null, { caller }: CallSides): Lane =>
  by === null ? 'server' : by.user === caller ? 'caller' : 'callee'

/** A user who is in the call no more, or not yet, stands in the lane of another one. */
const otherName = (by: CallParty | null, { caller, callee }: CallSides): string =>
  by === null || by.user === caller || by.user === callee || callee === SEVERAL ? '' : `${by.user}: `

/** What the server does by itself is shown where it happens. */
const otherOf = (lane: Lane): Lane => (lane === 'caller' ? 'callee' : lane === 'callee' ? 'caller' : 'server')

/** Entries that the server keeps of the beginning, if it omits any. */
const FIRST_KEPT = 16

/** Why a call does not go on; null if it has ended, or everything is there. */
export function stallOf(
  { entries: all, omitted }: Pick<CallTimeline, 'entries' | 'omitted'>,
  sides: CallSides
): Stall | null {
  const entries = all.filter(({ type }) => !NOTES.has(type))
  const last = (type: TimelineEntry['type']) => entries.findLast(entry => entry.type === type)
  const created = last('created')
  if (!created || last('ended')) return null
  const accepted = last('accepted')
  if (!accepted) return ringingStall(created, last('ringing'), sides)
  // What came after the first ones may be among those that are omitted.
  const known = omitted > 0 ? entries.slice(FIRST_KEPT) : entries
  const away = known.findLast(({ type, by }) => type === 'away' && !isBack(known, by))
  if (away) return stall(`Waits for ${away.by?.user}, whose device has lost the connection`, away)
  const description = known.findLast(({ type }) => type === 'offer' || type === 'answer')
  if (description?.type === 'offer') return answerStall(description, accepted, sides)
  if (omitted > 0) return null
  if (description) return mediaStall(description, accepted, last('connected'))
  return stall(`Waits for the offer of ${sides[sides.offerer]}: no \`offer\` arrived`, accepted)
}

const stall = (text: string, { at }: TimelineEntry): Stall => ({ text, since: Date.parse(at) })

function ringingStall(created: TimelineEntry, ringing: TimelineEntry | undefined, { callee }: CallSides): Stall {
  if (!ringing) return stall(`No device of ${callee} rings yet: no \`ringing\` arrived`, created)
  return stall(`Waits for ${callee}: no \`accept\` arrived`, ringing)
}

const isBack = (entries: readonly TimelineEntry[], by: CallParty | null): boolean =>
  entries.findLast(entry => LOCAL.has(entry.type) && entry.by?.user === by?.user)?.type === 'back'

/** One offer at a time is pending. After the first answer either side may make one. */
function answerStall(offer: TimelineEntry, accepted: TimelineEntry, { caller, callee }: CallSides): Stall {
  const other = offer.by?.user === caller ? callee : caller
  return stall(`Waits for the answer of ${other}: no \`answer\` arrived`, laterOf(offer, accepted))
}

function mediaStall(answer: TimelineEntry, accepted: TimelineEntry, connected?: TimelineEntry): Stall | null {
  if (connected && !connected.unconfirmed) return null
  const why = connected
    ? 'the connect time is over, and no side has reported `connected`'
    : 'candidates are on their way, no side is `connected`'
  return stall(`Waits for media: ${why}`, laterOf(answer, accepted))
}

const laterOf = (one: TimelineEntry, other: TimelineEntry) => (one.at > other.at ? one : other)
