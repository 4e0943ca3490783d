// Mailboxes in Redis: one hash for each user, with a record for each device, and one stream for each device, with ids `<seq>-<sum of weights>`
// (lua/mailbox.lua). A device expires by the caller's clock. The TTL of the keys is a backstop for devices that are not asked about again.
import type { AggregateRef } from '../aggregate.js'
import { RESET } from '../lost-writes.js'
import type { Cursor, Keepalive, UserMail } from '../mail.js'
import type { Mailboxes, StoreOptions, Touch } from '../store.js'
import { takenCommitsTtlMs } from '../taken-commits.js'
import { eachArguments } from './append-each.js'
import type { RunCommand } from './clients.js'
import {
  devicesKey,
  epochKeyOf,
  invitationsKey,
  leasesKey,
  mailboxKey,
  mailboxPrefix,
  membershipsKey,
  pushSubscriptionsKey,
  stateKey,
  takenCommitsKey,
  ticketsKey,
  wakeChannel
} from './keys.js'
import { claimArguments } from './leases.js'
import {
  type CommitMail,
  cursorArguments,
  type Delivered,
  entryText,
  expiryArgument,
  keepaliveArguments,
  mailArguments,
  toDelivered,
  toHead,
  toPage,
  whole
} from './mailbox-format.js'
import { toDeviceState } from './record.js'
import {
  type Argument,
  appendEachMailbox,
  appendMailbox,
  closeMailbox,
  readMailbox,
  removeMailbox,
  renewMailbox,
  requestMailbox,
  sendMailbox,
  sendMailboxOnCluster,
  touchMailbox
} from './scripts.js'
import { formatStamp } from './stamp.js'
import type { Topology } from './topology.js'

/** How much longer than the retention the keys live, so that nothing is lost while the clock of the caller is a little behind. */
const CLEAN_UP_AFTER_MS = 120_000

export interface RedisMailboxes extends Mailboxes {
  /**
   * Delivers the mail of commits of one source, oldest first: mail to a user in another slot, and mail that was held back. Repeats are
   * dropped as Mailboxes.appendEach says. After the last commit of the source's life the mailboxes take only the first of another life:
   * they drop a last commit that was made anew as a duplicate, and any other one with the status 'over'.
   */
  deliver(user: string, mail: { source: AggregateRef; commits: readonly CommitMail[]; now: number }): Promise<Delivered>
  /** A keepalive of a registered device. Null, and nothing is written: the device must be touched first. */
  renew(user: string, keepalive: Keepalive, now: number): Promise<Cursor | null>
  /** The keys and arguments of commit_deliver. */
  commitKeys(user: string): string[]
  boundsArguments(now: number): Argument[]
  commitArguments(mail: UserMail, tag: string): Argument[]
}

const isBehind = (reply: string): reply is `behind ${number}` => reply.startsWith('behind ')

const presenceKey = (user: string) => stateKey({ kind: 'presence', id: user })

/** The keys that exist while Touched.isInvolved is true. */
const involvedKeys = (user: string) =>
  [leasesKey, membershipsKey, invitationsKey, presenceKey].map(keyOf => keyOf(user))

export function createRedisMailboxes(
  runCommand: RunCommand,
  topology: Pick<Topology, 'isOneServer'>,
  options: StoreOptions
): RedisMailboxes {
  const { retentionMs, mailboxMaxEvents, mailboxMaxBytes, maxDevicesPerUser } = options
  const ttlMs = retentionMs + CLEAN_UP_AFTER_MS

  /** As lua/mail.lua reads them. */
  const boundsArguments = (now: number): Argument[] => [
    whole(now),
    retentionMs,
    takenCommitsTtlMs(retentionMs),
    mailboxMaxEvents,
    ttlMs,
    mailboxMaxBytes
  ]

  const deliver: RedisMailboxes['deliver'] = async (user, { source, commits, now }) => {
    const keys = [devicesKey(user), takenCommitsKey(user, source), leasesKey(user), presenceKey(user)]
    const args = [...boundsArguments(now), mailboxPrefix(user), wakeChannel(user)]
    for (const commit of commits) args.push(formatStamp(commit), commit.tag, ...mailArguments(user, commit.tag, commit))
    return toDelivered(await appendMailbox(runCommand, keys, args))
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
      expiryArgument(touch.authExpiresAt),
      touch.status === undefined ? '' : `=${touch.status}`,
      maxDevicesPerUser,
      mailboxMaxEvents,
      mailboxMaxBytes,
      entryText(touch.tag, { type: RESET, envelope: '{}' }),
      ...cursorArguments(touch.readFrom),
      touch.bounds?.limit ?? 0,
      touch.bounds?.maxBytes ?? 0
    ]
  }

  return {
    boundsArguments,
    commitKeys: user => [devicesKey(user), leasesKey(user), presenceKey(user), epochKeyOf(user)],
    commitArguments({ user, claim, keepalive, ...mail }, tag) {
      const claimPart = claim ? ['1', ...claimArguments(claim)] : ['']
      const keepalivePart = keepalive ? ['1', ...keepaliveArguments(keepalive)] : ['']
      const address = [mailboxPrefix(user), wakeChannel(user)]
      return [...address, ...claimPart, ...keepalivePart, ...mailArguments(user, tag, mail)]
    },
    async renew(user, keepalive, now) {
      const args = [...boundsArguments(now), mailboxPrefix(user), wakeChannel(user), ...keepaliveArguments(keepalive)]
      return toHead(await renewMailbox(runCommand, [devicesKey(user), epochKeyOf(user)], args))
    },
    deliver,
    async appendEach(appends, now) {
      if (!topology.isOneServer())
        return void (await Promise.all(appends.map(each => deliver(each.user, { ...each, now }))))
      const keys = appends.flatMap(({ user, source }) => [devicesKey(user), takenCommitsKey(user, source)])
      if (appends.length > 0)
        await appendEachMailbox(runCommand, keys, [...boundsArguments(now), ...eachArguments(appends)])
    },
    async send(user, { basis, device, expectedHead, tag, now, type, envelope }) {
      const isOneServer = topology.isOneServer()
      const keys = [devicesKey(user), mailboxKey(user, device)]
      if (basis) keys.push(isOneServer ? stateKey(basis.source) : takenCommitsKey(user, basis.source))
      const bounds = [whole(now), retentionMs, mailboxMaxEvents, ttlMs, mailboxMaxBytes]
      const event = [tag, entryText(tag, { type, envelope })]
      const conditions = [expectedHead ? `${expectedHead.seq}|${expectedHead.tag}` : '', formatStamp(basis)]
      const args = [wakeChannel(user), device, ...bounds, ...event, ...conditions]
      const reply = isOneServer
        ? await sendMailbox(runCommand, keys, args)
        : await sendMailboxOnCluster(runCommand, keys, [...args, takenCommitsTtlMs(retentionMs)])
      if (!isBehind(reply)) return { status: reply }
      return { status: 'behind', newest: Number(reply.slice('behind '.length)) }
    },
    async read(user, device, { from, limit, maxBytes, now }) {
      const keys = [devicesKey(user), mailboxKey(user, device)]
      const args = [device, ...cursorArguments(from), limit, maxBytes, now, retentionMs]
      const reply = await readMailbox(runCommand, keys, args)
      return reply[0] === 'NONE' ? { status: 'none' } : toPage(reply)
    },
    async touch(user, device, touch) {
      const keys = [devicesKey(user), mailboxKey(user, device), epochKeyOf(user), ...involvedKeys(user)]
      const reply = await touchMailbox(runCommand, keys, touchArguments(user, device, touch))
      if (reply[0] === 'FULL') return null
      const [status, seq, tag, connection, expiry, requestedAt, involved, page] = reply
      const authExpiresAt = expiry === '' ? null : Number(expiry)
      return {
        created: status === 'NEW',
        head: { seq, tag },
        ...{ connection, authExpiresAt, requestedAt },
        isInvolved: involved > 0,
        page: page[0] === undefined ? null : toPage(page)
      }
    },
    async recordRequest(user, device, { now, authExpiresAt }) {
      const args = [device, whole(now), wakeChannel(user), expiryArgument(authExpiresAt)]
      await requestMailbox(runCommand, [devicesKey(user)], args)
    },
    async closeConnection(user, device, { connection, now }) {
      await closeMailbox(runCommand, [devicesKey(user)], [device, connection, whole(now), retentionMs, ttlMs])
    },
    async remove(user, device) {
      const keys = [devicesKey(user), mailboxKey(user, device), ticketsKey(user), pushSubscriptionsKey(user)]
      return (await removeMailbox(runCommand, keys, [device, wakeChannel(user)])) === 'REMOVED'
    },
    async devices(user, now) {
      const records = await runCommand(client => client.hgetall(devicesKey(user)))
      const states = Object.entries(records).map(([device, text]) => toDeviceState(device, text, { now, retentionMs }))
      return states.filter(state => state !== null)
    }
  }
}
