// From an aggregate's outbox to the mailboxes. Every append is idempotent by version, so two nodes may dispatch the same
// entries at once, and a node may die anywhere in between: whoever comes next dispatches again. What names no recipients is
// not dispatched but published: fanout.ts.
import type { Clock } from '../clock.js'
import type { AggregateRef, OutboxEntry, OutboxItem, OutgoingEvent } from '../store/aggregate.js'
import type { CommitMail, MailboxEntry, Store } from '../store/store.js'

export interface Dispatcher {
  readonly store: Store
  readonly clock: Clock
}

/** How many devices of each user an entry reached; users it did not concern are missing. */
export interface Dispatched {
  readonly deliveries: Deliveries
  /** A mailbox has taken the end of the source, which the source has forgotten. */
  readonly isOver: boolean
}

export type Deliveries = ReadonlyMap<string, { readonly online: number; readonly queued: number }>

/** Appends all entries, to each user in one step and oldest first, and gives leases back. Resolves to where the last entry went. */
export async function dispatch(
  on: Dispatcher,
  source: AggregateRef,
  outbox: readonly OutboxEntry[]
): Promise<Dispatched> {
  const reached = new Map<string, { online: number; queued: number }>()
  const last = outbox.at(-1)?.version
  let isOver = false
  await Promise.all(
    [...sortByUser(outbox)].map(async ([user, commits]) => {
      const { status, online, queued } = await on.store.mailboxes.append(user, { source, commits, now: on.clock.now() })
      isOver ||= status === 'over'
      const newest = commits.at(-1)
      if (newest?.version === last && newest?.entries.length) reached.set(user, { online, queued })
    })
  )
  return { deliveries: reached, isOver }
}

function sortByUser(outbox: readonly OutboxEntry[]): Map<string, CommitMail[]> {
  const queues = new Map<string, CommitMail[]>()
  for (const { version, tag, items } of outbox) {
    for (const [user, mail] of byUser(items)) {
      const queue = queues.get(user) ?? []
      queues.set(user, queue)
      queue.push({ version, tag, ...mail })
    }
  }
  return queues
}

interface Mail {
  readonly entries: MailboxEntry[]
  release?: string
  begins?: boolean
}

function byUser(items: readonly OutboxItem[]): Map<string, Mail> {
  const users = new Map<string, Mail>()
  for (const item of items) {
    if (item.do === 'publish' || item.do === 'follow') continue
    const mail = users.get(item.user) ?? { entries: [] }
    users.set(item.user, mail)
    if (item.do === 'deliver') mail.entries.push(toEntry(item, item.event))
    if (item.do === 'release') mail.release = item.holder
    if (item.do === 'mark' && item.begins) mail.begins = true
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
