// What an entry of a timeline says, in words.
import type { TimelineEntry } from '../../client/src/api.js'

const TEXTS: Readonly<Record<TimelineEntry['type'], string>> = {
  created: 'calls',
  ringing: 'rings',
  declined: 'declines',
  callee_changed: 'is not called any more',
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
  transferring: 'transfers the call',
  transfer_failed: 'transfer failed',
  transferor_left: 'leaves the transfer',
  transferred: 'call transferred',
  ended: 'ends',
  webhook: 'webhook',
  push: 'push',
  policy: 'policy'
}

/** What happened, with what the entry says about it: `ends: no answer`. */
export function entryText(entry: TimelineEntry): string {
  const {
    type,
    revision,
    count,
    unconfirmed,
    audio,
    video,
    reason,
    event,
    outcome,
    attempt,
    callee,
    calleeReason,
    to
  } = entry
  const details = [
    event ?? null,
    outcome?.replaceAll('_', ' ') ?? null,
    attempt === undefined || attempt === 1 ? null : `attempt ${attempt}`,
    revision === undefined ? null : `#${revision}`,
    count === undefined || count === 1 ? null : `× ${count}`,
    unconfirmed ? 'not confirmed' : null,
    audio === false ? 'microphone off' : null,
    video === false ? 'picture off' : null,
    to === undefined ? null : `to ${to}`,
    (calleeReason ?? reason)?.replaceAll('_', ' ') ?? null
  ].filter(each => each !== null)
  const text = callee === 'ringing' ? 'is called' : TEXTS[type]
  return details.length > 0 ? `${text}: ${details.join(', ')}` : text
}
