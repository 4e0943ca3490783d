// The message of a queued event: what is sent is the same in every attempt, on whichever node.
import { createHash } from 'node:crypto'
import { joinIds } from '../../id-text.js'

/** The aggregate that the event is about. */
export interface WebhookSource {
  readonly kind: string
  readonly id: string
}

interface EventOfCommit {
  readonly version: number
  readonly tag: string
  readonly index: number
  /** OutgoingEvent as JSON. */
  readonly envelope: string
}

/** Names the event: receivers recognise a repeat by it. All destinations get the same. */
export function messageId({ kind, id }: WebhookSource, { version, tag, index }: EventOfCommit): string {
  const name = joinIds(kind, id, String(version), tag, String(index))
  return `msg_${createHash('sha256').update(name).digest('base64url').slice(0, 24)}`
}

interface Envelope {
  readonly type: string
  readonly timestamp: string
  readonly data: object
  /** When an operator sent it again: its age counts from then. Not part of the message. */
  readonly replayedAt?: number
}

export interface RenderedEvent {
  readonly body: string
  /** When it happened. */
  readonly at: number
  /** When the time began after which it is given up. */
  readonly queuedAt: number
}

/** The store alone knows the version of a room, so its events get it here, as those in mailboxes do. */
export function renderEvent({ kind }: WebhookSource, { version, envelope }: EventOfCommit): RenderedEvent {
  const { replayedAt, ...event } = JSON.parse(envelope) as Envelope
  const at = Date.parse(event.timestamp)
  const message = kind === 'room' ? { ...event, data: { version, ...event.data } } : event
  return { body: JSON.stringify(message), at, queuedAt: replayedAt ?? at }
}

/** Names the event as a dead letter. One that was replayed has another name than before: the list may have both for a moment. */
export function letterName(source: WebhookSource, event: EventOfCommit): string {
  const { replayedAt } = JSON.parse(event.envelope) as Envelope
  return replayedAt === undefined ? messageId(source, event) : `${messageId(source, event)}.${replayedAt}`
}

/** The same event, of which the age counts from `now`. */
export const withReplay = (envelope: string, now: number): string =>
  JSON.stringify({ ...(JSON.parse(envelope) as Envelope), replayedAt: now })
