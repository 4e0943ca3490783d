// The arguments of mailbox_append_each.lua. An event for many users is passed once.
import type { MailboxEntry } from '../mail.js'
import type { UserAppend } from '../store.js'
import { mailboxPrefix, wakeChannel } from './keys.js'
import type { Argument } from './scripts.js'
import { formatStamp } from './stamp.js'

/** A comma before and after each name, so that a script can search for a whole name. */
const exceptList = (except: readonly string[] | undefined) => (except?.length ? `,${except.join(',')},` : '')

/** The devices that get an entry, in the order that lua/deliver.lua reads. */
export const recipientOf = ({ device, except }: MailboxEntry): [device: string, except: string] =>
  device === undefined ? ['', exceptList(except)] : [device, '']

/** An entry's text: see lua/mailbox.lua. */
export const textOf = (tag: string, { type, envelope }: Pick<MailboxEntry, 'type' | 'envelope'>) =>
  `${tag}\n${type}\n${envelope}`

export function eachArguments(appends: readonly UserAppend[]): Argument[] {
  const events: Argument[] = []
  /** Version → envelope → number of the event. Two commits may have equal envelopes. */
  const numbers = new Map<number, Map<string, number>>()

  function numberOf(commit: UserAppend['commits'][number], entry: MailboxEntry): number {
    const known = numbers.get(commit.version) ?? new Map<string, number>()
    if (known.size === 0) numbers.set(commit.version, known)
    const number =
      known.get(entry.envelope) ?? events.push(formatStamp(commit), commit.tag, textOf(commit.tag, entry)) / 3
    known.set(entry.envelope, number)
    return number
  }

  const users = appends.flatMap(({ user, commits }) => {
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
      ...recipients.flatMap(recipientOf),
      pairs.join(' ')
    ]
  })
  return [events.length / 3, ...events, ...users]
}
