// The frames of an event stream, as text (WHATWG HTML, section 9.2.6). No value contains a line break: envelopes are JSON on one line, and
// ids and types are ours.
//
// The id is the last line. Some clients take it over with its line and not with the whole event: if a connection breaks within an event,
// they would resume after an event that they have not received.
import { ENDS, type StreamEndReason } from '../ends.js'
import type { Notice, ResetReason, StoredEvent } from '../store/store.js'

/** An event of the mailbox. */
export function eventFrame({ seq, tag, type, envelope }: StoredEvent): string {
  return `event: ${type}\ndata: ${envelope}\nid: ${seq}.${tag}\n\n`
}

/** About the stream itself, such as `heartbeat`. Without an id, so Last-Event-ID does not change. */
export function streamFrame(type: string, data: object, now: number): string {
  return `${linesOf(type, data, now)}\n`
}

function linesOf(type: string, data: object, now: number): string {
  const envelope = { type, timestamp: new Date(now).toISOString(), data }
  return `event: ${type}\ndata: ${JSON.stringify(envelope)}\n`
}

/** A notice. Without an id: a stream cannot resume from it. */
export function noticeFrame({ type, envelope }: Notice): string {
  return `event: ${type}\ndata: ${envelope}\n\n`
}

/** About the stream itself, with an id: an EventSource that reconnects resumes from it. */
export function cursorFrame(type: string, data: { readonly cursor: string }, now: number): string {
  return `${linesOf(type, data, now)}id: ${data.cursor}\n\n`
}

/** The data of a `reset`: nothing is missing after the cursor, and the snapshot has what came before. */
export const resetData = (reason: ResetReason, cursor: string) => ({ reason, cursor, snapshot: '/v1/snapshot' })

/**
 * Adds the time after which an EventSource reconnects as the first line of a frame. It is not a block of its own, because some clients fail
 * on a block without data.
 */
export const withRetry = (retryMs: number, frame: string): string => `retry: ${retryMs}\n${frame}`

/** How long an EventSource waits after an end with `reconnect: false`: two tabs of one device must not supersede each other in turns. */
const NO_RECONNECT_MS = 600_000

export function endFrame(reason: StreamEndReason, retryMs: number, now: number): string {
  const { reconnect } = ENDS[reason]
  const data = reconnect ? { reason, reconnect, afterMs: retryMs } : { reason, reconnect }
  return withRetry(reconnect ? retryMs : NO_RECONNECT_MS, streamFrame('end', data, now))
}

/** The whole frame as one chunk of a chunked body (RFC 9112, section 7.1): a client that reads chunk by chunk gets it at once. */
export const chunkOf = (frame: string): string => `${Buffer.byteLength(frame).toString(16)}\r\n${frame}\r\n`

const LAST_CHUNK = '0\r\n\r\n'

/**
 * The bytes after the `end` frame of a chunked body. Without the last chunk the body is incomplete, which clients treat as a broken connection:
 * they reconnect. After a complete body many of them do not (docs/decisions/0030-ends-of-streams.md).
 */
export const bodyEnd = (reason: StreamEndReason): string => (isCutShort(reason) ? '' : LAST_CHUNK)

/** A client that set `maxBytes` expects a complete body. Cut short, its last event may be lost, and would be again after each resume. */
const isCutShort = (reason: StreamEndReason): boolean => ENDS[reason].reconnect && reason !== 'max_bytes'
