// What goes over the wire of an event stream, as text (WHATWG HTML, section 9.2.6). Nothing in it can contain a line break:
// envelopes are JSON on one line, and ids and types are ours.
import { ENDS, type EndReason } from '../ends.js'
import type { Notice, ResetReason, StoredEvent } from '../store/store.js'

/** An event from the mailbox. The id is the device's own, so only the envelope is shared between devices. */
export function eventFrame({ seq, tag, type, envelope }: StoredEvent): string {
  return `id: ${seq}.${tag}\nevent: ${type}\ndata: ${envelope}\n\n`
}

/** What the stream says of itself. Not from the mailbox, so it has no id and leaves Last-Event-ID as it is. */
export function noticeFrame(type: string, data: object, now: number): string {
  const envelope = { type, timestamp: new Date(now).toISOString(), data }
  return `event: ${type}\ndata: ${JSON.stringify(envelope)}\n\n`
}

/** What others say to whoever listens now. No id either: it is nothing to resume from. */
export function passingFrame({ type, envelope }: Notice): string {
  return `event: ${type}\ndata: ${envelope}\n\n`
}

/** A notice that sets Last-Event-ID too: an EventSource that reconnects goes on from there. */
export function cursorFrame(type: string, data: { readonly cursor: string }, now: number): string {
  return `id: ${data.cursor}\n${noticeFrame(type, data, now)}`
}

/** What a `reset` says, on a stream and in a poll: from the cursor on nothing is missing, and the snapshot has what came before. */
export const resetData = (reason: ResetReason, cursor: string) => ({ reason, cursor, snapshot: '/v1/snapshot' })

export function retryFrame(retryMs: number): string {
  return `retry: ${retryMs}\n\n`
}

/** How long an EventSource nobody closes waits after it was told not to come back: two tabs of one device must not take turns. */
const STAY_AWAY_MS = 600_000

export function endFrame(reason: EndReason, retryMs: number, now: number): string {
  const { reconnect } = ENDS[reason]
  const data = reconnect ? { reason, reconnect, afterMs: retryMs } : { reason, reconnect }
  return `retry: ${reconnect ? retryMs : STAY_AWAY_MS}\n${noticeFrame('end', data, now)}`
}
