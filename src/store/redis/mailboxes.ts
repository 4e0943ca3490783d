// Mailboxes in Redis: for each user one hash with a record a device, and for each device a stream with ids `<seq>-0`.
// Expiry is decided by the caller's clock; the keys' own TTL only cleans up after devices that nobody asks about again.
import { RESET } from '../forgotten.js'
import { positionTtlMs } from '../position.js'
import type { Append, AppendResult, Mailboxes, StoredEvent, StoreOptions, Touch } from '../store.js'
import type { Attempt } from './clients.js'
import {
  devicesKey,
  epochKeyOf,
  leasesKey,
  mailboxKey,
  mailboxPrefix,
  positionKey,
  ticketsKey,
  wakeChannel
} from './keys.js'
import { toDeviceState } from './record.js'
import {
  appendMailbox,
  readMailbox,
  releaseMailbox,
  removeMailbox,
  requestMailbox,
  type StreamEntry,
  sendMailbox,
  touchMailbox
} from './scripts.js'
import { formatStamp } from './stamp.js'

/** How much longer than the retention the keys live, so that a clock that is a little behind loses nothing. */
const CLEAN_UP_AFTER_MS = 120_000

/** Fields are written in the order t (tag), y (type), e (envelope), b (sum). */
function toStoredEvent([id, fields]: StreamEntry): StoredEvent {
  return { seq: Number.parseInt(id, 10), tag: fields[1] ?? '', type: fields[3] ?? '', envelope: fields[5] ?? '' }
}

/** Commas around each name, so that a script finds a whole one without taking the list apart. */
const exceptList = (except: readonly string[] | undefined) => (except?.length ? `,${except.join(',')},` : '')

const isBehind = (reply: string): reply is `behind ${number}` => reply.startsWith('behind ')

/** A record keeps whole numbers only; a token's expiry may come with a fraction. */
const whole = (at: number | undefined) => (at === undefined ? '' : Math.max(0, Math.floor(at)))

export function createRedisMailboxes(attempt: Attempt, options: StoreOptions): Mailboxes {
  const { retentionMs, mailboxMaxEvents, mailboxMaxBytes, maxDevicesPerUser } = options
  const ttlMs = retentionMs + CLEAN_UP_AFTER_MS

  function appendArguments(user: string, { commits, now }: Append) {
    const limits = [retentionMs, positionTtlMs(retentionMs), mailboxMaxEvents, ttlMs]
    const released = commits.flatMap(({ release }) => release ?? []).join(' ')
    const args = [mailboxPrefix(user), wakeChannel(user), whole(now), ...limits, released, mailboxMaxBytes]
    for (const { version, tag, release, begins, entries } of commits) {
      args.push(version, tag, release === undefined ? (begins ? '1' : '') : '!', entries.length)
      for (const { device, except, type, envelope } of entries)
        args.push(device ?? '', device === undefined ? exceptList(except) : '', type, envelope)
    }
    return args
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
      RESET,
      '{}'
    ]
  }

  return {
    async append(user, append): Promise<AppendResult> {
      const keys = [devicesKey(user), positionKey(user, append.source), leasesKey(user)]
      const reply = await appendMailbox(attempt, keys, appendArguments(user, append))
      if (reply === 'OVER') return { status: 'over', online: 0, queued: 0 }
      if (reply === 'DUPLICATE') return { status: 'duplicate', online: 0, queued: 0 }
      const [, online, queued] = reply.split(' ')
      return { status: 'appended', online: Number(online), queued: Number(queued) }
    },
    async send(user, { source, basis, device, at, tag, now, type, envelope }) {
      const keys = [devicesKey(user), positionKey(user, source), mailboxKey(user, device)]
      const what = [type, envelope, at ? `${at.seq}|${at.tag}` : '', mailboxMaxBytes, positionTtlMs(retentionMs)]
      const limits = [whole(now), retentionMs, mailboxMaxEvents, ttlMs]
      const args = [wakeChannel(user), device, formatStamp(basis), tag, ...limits, ...what]
      const reply = await sendMailbox(attempt, keys, args)
      if (!isBehind(reply)) return { status: reply }
      return { status: 'behind', newest: Number(reply.slice('behind '.length)) }
    },
    async read(user, device, cursor, { limit, maxBytes, now }) {
      const { seq, tag } = cursor === 'start' ? { seq: cursor, tag: '' } : cursor
      const keys = [devicesKey(user), mailboxKey(user, device)]
      const reply = await readMailbox(attempt, keys, [device, seq, tag, limit, now, retentionMs, maxBytes])
      if (reply[0] === 'NONE') return { status: 'none' }
      const head = { seq: reply[1], tag: reply[2] }
      if (reply[0] === 'RESET') return { status: 'reset', reason: reply[3], head }
      return { status: 'ok', events: reply[3].map(toStoredEvent), head }
    },
    async touch(user, device, touch) {
      const keys = [devicesKey(user), mailboxKey(user, device)]
      const reply = await touchMailbox(attempt, [...keys, epochKeyOf(user)], touchArguments(user, device, touch))
      if (reply[0] === 'FULL') return null
      const [word, seq, tag, connection, expiry, requestedAt] = reply
      const authExpiresAt = expiry === '' ? null : Number(expiry)
      return { created: word === 'NEW', head: { seq, tag }, connection, authExpiresAt, requestedAt }
    },
    async noteRequest(user, device, now) {
      await requestMailbox(attempt, [devicesKey(user)], [device, whole(now)])
    },
    async release(user, device, connection, now) {
      await releaseMailbox(attempt, [devicesKey(user)], [device, connection, whole(now), retentionMs, ttlMs])
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
