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

/** Appends all entries, for each user oldest first, then gives leases back. Resolves to where the last entry went. */
export async function dispatch(
  on: Dispatcher,
  source: AggregateRef,
  entries: readonly OutboxEntry[]
): Promise<Deliveries> {
  const queues = new Map<string, Append[]>()
  const last = entries.at(-1)?.version
  for (const entry of entries) {
    for (const [user, mail] of byUser(entry.items)) {
      const append: Append = {
        source,
        version: entry.version,
        entries: mail,
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
  await Promise.all(entries.flatMap(entry => entry.items).map(item => releaseLease(on.store, source, item)))
  return reached
}

function releaseLease(store: Store, source: AggregateRef, item: OutboxItem): Promise<void> | undefined {
  return item.do === 'release' ? store.leases.release(item.user, source.id) : undefined
}

function byUser(items: readonly OutboxItem[]): Map<string, MailboxEntry[]> {
  const users = new Map<string, MailboxEntry[]>()
  for (const item of items) {
    if (item.do === 'release') continue
    const mail = users.get(item.user) ?? []
    users.set(item.user, mail)
    if (item.do === 'deliver') mail.push(toEntry(item, item.event))
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
