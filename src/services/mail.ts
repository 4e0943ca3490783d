// What the events of a decision are to the store: mail for each user, and what fan-out publishes to whoever watches.
import type { Recipients } from '../domain/call/state.js'
import type { Delivery } from '../schemas/common.js'
import type { OutboxItem, OutgoingEvent } from '../store/aggregate.js'
import type { Deliveries, MailboxEntry, UserMail } from '../store/mail.js'

export const NOWHERE: Deliveries = new Map()
/** Of one recipient. */
export const NO_DELIVERY: Delivery = { online: 0, queued: 0 }

/** In the order in which they must arrive. */
export type Events = readonly {
  readonly to: Recipients | 'watchers'
  readonly type: string
  readonly data: Readonly<Record<string, unknown>>
}[]

/** The devices that events are kept for. */
export function queuedFor(events: Events): Deliveries {
  return new Map(events.flatMap(({ to }) => (to === 'watchers' ? [] : [[to.user, { online: 0, queued: 1 }] as const])))
}

/** What goes to whoever watches. */
export function toLog(events: Events, timestamp: string): OutboxItem[] {
  return events.flatMap(({ to, type, data }) =>
    to === 'watchers' ? [{ do: 'publish' as const, event: { type, timestamp, data } }] : []
  )
}

/** What goes to each user, and what their mailboxes remember: `parties` get mail whether or not an event is for them. */
export function toMail(
  { events, timestamp }: { events: Events; timestamp: string },
  parties: readonly string[],
  said: Pick<UserMail, 'begins' | 'release'>
): UserMail[] {
  const entries = new Map<string, MailboxEntry[]>()
  for (const { to, type, data } of events) {
    if (to === 'watchers') continue
    const mine = entries.get(to.user) ?? []
    entries.set(to.user, mine)
    mine.push(toEntry(to, { type, timestamp, data }))
  }
  const users = new Set([...parties, ...entries.keys()])
  return [...users].map(user => ({ user, entries: entries.get(user) ?? [], ...(parties.includes(user) ? said : {}) }))
}

/** The event, encoded once: this very text goes to every client. */
function toEntry({ device, except }: Recipients, event: OutgoingEvent): MailboxEntry {
  const encoded = { type: event.type, envelope: JSON.stringify(event) }
  if (device !== undefined) return { ...encoded, device }
  return except === undefined ? encoded : { ...encoded, except }
}
