// The events of a decision as the store takes them: mail for each user, and a fan-out log for watchers.
import type { Recipients } from '../domain/call/decision.js'
import type { Delivery } from '../schemas/common.js'
import type { OutboxItem, OutgoingEvent } from '../store/aggregate.js'
import type { Deliveries, MailboxEntry, UserMail } from '../store/mail.js'

export const NOWHERE: Deliveries = new Map()
/** Of one recipient. */
export const NO_DELIVERY: Delivery = { online: 0, queued: 0 }

export const addDeliveries = (a: Delivery, b: Delivery): Delivery => ({
  online: a.online + b.online,
  queued: a.queued + b.queued
})

/** In the order in which they must arrive. */
export type Events = readonly {
  readonly to: Recipients | 'watchers'
  readonly type: string
  readonly data: Readonly<Record<string, unknown>>
}[]

/** What is reported for mail that is held: all of it is queued. */
export function queuedFor(events: Events): Deliveries {
  return new Map(events.flatMap(({ to }) => (to === 'watchers' ? [] : [[to.user, { online: 0, queued: 1 }] as const])))
}

/** The events for watchers. */
export function toLog(events: Events, now: number): OutboxItem[] {
  return events.flatMap(({ to, type, data }) =>
    to === 'watchers' ? [{ do: 'publish' as const, event: { type, timestamp: timestampOf(now), data } }] : []
  )
}

/** The events for users. Each of the `parties` gets mail, also without an event: their mailboxes record the commit. */
export function toMail({ events, now }: { events: Events; now: number }, parties: readonly string[]): UserMail[] {
  const timestamp = timestampOf(now)
  const entries = new Map<string, MailboxEntry[]>()
  for (const { to, type, data } of events) {
    if (to === 'watchers') continue
    const mine = entries.get(to.user) ?? []
    entries.set(to.user, mine)
    mine.push(toEntry(to, { type, timestamp, data }))
  }
  const users = new Set([...parties, ...entries.keys()])
  return [...users].map(user => ({
    user,
    entries: entries.get(user) ?? []
  }))
}

/** RFC 3339, UTC, milliseconds. */
export const timestampOf = (now: number): string => new Date(now).toISOString()

/** Line ends of Unicode that JSON does not escape. Many clients take them for line ends of the stream, as str.splitlines in Python does. */
const LINE_ENDS = /[\u0085\u2028\u2029]/g

export const envelopeOf = (event: OutgoingEvent): string =>
  JSON.stringify(event).replace(LINE_ENDS, end => `\\u${end.charCodeAt(0).toString(16).padStart(4, '0')}`)

function toEntry({ device, except }: Recipients, event: OutgoingEvent): MailboxEntry {
  const encoded = { type: event.type, envelope: envelopeOf(event) }
  if (device !== undefined) return { ...encoded, device }
  return except === undefined ? encoded : { ...encoded, except }
}
