// Mailboxes as the scripts see them: the arguments that the scripts in lua/ read, and what they reply.
import type { Stamp } from '../aggregate.js'
import type { Cursor, Keepalive, Mail, MailboxEntry, Reached } from '../mail.js'
import type { MailboxPage, StoredEvent } from '../store.js'
import { toContactArguments } from './contacts.js'
import type { Argument, HeadReply, PageReply, StreamEntry } from './scripts.js'

/** A record keeps whole numbers only; the expiry of a token may have a fraction. */
export const whole = (at: number | undefined): Argument => (at === undefined ? '' : Math.max(0, Math.floor(at)))

/** The only field of an entry, see lua/mailbox.lua. */
export const entryText = (tag: string, { type, envelope }: Pick<MailboxEntry, 'type' | 'envelope'>): string =>
  `${tag}\n${type}\n${envelope}`

/** With a line break before and after each name, so that a script can search for a whole name. */
const exceptList = (except: readonly string[] | undefined) => (except?.length ? `\n${except.join('\n')}\n` : '')

/** Which devices get the entry, as lua/deliver.lua reads it. */
export const recipientArguments = ({ device, except }: MailboxEntry): [device: string, except: string] =>
  device === undefined ? ['', exceptList(except)] : [device, '']

/** The mail of one commit to one user, as lua/mail.lua reads it. */
export function mailArguments(
  user: string,
  tag: string,
  { release, begins, ends, entries, contacts = [] }: Mail
): Argument[] {
  const role = ends ? '!' : begins ? '1' : ''
  const flat = entries.flatMap(entry => [...recipientArguments(entry), entryText(tag, entry)])
  const updates = contacts.flatMap(contact => toContactArguments(user, contact))
  return [role, release ?? '', entries.length, ...flat, contacts.length, ...updates]
}

/** 'never' or an instant. */
export const expiryArgument = (expiresAt: number | null | undefined): Argument =>
  expiresAt === null ? 'never' : whole(expiresAt)

/** As lua/renew.lua reads it. */
export const keepaliveArguments = ({ device, authExpiresAt }: Keepalive): Argument[] => [
  device,
  expiryArgument(authExpiresAt)
]

/** As lua/page.lua reads it; '' is no cursor. */
export const cursorArguments = (cursor: Cursor | 'start' | undefined): Argument[] =>
  typeof cursor === 'object' ? [cursor.seq, cursor.tag] : [cursor ?? '', '']

function toStoredEvent([id, [, text = '']]: StreamEntry): StoredEvent {
  const [tag = '', type = '', envelope = ''] = text.split('\n')
  return { seq: Number.parseInt(id, 10), tag, type, envelope }
}

export function toPage(reply: PageReply): MailboxPage {
  const head = { seq: reply[1], tag: reply[2] }
  if (reply[0] === 'RESET') return { status: 'reset', reason: reply[3], head }
  return { status: 'ok', events: reply[3].map(toStoredEvent), head }
}

export const toHead = ([seq, tag]: HeadReply): Cursor | null => (seq === undefined ? null : { seq, tag: tag ?? '' })

interface UserReached extends Reached {
  readonly isWatched: boolean
}

/** What commit_deliver replies for each user: 'online queued watched'. */
export function toReached(reply: string): UserReached {
  const [online, queued, watched] = reply.split(' ')
  return { online: Number(online), queued: Number(queued), isWatched: watched === '1' }
}

/** The mail of one commit to one user. */
export interface CommitMail extends Stamp, Mail {}

const STATUS = { OK: 'appended', DUPLICATE: 'duplicate', OVER: 'over' } as const

export interface Delivered extends UserReached {
  /**
   * `duplicate`: the mailboxes had taken all of the commits. `over`: they had taken the last commit of the source's life, and a commit of
   * the same life followed. The source must have lost its last commit in a failover.
   */
  readonly status: (typeof STATUS)[keyof typeof STATUS]
}

/** What mailbox_append replies. */
export function toDelivered(reply: string): Delivered {
  const [status, ...reached] = reply.split(' ')
  return { status: STATUS[status as keyof typeof STATUS], ...toReached(reached.join(' ')) }
}
