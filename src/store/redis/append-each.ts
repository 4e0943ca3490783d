// The arguments of mailbox_append_each: what is said to many users stands there once.
import type { MailboxEntry } from '../mail.js'
import type { UserAppend } from '../store.js'
import { mailboxPrefix, wakeChannel } from './keys.js'
import type { Argument } from './scripts.js'
import { formatStamp } from './stamp.js'

/** Commas around each name, so that a script finds a whole one without taking the list apart. */
const exceptList = (except: readonly string[] | undefined) => (except?.length ? `,${except.join(',')},` : '')

/** As the scripts read for whom an entry is. */
export const audienceOf = ({ device, except }: MailboxEntry): [device: string, except: string] =>
  device === undefined ? ['', exceptList(except)] : [device, '']

/** An entry's text: see lua/mailbox.lua. */
export const textOf = (tag: string, { type, envelope }: Pick<MailboxEntry, 'type' | 'envelope'>) =>
  `${tag}\n${type}\n${envelope}`

export function eachArguments(appends: readonly UserAppend[]): Argument[] {
  const events: Argument[] = []
  /** By version, then by envelope: the envelopes of two commits may be alike. */
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
    const audiences: MailboxEntry[] = []
    const told: string[] = []
    for (const commit of commits) {
      for (const entry of commit.entries) {
        const known = audiences.findIndex(({ device, except }) => device === entry.device && except === entry.except)
        const audience = known < 0 ? audiences.push(entry) : known + 1
        told.push(`${audience}.${numberOf(commit, entry)}`)
      }
    }
    return [mailboxPrefix(user), wakeChannel(user), audiences.length, ...audiences.flatMap(audienceOf), told.join(' ')]
  })
  return [events.length / 3, ...events, ...users]
}
