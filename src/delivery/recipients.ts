// A batch of fan-out as appends to mailboxes: which commits go to which user.
import type { OutboxEntry, OutboxItem } from '../store/aggregate.js'
import type { FanoutRef, Recipient } from '../store/fanout.js'
import type { Append, CommitMail, MailboxEntry } from '../store/store.js'

export interface Batch {
  readonly entries: readonly OutboxEntry[]
  readonly recipients: readonly Recipient[]
}

/** One append for a user (a room), or for a device (a watched user), with all commits of the batch, oldest first. */
export type UserAppend = Omit<Append, 'now'> & {
  readonly user: string
  /** The device that watches; undefined in a room. */
  readonly watcher?: string
}

export function appendsOf(ref: FanoutRef, batch: Batch): UserAppend[] {
  return ref.kind === 'room' ? roomAppends(ref, batch) : watcherAppends(ref, batch)
}

interface Mail extends CommitMail {
  readonly entries: MailboxEntry[]
}

/** All that one commit has for one user is one step, because mailboxes remember commits by user. */
function roomAppends(ref: FanoutRef, { entries, recipients }: Batch): UserAppend[] {
  const mail = new Map<string, Mail[]>()
  for (const { version, tag, items } of entries) {
    for (const item of items) {
      if (item.do !== 'publish' && item.do !== 'deliver') continue
      const { type, timestamp, data } = item.event
      // Which version it is became known when it was committed. Encoded once: this very text goes to every client.
      const envelope = JSON.stringify({ type, timestamp, data: { ...data, version } })
      for (const to of audienceOf(item, version, recipients)) {
        const commits = mail.get(to.user) ?? []
        if (commits.length === 0) mail.set(to.user, commits)
        if (commits.at(-1)?.version !== version) commits.push({ version, tag, entries: [] })
        commits.at(-1)?.entries.push({ ...to, type, envelope })
      }
    }
  }
  return [...mail].map(([user, commits]) => ({ user, source: ref, commits }))
}

type Audience = Pick<MailboxEntry, 'device' | 'except'> & { readonly user: string }

function audienceOf(
  item: Extract<OutboxItem, { do: 'publish' | 'deliver' }>,
  version: number,
  recipients: readonly Recipient[]
): readonly Audience[] {
  if (item.do === 'publish') {
    return recipients.filter(({ since, participantId }) => since <= version && participantId !== item.except)
  }
  const { user, device, except } = item
  return [{ user, ...(device === undefined ? {} : { device }), ...(except === undefined ? {} : { except }) }]
}

/** Each device remembers for itself what it took: two of one user may be on different pages. */
function watcherAppends(ref: FanoutRef, { entries, recipients }: Batch): UserAppend[] {
  const published = entries.map(({ version, tag, items }) => ({ version, tag, events: items.flatMap(encode) }))
  return recipients.map(({ user, device }) => ({
    user,
    watcher: device,
    source: { ...ref, id: `${ref.id}/${device}` },
    commits: published.map(({ version, tag, events }) => ({
      version,
      tag,
      entries: events.map(event => ({ ...event, device }))
    }))
  }))
}

/** Encoded once: this very text goes to every client. */
const encode = (item: OutboxItem) =>
  item.do === 'publish' ? [{ type: item.event.type, envelope: JSON.stringify(item.event) }] : []
