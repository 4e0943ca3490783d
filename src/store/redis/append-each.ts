// The arguments of mailbox_append_each.lua. An event for many users is passed once, and each user's part refers to it by its number.
import type { MailboxEntry } from '../mail.js'
import type { UserAppend } from '../store.js'
import { mailboxPrefix, wakeChannel } from './keys.js'
import { entryText, recipientArguments } from './mailbox-format.js'
import type { Argument } from './scripts.js'
import { formatStamp } from './stamp.js'

/** Mail of commits of one source to several users, as lua/mailbox_append_each.lua reads it. */
export function eachArguments(appends: readonly UserAppend[]): Argument[] {
  const events: Argument[] = []
  /** Version → envelope → number of the event, from 1. Two commits may have equal envelopes. */
  const numbers = new Map<number, Map<string, number>>()

  function numberOf(commit: UserAppend['commits'][number], entry: MailboxEntry): number {
    const known = numbers.get(commit.version) ?? new Map<string, number>()
    if (known.size === 0) numbers.set(commit.version, known)
    const number =
      known.get(entry.envelope) ?? events.push(formatStamp(commit), commit.tag, entryText(commit.tag, entry)) / 3
    known.set(entry.envelope, number)
    return number
  }

  const users = appends.flatMap(({ user, commits }) => {
    /** The first entry with each combination of `device` and `except`. */
    const recipients: MailboxEntry[] = []
    const pairs: string[] = []
    for (const commit of commits) {
      for (const entry of commit.entries) {
        const known = recipients.findIndex(({ device, except }) => device === entry.device && except === entry.except)
        const recipient = known < 0 ? recipients.push(entry) : known + 1
        pairs.push(`${recipient}.${numberOf(commit, entry)}`)
      }
    }
    return [
      mailboxPrefix(user),
      wakeChannel(user),
      recipients.length,
      ...recipients.flatMap(recipientArguments),
      pairs.join(' ')
    ]
  })
  return [events.length / 3, ...events, ...users]
}
