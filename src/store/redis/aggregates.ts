// Aggregates in Redis: a state hash, an outbox stream with one entry for each commit, and an entry in each of the two indexes. Where all keys
// lie on one server a commit is one script, and the outbox is used only for mail that is held back.
import type { Clock } from '../../clock.js'
import type { AggregateRef, Aggregates, Commit, CommitResult, StoredAggregate } from '../aggregate.js'
import { wholeMs } from '../claim-marker.js'
import type { Lease, Leases } from '../leases.js'
import type { UserMail } from '../mail.js'
import type { RedisBudgetCounters } from './budget-counters.js'
import type { RunCommand } from './clients.js'
import { aggregateKeys } from './keys.js'
import type { RedisMailboxes } from './mailboxes.js'
import { type Conflict, createOneStepCommit, toConflict } from './one-step-commit.js'
import { deliverMail, formatMail, toWaitingMail, type WaitingMail } from './outbox.js'
import { type AggregateReply, commitToOutbox, loadAggregate, settleOutbox } from './scripts.js'
import { formatStamp, parseStamp } from './stamp.js'
import type { Topology } from './topology.js'
import { type RedisWebhookQueues, toRefused } from './webhook-queues.js'

interface Parts {
  readonly runCommand: RunCommand
  readonly topology: Pick<Topology, 'isOneServer'>
  readonly mailboxes: RedisMailboxes
  readonly leases: Pick<Leases, 'take'>
  readonly counters: Pick<RedisBudgetCounters, 'charge'>
  readonly webhookQueues: Pick<RedisWebhookQueues, 'commitArguments'>
  readonly clock: Pick<Clock, 'now'>
  readonly log: { warn(about: object, message: string): void }
}

const NOT_DELIVERED = { ok: true, isDelivered: false, deliveries: new Map(), watched: [], isOver: false } as const

/** The outbox of these kinds is a fan-out log, which fanout.ts reads. */
const hasLog = ({ kind }: AggregateRef) => kind === 'presence' || kind === 'room'

export function createRedisAggregates(parts: Parts): Aggregates {
  const { runCommand, topology, mailboxes, leases, counters, webhookQueues, clock, log } = parts
  const commitInOneStep = createOneStepCommit(parts)
  const keysOf = (ref: AggregateRef) => aggregateKeys(ref, topology.isOneServer())

  async function read(ref: AggregateRef): Promise<AggregateReply | null> {
    const { state, outbox } = keysOf(ref)
    const reply = await loadAggregate(runCommand, [state, outbox], [])
    return reply[0] === 'OK' ? [reply[1], reply[2], reply[3]] : null
  }

  /** Delivers waiting mail that is not held back. @throws AppError store_unavailable if the mail cannot be delivered now */
  async function toSnapshot(ref: AggregateRef, [stamp, state, outbox]: AggregateReply): Promise<StoredAggregate> {
    const waiting = hasLog(ref) ? [] : outbox.map(toWaitingMail)
    const holdsMail = waiting.some(({ isHeld }) => isHeld)
    if (waiting.length > 0 && !holdsMail) await deliverNow(ref, waiting)
    return { ...parseStamp(stamp), state, holdsMail }
  }

  async function deliverNow(ref: AggregateRef, waiting: readonly WaitingMail[]): Promise<void> {
    await deliverMail(mailboxes, ref, { waiting, now: clock.now() })
    await settle(ref, waiting)
  }

  /** Trims the outbox. Never rejects: an entry that stays is delivered again, and every mailbox drops it as a repeat. */
  async function settle(ref: AggregateRef, delivered: readonly WaitingMail[]): Promise<void> {
    const newest = delivered.at(-1)
    if (!newest) return
    const { outbox, waiting, state } = keysOf(ref)
    try {
      await settleOutbox(runCommand, [outbox, waiting, state], [formatStamp(newest)])
    } catch (error) {
      log.warn({ err: error, ...ref, version: newest.version }, 'outbox not trimmed; its mail is delivered again')
    }
  }

  // ── A commit in several steps: on a Cluster; on one server with a fan-out log, or while mail is held back ──

  async function commitInSteps(ref: AggregateRef, commit: Commit): Promise<CommitResult | Conflict> {
    const acting = commit.mail.find(({ keepalive }) => keepalive)
    const head = acting?.keepalive ? await mailboxes.renew(acting.user, acting.keepalive, commit.now) : null
    if (acting && head === null) return { ok: false, unregistered: true }
    const obstacle = await takeCharges(ref, commit)
    if (obstacle) return obstacle
    const { refused, held } = await takeLeases(commit.mail)
    if (refused) return { ok: false, refused }
    const mail = commit.mail.map(({ claim: _, keepalive: __, ...rest }) => rest)
    const reply = await writeToOutbox(ref, { ...commit, mail })
    if (reply[0] === 'CONFLICT') return toConflict(reply)
    const [, older, webhooksRefused] = reply
    const written = { held, head, ...toRefused(webhooksRefused) }
    if (commit.isHeld || hasLog(ref)) return { ...NOT_DELIVERED, ...written }
    return { ...written, ...(await deliverCommitted(ref, { ...commit, mail }, older.map(toWaitingMail))) }
  }

  /** Null: all are taken. A commit that conflicts is not charged. */
  async function takeCharges(
    ref: AggregateRef,
    { charges, expected }: Commit
  ): Promise<CommitResult | Conflict | null> {
    if (!charges) return null
    const stored = await read(ref)
    if ((stored?.[0] ?? '') !== formatStamp(expected)) return { conflict: stored }
    const spent = await counters.charge(charges)
    return spent ? { ok: false, spent } : null
  }

  /** In the order of the user ids, so that two calls that cross compete for the same user first, and exactly one goes on. */
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

  function writeToOutbox(ref: AggregateRef, { mail, log: items, isHeld = false, ...commit }: Commit) {
    const { state, outbox, timers, waiting } = keysOf(ref)
    const { expected, version, tag, deadlineAt, expireInMs, now } = commit
    const logText = items.length > 0 ? JSON.stringify(items) : ''
    return commitToOutbox(
      runCommand,
      [state, outbox, timers, waiting],
      [
        ...[formatStamp(expected), version, tag, commit.state],
        mail.length > 0 ? formatMail({ mail, isHeld }) : logText,
        ...[deadlineAt === null ? '' : wholeMs(deadlineAt), expireInMs ?? '', now],
        ...webhookQueues.commitArguments(ref, commit)
      ]
    )
  }

  /** Delivers the mail of the commit after that of `older` ones. The commit stands, also if the delivery fails. */
  async function deliverCommitted(ref: AggregateRef, { version, tag, mail }: Commit, older: readonly WaitingMail[]) {
    const waiting = mail.length > 0 ? [...older, { version, tag, mail, isHeld: false }] : older
    try {
      const delivered = await deliverMail(mailboxes, ref, { waiting, now: clock.now() })
      // The reply does not wait for the trimming.
      void settle(ref, waiting)
      return { ok: true, isDelivered: true, ...delivered } as const
    } catch (error) {
      log.warn({ err: error, ...ref, version }, 'mail not delivered; it stays in the outbox')
      return { ...NOT_DELIVERED, watched: mail.map(({ user }) => user) }
    }
  }

  return {
    async load(ref) {
      const stored = await read(ref)
      return stored && toSnapshot(ref, stored)
    },
    async commit(ref, commit) {
      const isOneStep = topology.isOneServer() && !commit.isHeld && !hasLog(ref)
      const inOneStep = isOneStep
        ? await commitInOneStep(keysOf(ref), commit, webhookQueues.commitArguments(ref, commit))
        : null
      const result = inOneStep ?? (await commitInSteps(ref, commit))
      if (!('conflict' in result)) return result
      return { ok: false, current: result.conflict && (await toSnapshot(ref, result.conflict)) }
    },
    async releaseMail(ref) {
      const [, , outbox] = (await read(ref)) ?? []
      if (outbox && outbox.length > 0) await deliverNow(ref, outbox.map(toWaitingMail))
    },
    async bringForward(ref, at) {
      const { timers, state } = keysOf(ref)
      await runCommand(client => client.zadd(timers, 'XX', 'LT', wholeMs(at), state))
    }
  }
}
