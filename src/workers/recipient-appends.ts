// Turns a batch of fan-out into appends to mailboxes: for each recipient the commits with an event for them.

import { encodeId, joinIds } from '../id-text.js'
import { envelopeOf } from '../services/mail.js'
import type { OutboxEntry, OutboxItem, Stamp } from '../store/aggregate.js'
import type { FanoutRef, Recipient } from '../store/fanout.js'
import type { MailboxEntry } from '../store/mail.js'
import type { UserAppend } from '../store/store.js'

export interface FanoutBatch {
  readonly entries: readonly OutboxEntry[]
  readonly recipients: readonly Recipient[]
}

/** All commits of the batch for one user (a room) or one device (a watched user), oldest first. */
export interface RecipientAppend extends UserAppend {
  /** The watching device; undefined in a room. */
  readonly watcher?: string
}

interface AppendInProgress extends Omit<RecipientAppend, 'commits'> {
  readonly commits: { readonly version: number; readonly tag: string; readonly entries: MailboxEntry[] }[]
}

type Addressee = Pick<MailboxEntry, 'device' | 'except'> & { readonly user: string }
type EventItem = Extract<OutboxItem, { do: 'publish' | 'deliver' }>

/**
 * What one commit of a room has for one user is appended in one step, because mailboxes remember commits by user. For a watched user each
 * watching device remembers by itself: two devices of one watcher may be on different pages.
 */
export function appendsOf(ref: FanoutRef, batch: FanoutBatch): RecipientAppend[] {
  const appends = new Map<string, AppendInProgress>()
  for (const commit of batch.entries) {
    const { version } = commit
    for (const item of commit.items) {
      if (item.do !== 'publish' && item.do !== 'deliver') continue
      const { type, timestamp, data } = item.event
      // The version of a room is known only after its commit. Encoded once: all recipients get the same text.
      const envelope = envelopeOf({ type, timestamp, data: { version, ...data } })
      for (const to of addresseesOf(item, version, batch.recipients)) {
        addEntry(appendFor(appends, ref, to), commit, entryFor(to, type, envelope))
      }
    }
  }
  return [...appends.values()]
}

function addEntry({ commits }: AppendInProgress, { version, tag }: Stamp, entry: MailboxEntry): void {
  const last = commits.at(-1)
  if (last?.version === version) last.entries.push(entry)
  else commits.push({ version, tag, entries: [entry] })
}

function appendFor(
  appends: Map<string, AppendInProgress>,
  ref: FanoutRef,
  { user, device }: Addressee
): AppendInProgress {
  const watcher = ref.kind === 'presence' ? device : undefined
  const key = watcher === undefined ? encodeId(user) : joinIds(user, watcher)
  const existing = appends.get(key)
  if (existing !== undefined) return existing
  const created: AppendInProgress =
    watcher === undefined
      ? { user, source: ref, commits: [] }
      : { user, source: { ...ref, id: joinIds(ref.id, watcher) }, watcher, commits: [] }
  appends.set(key, created)
  return created
}

/** Written without a spread of the addressee: this runs for every event of every recipient. */
const entryFor = ({ device, except }: Addressee, type: string, envelope: string): MailboxEntry =>
  device === undefined ? { ...(except ? { except } : {}), type, envelope } : { device, type, envelope }

function addresseesOf(item: EventItem, version: number, recipients: readonly Recipient[]): readonly Addressee[] {
  if (item.do === 'deliver') return [item]
  return recipients.filter(({ since, participantId }) => since <= version && participantId !== item.except)
}
