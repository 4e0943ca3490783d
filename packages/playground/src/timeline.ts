// What the timeline of a call says: who did what, and what it waits for.
import type { CallParty, CallTimeline, TimelineEntry } from '../../client/src/api.js'

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

export interface CallSides {
  readonly caller: string
  readonly callee: string
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

export function stepsOf({ entries }: Pick<CallTimeline, 'entries'>, sides: CallSides): Step[] {
  const begin = Date.parse(entries[0]?.at ?? '')
  return entries.map(entry => {
    const from = laneOf(entry.by, sides)
    const to = LOCAL.has(entry.type) ? from : UP_TO_SERVER.has(entry.type) ? 'server' : otherOf(from)
    return { ms: Date.parse(entry.at) - begin, from, to, type: entry.type, text: textOf(entry) }
  })
}

const laneOf = (by: CallParty | null, { caller }: CallSides): Lane =>
  by === null ? 'server' : by.user === caller ? 'caller' : 'callee'

/** What the server does by itself is shown where it happens. */
const otherOf = (lane: Lane): Lane => (lane === 'caller' ? 'callee' : lane === 'callee' ? 'caller' : 'server')

const TEXTS: Readonly<Record<TimelineEntry['type'], string>> = {
  created: 'calls',
  ringing: 'rings',
  declined: 'declines',
  accepted: 'accepts',
  offer: 'offer',
  answer: 'answer',
  candidates_held: 'candidates held',
  candidates_stale: 'old candidates',
  connected: 'connected',
  held: 'holds',
  resumed: 'resumes',
  media_changed: 'media',
  message: 'message',
  away: 'loses the connection',
  back: 'is back',
  ended: 'ends'
}

function textOf(entry: TimelineEntry): string {
  const { type, revision, count, unconfirmed, audio, video, reason } = entry
  const details = [
    revision === undefined ? null : `#${revision}`,
    count === undefined ? null : `× ${count}`,
    unconfirmed ? 'not confirmed' : null,
    audio === false ? 'microphone off' : null,
    video === false ? 'picture off' : null,
    reason?.replaceAll('_', ' ') ?? null
  ].filter(each => each !== null)
  return details.length > 0 ? `${TEXTS[type]}: ${details.join(', ')}` : TEXTS[type]
}

/** Why a call does not go on; null if it has ended, or everything is there. */
export function stallOf({ entries }: Pick<CallTimeline, 'entries'>, { caller, callee }: CallSides): Stall | null {
  const last = (type: TimelineEntry['type']) => entries.findLast(entry => entry.type === type)
  const created = last('created')
  if (!created || last('ended')) return null
  const wait = (text: string, { at }: TimelineEntry): Stall => ({ text, since: Date.parse(at) })
  const ringing = last('ringing')
  const accepted = last('accepted')
  if (!accepted && !ringing) return wait(`No device of ${callee} rings yet: no \`ringing\` arrived`, created)
  if (!accepted) return wait(`Waits for ${callee}: no \`accept\` arrived`, ringing ?? created)
  const offer = last('offer')
  if (!offer) return wait(`Waits for the offer of ${caller}: no \`offer\` arrived`, accepted)
  const answer = last('answer')
  if (!answer || (answer.revision ?? 0) < (offer.revision ?? 0)) {
    const other = offer.by?.user === caller ? callee : caller
    return wait(`Waits for the answer of ${other}: no \`answer\` arrived`, laterOf(offer, accepted))
  }
  if (!last('connected'))
    return wait('Waits for media: candidates are on their way, no side is `connected`', laterOf(answer, accepted))
  return null
}

const laterOf = (one: TimelineEntry, other: TimelineEntry) => (one.at > other.at ? one : other)
