// A batch of fan-out as appends to mailboxes: which commits go to which user.
import type { OutboxEntry, OutboxItem } from '../store/aggregate.js'
import type { FanoutRef, Recipient } from '../store/fanout.js'
import type { MailboxEntry } from '../store/mail.js'
import type { UserAppend } from '../store/store.js'

export interface Batch {
  readonly entries: readonly OutboxEntry[]
  readonly recipients: readonly Recipient[]
}

/** All commits of the batch for one user (a room) or one device (a watched user), oldest first. */
export interface RecipientAppend extends UserAppend {
  /** The device that watches; undefined in a room. */
  readonly watcher?: string
}

interface Growing extends Omit<RecipientAppend, 'commits'> {
  readonly commits: { readonly version: number; readonly tag: string; readonly entries: MailboxEntry[] }[]
}

/**
 * All that one commit of a room has for one user is one step, because mailboxes remember commits by user. Of a watched user each device
 * remembers for itself what it took: two of one user may be on different pages.
 */
export function appendsOf(ref: FanoutRef, { entries, recipients }: Batch): RecipientAppend[] {
  const appends = new Map<string, Growing>()

  function appendFor({ user, device }: Audience): Growing {
    const watcher = ref.kind === 'presence' ? device : undefined
    const key = watcher === undefined ? user : `${user}/${watcher}`
    const known = appends.get(key)
    if (known !== undefined) return known
    const fresh: Growing =
      watcher === undefined
        ? { user, source: ref, commits: [] }
        : { user, source: { ...ref, id: `${ref.id}/${watcher}` }, watcher, commits: [] }
    appends.set(key, fresh)
    return fresh
  }

  for (const { version, tag, items } of entries) {
    for (const item of items) {
      if (item.do !== 'publish' && item.do !== 'deliver') continue
      const { type, timestamp, data } = item.event
      // A room's version became known when it was committed. Encoded once: this very text goes to every client.
      const envelope = JSON.stringify({ type, timestamp, data: { version, ...data } })
      for (const to of audienceOf(item, version, recipients)) {
        const { commits } = appendFor(to)
        if (commits.at(-1)?.version !== version) commits.push({ version, tag, entries: [] })
        commits.at(-1)?.entries.push(entryFor(to, type, envelope))
      }
    }
  }
  return [...appends.values()]
}

/** Not by spreading: there is one for each event of each recipient. */
const entryFor = ({ device, except }: Audience, type: string, envelope: string): MailboxEntry =>
  device === undefined ? { ...(except ? { except } : {}), type, envelope } : { device, type, envelope }

type Audience = Pick<MailboxEntry, 'device' | 'except'> & { readonly user: string }

function audienceOf(
  item: Extract<OutboxItem, { do: 'publish' | 'deliver' }>,
  version: number,
  recipients: readonly Recipient[]
): readonly Audience[] {
  if (item.do === 'deliver') return [item]
  return recipients.filter(({ since, participantId }) => since <= version && participantId !== item.except)
}
