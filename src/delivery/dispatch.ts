// From an aggregate's outbox to the mailboxes. Every append is idempotent by version, so two nodes may dispatch the same
// entries at once, and a node may die anywhere in between: whoever comes next dispatches again.
import type { Clock } from '../clock.js'
import type { AggregateRef, OutboxEntry, OutboxItem, OutgoingEvent } from '../store/aggregate.js'
import type { Append, MailboxEntry, Store } from '../store/store.js'

export interface Dispatcher {
  readonly store: Store
  readonly clock: Clock
}

/** How many devices of each user an entry reached; users it did not concern are missing. */
export type Deliveries = ReadonlyMap<string, { readonly online: number; readonly queued: number }>

/** Appends all entries, for each user oldest first, and gives leases back. Resolves to where the last entry went. */
export async function dispatch(
  on: Dispatcher,
  source: AggregateRef,
  outbox: readonly OutboxEntry[]
): Promise<Deliveries> {
  const queues = new Map<string, Append[]>()
  const last = outbox.at(-1)?.version
  for (const entry of outbox) {
    for (const [user, { entries, release }] of byUser(entry.items)) {
      const append: Append = {
        source,
        version: entry.version,
        entries,
        release,
        tag: entry.tag,
        now: on.clock.now()
      }
      queues.set(user, [...(queues.get(user) ?? []), append])
    }
  }
  const reached = new Map<string, { online: number; queued: number }>()
  await Promise.all(
    [...queues].map(async ([user, appends]) => {
      for (const append of appends) {
        const { online, queued } = await on.store.mailboxes.append(user, append)
        if (append.version === last) reached.set(user, { online, queued })
      }
    })
  )
  return reached
}

interface Mail {
  readonly entries: MailboxEntry[]
  release: boolean
}

function byUser(items: readonly OutboxItem[]): Map<string, Mail> {
  const users = new Map<string, Mail>()
  for (const item of items) {
    const mail = users.get(item.user) ?? { entries: [], release: false }
    users.set(item.user, mail)
    if (item.do === 'deliver') mail.entries.push(toEntry(item, item.event))
    if (item.do === 'release') mail.release = true
  }
  return users
}

/** The event, encoded once: this very text goes to every client. */
function toEntry(
  { device, except }: { device?: string; except?: readonly string[] },
  event: OutgoingEvent
): MailboxEntry {
  const encoded = { type: event.type, envelope: JSON.stringify(event) }
  if (device !== undefined) return { ...encoded, device }
  return except === undefined ? encoded : { ...encoded, except }
}
