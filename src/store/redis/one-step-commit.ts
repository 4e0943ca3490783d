// A commit where all keys lie on one server: the script commit_deliver writes state, mail, leases and deadline in one step.
import type { Commit, CommitResult } from '../aggregate.js'
import type { Charge } from '../budget-counters.js'
import { wholeMs } from '../claim-marker.js'
import type { Lease } from '../leases.js'
import type { Cursor, Reached, UserMail } from '../mail.js'
import { chargeArguments } from './budget-counters.js'
import type { RunCommand } from './clients.js'
import type { AggregateKeys } from './keys.js'
import { toLeases } from './leases.js'
import { toHead, toReached } from './mailbox-format.js'
import type { RedisMailboxes } from './mailboxes.js'
import { type AggregateReply, type Argument, type ConflictReply, commitAndDeliver, type UserReply } from './scripts.js'
import { formatStamp } from './stamp.js'
import { toRefused } from './webhook-queues.js'

/** Another commit stands. Null: the aggregate does not exist. */
export interface Conflict {
  readonly conflict: AggregateReply | null
}

export const toConflict = ([, ...stored]: ConflictReply): Conflict => ({
  conflict: stored.length === 0 ? null : stored
})

/** Null: mail of earlier commits waits in the outbox, and nothing was written. */
type OneStepCommit = (
  keys: AggregateKeys,
  commit: Commit,
  webhookArguments: readonly Argument[]
) => Promise<CommitResult | Conflict | null>

interface Parts {
  readonly runCommand: RunCommand
  readonly mailboxes: RedisMailboxes
}

/** False: the mail changes nothing. It exists for a Cluster, where the mailboxes remember each commit. */
const isNeeded = ({ entries, claim, keepalive, release, contacts }: UserMail) =>
  entries.length > 0 || [claim, keepalive, release, contacts].some(part => part !== undefined)

export function createOneStepCommit({ runCommand, mailboxes }: Parts): OneStepCommit {
  function argumentsOf(commit: Commit, mail: readonly UserMail[]): Argument[] {
    const { expected, tag, state, deadlineAt, expireInMs, charges = [] } = commit
    return [
      ...[formatStamp(expected), formatStamp(commit), tag, state],
      ...[deadlineAt === null ? '' : wholeMs(deadlineAt), expireInMs ?? ''],
      ...mailboxes.boundsArguments(commit.now),
      ...[charges.length, ...charges.flatMap(chargeArguments)],
      ...mail.flatMap(each => mailboxes.commitArguments(each, tag))
    ]
  }

  return async (keys, commit, webhookArguments) => {
    const mail = commit.mail.filter(isNeeded)
    const userKeys = mail.flatMap(({ user }) => mailboxes.commitKeys(user))
    const allKeys = [keys.state, keys.outbox, keys.timers, ...userKeys]
    const reply = await commitAndDeliver(runCommand, allKeys, [...argumentsOf(commit, mail), ...webhookArguments])
    if (reply[0] === 'WAITING') return null
    if (reply[0] === 'CONFLICT') return toConflict(reply)
    if (reply[0] === 'UNKNOWN') return { ok: false, unregistered: true }
    if (reply[0] === 'SPENT') return { ok: false, spent: commit.charges?.[reply[1] - 1] as Charge }
    if (reply[0] === 'REFUSED') {
      return { ok: false, refused: { user: mail[reply[1] - 1]?.user ?? '', held: toLeases(reply[2]) } }
    }
    const [, webhooksRefused, ...users] = reply
    return { ...toResult(mail, users), ...toRefused(webhooksRefused) }
  }
}

/** `users` has one reply for each item of the mail. */
function toResult(mail: readonly UserMail[], users: readonly UserReply[]): CommitResult {
  const deliveries = new Map<string, Reached>()
  const held = new Map<string, readonly Lease[]>()
  const watched: string[] = []
  let head: Cursor | null = null
  for (const [i, { user, entries, claim }] of mail.entries()) {
    const [reached = '', leases = [], headReply = []] = users[i] ?? []
    const { isWatched, ...counts } = toReached(reached)
    if (entries.length > 0) deliveries.set(user, counts)
    if (claim) held.set(user, toLeases(leases))
    if (isWatched) watched.push(user)
    head ??= toHead(headReply)
  }
  return { ok: true, isDelivered: true, deliveries, watched, isOver: false, held, head }
}
