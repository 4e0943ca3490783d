// Mailboxes in Redis: for each user one hash with a record a device, and for each device a stream with ids `<seq>-0`.
// Expiry is decided by the caller's clock; the keys' own TTL only cleans up after devices that nobody asks about again.

import type { AggregateRef, Stamp } from '../aggregate.js'
import { RESET } from '../lost-writes.js'
import type { Cursor, Mail, Reached, Sign, UserMail } from '../mail.js'
import { positionTtlMs } from '../position.js'
import type { Mailboxes, MailboxPage, StoredEvent, StoreOptions, Touch } from '../store.js'
import { eachArguments, recipientOf, textOf } from './append-each.js'
import type { Attempt } from './clients.js'
import { updateArguments } from './contacts.js'
import {
  devicesKey,
  epochKeyOf,
  invitationsKey,
  leasesKey,
  mailboxKey,
  mailboxPrefix,
  membershipsKey,
  positionKey,
  stateKey,
  ticketsKey,
  wakeChannel
} from './keys.js'
import { claimArguments } from './leases.js'
import { toDeviceState } from './record.js'
import {
  type Argument,
  appendEachMailbox,
  appendMailbox,
  closeMailbox,
  type Page,
  readMailbox,
  removeMailbox,
  renewMailbox,
  requestMailbox,
  type StreamEntry,
  sendMailbox,
  sendMailboxOnCluster,
  touchMailbox
} from './scripts.js'
import { formatStamp } from './stamp.js'
import type { Topology } from './topology.js'

/** How much longer than the retention the keys live, so that a clock that is a little behind loses nothing. */
const CLEAN_UP_AFTER_MS = 120_000

/** See lua/mailbox.lua. */
function toStoredEvent([id, [, text = '']]: StreamEntry): StoredEvent {
  const [tag = '', type = '', envelope = ''] = text.split('\n')
  return { seq: Number.parseInt(id, 10), tag, type, envelope }
}

function toPage(reply: Page): MailboxPage {
  const head = { seq: reply[1], tag: reply[2] }
  if (reply[0] === 'RESET') return { status: 'reset', reason: reply[3], head }
  return { status: 'ok', events: reply[3].map(toStoredEvent), head }
}

/** As lua/page.lua reads it; '' is no cursor. */
const cursorArguments = (cursor: Cursor | 'start' | undefined): Argument[] =>
  typeof cursor === 'object' ? [cursor.seq, cursor.tag] : [cursor ?? '', '']

const isLeaseOf = (reply: string): reply is `behind ${number}` => reply.startsWith('behind ')

/** A record keeps whole numbers only; a token's expiry may come with a fraction. */
const whole = (at: number | undefined) => (at === undefined ? '' : Math.max(0, Math.floor(at)))

/** As lua/deliver.lua reads what one commit says to one user. */
function saidIn(user: string, tag: string, { release, begins, entries, contact }: Mail): Argument[] {
  const role = release === undefined ? (begins ? '1' : '') : '!'
  const flat = entries.flatMap(entry => [...recipientOf(entry), textOf(tag, entry)])
  const noted = contact ? ['1', ...updateArguments(user, contact)] : ['']
  return [role, release ?? '', entries.length, ...flat, ...noted]
}

const STATUS = { OK: 'appended', DUPLICATE: 'duplicate', OVER: 'over' } as const

interface UserReached extends Reached {
  readonly isWatched: boolean
}

/** What commit_deliver replies for each user. */
export function toReached(reply: string): UserReached {
  const [online, queued, watched] = reply.split(' ')
  return { online: Number(online), queued: Number(queued), isWatched: watched === '1' }
}

/** What one commit says to one user. */
export interface CommitMail extends Stamp, Mail {}

export interface Delivered extends UserReached {
  /** 'duplicate' when all commits were; 'over': one came after the last of this life of the source, which must have forgotten it. */
  readonly status: (typeof STATUS)[keyof typeof STATUS]
}

/** What mailbox_append replies. */
function toDelivered(reply: string): Delivered {
  const [status, ...reached] = reply.split(' ')
  return { status: STATUS[status as keyof typeof STATUS], ...toReached(reached.join(' ')) }
}

/** As lua/renew.lua reads it. */
const signArguments = ({ device, authExpiresAt }: Sign): Argument[] => [
  device,
  authExpiresAt === null ? 'never' : whole(authExpiresAt)
]

/** What mailbox_renew replies. */
export const toHead = ([seq, tag]: readonly [number, string] | readonly []): Cursor | null =>
  seq === undefined ? null : { seq, tag: tag ?? '' }

export interface RedisMailboxes extends Mailboxes {
  /**
   * What commits say to a user who lies on another server, or what was held back: as Mailboxes.appendEach says. But after the last commit of a
   * life only one that begins another is taken: an end that is made anew is a duplicate, anything else is 'over'.
   */
  deliver(user: string, mail: { source: AggregateRef; commits: readonly CommitMail[]; now: number }): Promise<Delivered>
  /** A sign of life of a device that is registered; null: it has to be touched first. */
  renew(user: string, sign: Sign, now: number): Promise<Cursor | null>
  /** Keys and arguments of commit_deliver. */
  keysOf(user: string): string[]
  boundsAt(now: number): Argument[]
  mailArguments(mail: UserMail, tag: string): Argument[]
}

export function createRedisMailboxes(
  attempt: Attempt,
  topology: Pick<Topology, 'isOneServer'>,
  options: StoreOptions
): RedisMailboxes {
  const { retentionMs, mailboxMaxEvents, mailboxMaxBytes, maxDevicesPerUser } = options
  const ttlMs = retentionMs + CLEAN_UP_AFTER_MS

  const boundsAt = (now: number) => [
    whole(now),
    retentionMs,
    positionTtlMs(retentionMs),
    mailboxMaxEvents,
    ttlMs,
    mailboxMaxBytes
  ]

  const presenceKey = (user: string) => stateKey({ kind: 'presence', id: user })

  const deliver: RedisMailboxes['deliver'] = async (user, { source, commits, now }) => {
    const keys = [devicesKey(user), positionKey(user, source), leasesKey(user), presenceKey(user)]
    const args = [...boundsAt(now), mailboxPrefix(user), wakeChannel(user)]
    for (const commit of commits) args.push(formatStamp(commit), commit.tag, ...saidIn(user, commit.tag, commit))
    return toDelivered(await appendMailbox(attempt, keys, args))
  }

  function touchArguments(user: string, device: string, touch: Touch) {
    return [
      device,
      wakeChannel(user),
      whole(touch.now),
      touch.tag,
      retentionMs,
      ttlMs,
      touch.connection ?? '',
      touch.claim ? '1' : '',
      whole(touch.onlineUntil),
      touch.authExpiresAt === null ? 'never' : whole(touch.authExpiresAt),
      touch.status === undefined ? '' : `=${touch.status}`,
      maxDevicesPerUser,
      mailboxMaxEvents,
      mailboxMaxBytes,
      textOf(touch.tag, { type: RESET, envelope: '{}' }),
      ...cursorArguments(touch.readFrom),
      touch.bounds?.limit ?? 0,
      touch.bounds?.maxBytes ?? 0
    ]
  }

  const involvedKeys = (user: string) =>
    [leasesKey, membershipsKey, invitationsKey, presenceKey].map(keyOf => keyOf(user))

  return {
    boundsAt,
    keysOf: user => [devicesKey(user), leasesKey(user), presenceKey(user), epochKeyOf(user)],
    mailArguments({ user, claim, sign, ...mail }, tag) {
      const claimed = claim ? ['1', ...claimArguments(claim)] : ['']
      const signed = sign ? ['1', ...signArguments(sign)] : ['']
      return [mailboxPrefix(user), wakeChannel(user), ...claimed, ...signed, ...saidIn(user, tag, mail)]
    },
    async renew(user, sign, now) {
      const args = [...boundsAt(now), mailboxPrefix(user), wakeChannel(user), ...signArguments(sign)]
      return toHead(await renewMailbox(attempt, [devicesKey(user), epochKeyOf(user)], args))
    },
    deliver,
    async appendEach(appends, now) {
      if (!topology.isOneServer())
        return void (await Promise.all(appends.map(each => deliver(each.user, { ...each, now }))))
      const keys = appends.flatMap(({ user, source }) => [devicesKey(user), positionKey(user, source)])
      if (appends.length > 0) await appendEachMailbox(attempt, keys, [...boundsAt(now), ...eachArguments(appends)])
    },
    async send(user, { basis, device, at, tag, now, type, envelope }) {
      const isOneServer = topology.isOneServer()
      const keys = [devicesKey(user), mailboxKey(user, device)]
      if (basis) keys.push(isOneServer ? stateKey(basis.source) : positionKey(user, basis.source))
      const limits = [whole(now), retentionMs, mailboxMaxEvents, ttlMs, mailboxMaxBytes]
      const what = [tag, textOf(tag, { type, envelope }), at ? `${at.seq}|${at.tag}` : '', formatStamp(basis)]
      const args = [wakeChannel(user), device, ...limits, ...what]
      const reply = isOneServer
        ? await sendMailbox(attempt, keys, args)
        : await sendMailboxOnCluster(attempt, keys, [...args, positionTtlMs(retentionMs)])
      if (!isLeaseOf(reply)) return { status: reply }
      return { status: 'behind', newest: Number(reply.slice('behind '.length)) }
    },
    async read(user, device, { from, limit, maxBytes, now }) {
      const keys = [devicesKey(user), mailboxKey(user, device)]
      const args = [device, ...cursorArguments(from), limit, maxBytes, now, retentionMs]
      const reply = await readMailbox(attempt, keys, args)
      return reply[0] === 'NONE' ? { status: 'none' } : toPage(reply)
    },
    async touch(user, device, touch) {
      const keys = [devicesKey(user), mailboxKey(user, device), epochKeyOf(user), ...involvedKeys(user)]
      const reply = await touchMailbox(attempt, keys, touchArguments(user, device, touch))
      if (reply[0] === 'FULL') return null
      const [word, seq, tag, connection, expiry, requestedAt, involved, page] = reply
      const authExpiresAt = expiry === '' ? null : Number(expiry)
      return {
        created: word === 'NEW',
        head: { seq, tag },
        ...{ connection, authExpiresAt, requestedAt },
        isInvolved: involved > 0,
        page: page[0] === undefined ? null : toPage(page)
      }
    },
    async recordRequest(user, device, now) {
      await requestMailbox(attempt, [devicesKey(user)], [device, whole(now)])
    },
    async closeConnection(user, device, { connection, now }) {
      await closeMailbox(attempt, [devicesKey(user)], [device, connection, whole(now), retentionMs, ttlMs])
    },
    async remove(user, device) {
      const keys = [devicesKey(user), mailboxKey(user, device), ticketsKey(user)]
      return (await removeMailbox(attempt, keys, [device, wakeChannel(user)])) === 'REMOVED'
    },
    async devices(user, now) {
      const records = await attempt(client => client.hgetall(devicesKey(user)))
      const states = Object.entries(records).map(([device, text]) => toDeviceState(device, text, now, retentionMs))
      return states.filter(state => state !== null)
    }
  }
}
