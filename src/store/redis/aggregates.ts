// Aggregates in Redis: a state hash, an outbox stream with one entry a commit, and a place in the two indexes. Where all keys lie on
// one server a commit is one script, and the outbox is used only for mail that is held back.
import type { Clock } from '../../clock.js'
import type { AggregateRef, Aggregates, Commit, CommitResult, StoredAggregate } from '../aggregate.js'
import { wholeMs } from '../claim-marker.js'
import type { Lease, Leases } from '../leases.js'
import type { UserMail } from '../mail.js'
import type { Charge } from '../quotas.js'
import type { Attempt } from './clients.js'
import { aggregateKeys } from './keys.js'
import { toLeases } from './leases.js'
import { type RedisMailboxes, toHead, toReached } from './mailboxes.js'
import { deliverMail, formatMail, toWaitingMail, type WaitingMail } from './outbox.js'
import { chargeArguments, type RedisQuotas } from './quotas.js'
import { commitAndDeliver, commitToOutbox, type Found, loadAggregate, settleOutbox } from './scripts.js'
import { formatStamp, parseStamp } from './stamp.js'
import type { Topology } from './topology.js'

interface Parts {
  readonly attempt: Attempt
  readonly topology: Pick<Topology, 'isOneServer'>
  readonly mailboxes: RedisMailboxes
  readonly leases: Pick<Leases, 'take'>
  readonly quotas: Pick<RedisQuotas, 'charge'>
  readonly clock: Pick<Clock, 'now'>
  readonly log: { warn(about: object, message: string): void }
}

const NOT_DELIVERED = { ok: true, isDelivered: false, deliveries: new Map(), watched: [], isOver: false } as const

/** What does nothing is for a Cluster, where mailboxes remember each commit. */
const isNeeded = ({ entries, claim, sign, release, contact }: UserMail) =>
  entries.length > 0 || claim !== undefined || sign !== undefined || release !== undefined || contact !== undefined

export function createRedisAggregates({ attempt, topology, mailboxes, leases, quotas, clock, log }: Parts): Aggregates {
  const keysOf = (ref: AggregateRef) => aggregateKeys(ref, topology.isOneServer())

  /** Never fails: an entry that stays is delivered again, and every mailbox drops it as a duplicate. */
  async function settle(ref: AggregateRef, waiting: readonly WaitingMail[]): Promise<void> {
    const newest = waiting.at(-1)
    if (!newest) return
    const keys = keysOf(ref)
    try {
      await settleOutbox(attempt, [keys.outbox, keys.pending, keys.state], [formatStamp(newest)])
    } catch (error) {
      log.warn({ err: error, ...ref, version: newest.version }, 'an outbox was not trimmed')
    }
  }

  /** A fan-out log is not read here: what lies in the outbox of these kinds is published. */
  const hasLog = ({ kind }: AggregateRef) => kind === 'presence' || kind === 'room'

  /** Delivers what waits and may be delivered. @throws AppError store_unavailable when it cannot be now */
  async function toSnapshot(ref: AggregateRef, [stamp, state, outbox]: Found): Promise<StoredAggregate> {
    const waiting = hasLog(ref) ? [] : outbox.map(toWaitingMail)
    const holdsMail = waiting.some(({ isHeld }) => isHeld)
    if (waiting.length > 0 && !holdsMail) await deliverNow(ref, waiting)
    return { ...parseStamp(stamp), state, holdsMail }
  }

  async function deliverNow(ref: AggregateRef, waiting: readonly WaitingMail[]): Promise<void> {
    await deliverMail(mailboxes, ref, { waiting, now: clock.now() })
    await settle(ref, waiting)
  }

  async function loadFound(ref: AggregateRef): Promise<Found | null> {
    const keys = keysOf(ref)
    const reply = await loadAggregate(attempt, [keys.state, keys.outbox], [])
    return reply[0] === 'OK' ? [reply[1], reply[2], reply[3]] : null
  }

  /** Null: mail of earlier commits waits in the outbox, and nothing was written. */
  async function commitInOneStep(ref: AggregateRef, commit: Commit): Promise<CommitResult | null> {
    const keys = keysOf(ref)
    const { charges = [] } = commit
    const mail = commit.mail.filter(isNeeded)
    const users = mail.map(({ user }) => mailboxes.keysOf(user))
    const reply = await commitAndDeliver(
      attempt,
      [keys.state, keys.outbox, keys.timers, ...users.flat()],
      [
        formatStamp(commit.expected),
        formatStamp(commit),
        commit.tag,
        commit.state,
        commit.deadlineAt === null ? '' : wholeMs(commit.deadlineAt),
        commit.expireInMs ?? '',
        ...mailboxes.boundsAt(commit.now),
        charges.length,
        ...charges.flatMap(chargeArguments),
        ...mail.flatMap(each => mailboxes.mailArguments(each, commit.tag))
      ]
    )
    if (reply[0] === 'WAITING') return null
    if (reply[0] === 'CONFLICT') return conflict(ref, reply)
    if (reply[0] === 'UNKNOWN') return { ok: false, unregistered: true }
    if (reply[0] === 'SPENT') return { ok: false, spent: charges[reply[1] - 1] as Charge }
    if (reply[0] === 'REFUSED') {
      return { ok: false, refused: { user: mail[reply[1] - 1]?.user ?? '', held: toLeases(reply[2]) } }
    }
    const [, ...said] = reply
    const results = said.map(([reached]) => toReached(reached))
    const deliveries = mail.flatMap(({ user, entries }, i) => {
      const { online = 0, queued = 0 } = results[i] ?? {}
      return entries.length > 0 ? [[user, { online, queued }] as const] : []
    })
    return {
      ok: true,
      isDelivered: true,
      deliveries: new Map(deliveries),
      watched: mail.map(({ user }) => user).filter((_, i) => results[i]?.isWatched),
      held: new Map(
        mail.flatMap(({ user, claim }, i) => (claim ? [[user, toLeases(said[i]?.[1] ?? [])] as const] : []))
      ),
      head: said.map(([, , head]) => toHead(head)).find(head => head !== null) ?? null,
      isOver: false
    }
  }

  /** In the order of the user ids, so that crossing calls meet at the same user and exactly one goes on. */
  async function takeLeases(mail: readonly UserMail[]) {
    const held = new Map<string, readonly Lease[]>()
    const claims = mail.flatMap(({ user, claim }) => (claim ? [{ user, claim }] : []))
    for (const { user, claim } of claims.sort((a, b) => (a.user < b.user ? -1 : 1))) {
      const result = await leases.take(user, claim.lease, claim.limits)
      if (!result.taken) return { refused: { user, held: result.held }, held }
      held.set(user, result.held)
    }
    return { refused: null, held }
  }

  async function commitInSteps(ref: AggregateRef, commit: Commit): Promise<CommitResult> {
    const keys = keysOf(ref)
    const { version, tag, isHeld = false, log: entry } = commit
    const signed = commit.mail.find(({ sign }) => sign)
    const head = signed?.sign ? await mailboxes.renew(signed.user, signed.sign, commit.now) : null
    if (signed && head === null) return { ok: false, unregistered: true }
    if (commit.charges) {
      // What conflicts is not charged.
      const found = await loadFound(ref)
      if ((found?.[0] ?? '') !== formatStamp(commit.expected)) {
        return { ok: false, current: found && (await toSnapshot(ref, found)) }
      }
      const spent = await quotas.charge(commit.charges)
      if (spent) return { ok: false, spent }
    }
    const { refused, held } = await takeLeases(commit.mail)
    if (refused) return { ok: false, refused }
    const mail = commit.mail.map(({ claim: _, sign: __, ...said }) => said)
    const item = mail.length > 0 ? formatMail({ mail, isHeld }) : entry.length > 0 ? JSON.stringify(entry) : ''
    const reply = await commitToOutbox(
      attempt,
      [keys.state, keys.outbox, keys.timers, keys.pending],
      [
        formatStamp(commit.expected),
        version,
        tag,
        commit.state,
        item,
        commit.deadlineAt === null ? '' : wholeMs(commit.deadlineAt),
        commit.expireInMs ?? '',
        commit.now
      ]
    )
    if (reply[0] === 'CONFLICT') return conflict(ref, reply)
    if (isHeld || hasLog(ref)) return { ...NOT_DELIVERED, held, head }
    const waiting = [...reply[1].map(toWaitingMail), ...(mail.length > 0 ? [{ version, tag, mail, isHeld }] : [])]
    try {
      const delivered = await deliverMail(mailboxes, ref, { waiting, now: clock.now() })
      // Nobody waits for it.
      void settle(ref, waiting)
      return { ok: true, isDelivered: true, held, head, ...delivered }
    } catch (error) {
      log.warn({ err: error, ...ref, version }, 'mail stays in the outbox')
      return { ...NOT_DELIVERED, held, head, watched: mail.map(({ user }) => user) }
    }
  }

  async function conflict(
    ref: AggregateRef,
    reply: readonly ['CONFLICT', ...Found] | readonly ['CONFLICT']
  ): Promise<CommitResult> {
    if (reply.length === 1) return { ok: false, current: null }
    const [, ...found] = reply
    return { ok: false, current: await toSnapshot(ref, found) }
  }

  return {
    async load(ref) {
      const found = await loadFound(ref)
      return found && toSnapshot(ref, found)
    },
    async commit(ref, commit) {
      const isOneStep = topology.isOneServer() && !commit.isHeld && !hasLog(ref)
      return (isOneStep ? await commitInOneStep(ref, commit) : null) ?? commitInSteps(ref, commit)
    },
    async releaseMail(ref) {
      const [, , outbox] = (await loadFound(ref)) ?? []
      if (outbox && outbox.length > 0) await deliverNow(ref, outbox.map(toWaitingMail))
    },
    async bringForward(ref, at) {
      const { timers, state } = keysOf(ref)
      await attempt(client => client.zadd(timers, 'XX', 'LT', wholeMs(at), state))
    }
  }
}
