// Aggregates in memory. An aggregate that has ended expires only after all its mail is delivered and its log is published.
import type { Clock } from '../../clock.js'
import {
  type AggregateRef,
  type Aggregates,
  type Commit,
  type CommitResult,
  isSameStamp,
  type Stamp,
  type StoredAggregate
} from '../aggregate.js'
import { wholeMs } from '../claim-marker.js'
import type { Lease } from '../leases.js'
import type { Reached, UserMail } from '../mail.js'
import type { MemoryBudgetCounters } from './budget-counters.js'
import type { FanoutLog, FanoutSource } from './fanout.js'
import type { MemoryLeases } from './leases.js'
import type { MemoryMailboxes } from './mailboxes.js'
import type { TimerIndex } from './timer-index.js'
import type { MemoryWebhookQueues } from './webhook-queues.js'

interface Aggregate extends FanoutLog {
  stamp: Stamp
  state: string
  /** Mail that is held back, oldest first. */
  held: readonly HeldMail[]
  /** How long after the last delivery the aggregate expires; null: it does not expire. */
  expireInMs: number | null
  expiresAt: number
}

interface HeldMail extends Stamp {
  readonly mail: readonly UserMail[]
}

const keyOf = (ref: AggregateRef) => `${ref.kind}:${ref.id}`

const toSnapshot = ({ stamp, state, held }: Aggregate): StoredAggregate => ({
  ...stamp,
  state,
  holdsMail: held.length > 0
})

interface MemoryAggregates extends Aggregates {
  /** The logs of presence; memory/watches.ts knows the recipients. */
  readonly fanout: Omit<FanoutSource, 'recipients'>
  /** The stamp of the commit that stands. */
  stampOf(ref: AggregateRef): Stamp | null
  size(): number
  sweep(now: number): void
}

interface Parts {
  readonly clock: Clock
  readonly timers: TimerIndex
  readonly mailboxes: Pick<MemoryMailboxes, 'deliver' | 'isRegistered' | 'renew'>
  readonly counters: Pick<MemoryBudgetCounters, 'charge'>
  readonly leases: Pick<MemoryLeases, 'judge' | 'put' | 'held'>
  readonly webhookQueues: Pick<MemoryWebhookQueues, 'queueCommit'>
}

export function createMemoryAggregates({ clock, timers, webhookQueues, ...parts }: Parts): MemoryAggregates {
  const { mailboxes, leases, counters } = parts
  const { deadlines, waiting } = timers
  const kept = new Map<string, Aggregate>()

  function find(ref: AggregateRef): Aggregate | undefined {
    const found = kept.get(keyOf(ref))
    return found && found.expiresAt > clock.now() ? found : undefined
  }

  function write(ref: AggregateRef, commit: Commit, found: Aggregate | undefined): Aggregate {
    const nothing = { pending: [], held: [], expireInMs: null, expiresAt: Infinity, lease: null }
    const stamp = { version: commit.version, tag: commit.tag }
    const next: Aggregate = found ?? { ref, stamp, state: '', ...nothing }
    next.stamp = stamp
    next.state = commit.state
    next.expireInMs = commit.expireInMs
    if (commit.log.length > 0) next.pending = [...next.pending, { ...stamp, items: commit.log }]
    if (commit.mail.length > 0) next.held = [...next.held, { ...stamp, mail: commit.mail }]
    if (commit.deadlineAt === null) deadlines.delete(next)
    else deadlines.set(next, wholeMs(commit.deadlineAt))
    kept.set(keyOf(ref), next)
    return next
  }

  function settle(aggregate: Aggregate): void {
    const isSettled = aggregate.pending.length === 0 && aggregate.held.length === 0
    if (isSettled) waiting.delete(aggregate)
    else if (!waiting.has(aggregate)) waiting.set(aggregate, clock.now())
    const { expireInMs } = aggregate
    aggregate.expiresAt = isSettled && expireInMs !== null ? clock.now() + expireInMs : Infinity
  }

  /** Delivers all waiting mail. Returns the deliveries of the newest commit. */
  function deliverHeld(aggregate: Aggregate) {
    const deliveries = new Map<string, Reached>()
    for (const { mail, tag } of aggregate.held) {
      deliveries.clear()
      for (const { user, ...rest } of mail) {
        const reached = mailboxes.deliver(user, { ...rest, tag }, clock.now())
        if (rest.entries.length > 0) deliveries.set(user, reached)
      }
    }
    aggregate.held = []
    return deliveries
  }

  /** Takes all claimed leases, or none if one is refused. */
  function takeLeases(mail: readonly UserMail[]) {
    const held = new Map<string, readonly Lease[]>()
    for (const { user, claim } of mail) {
      if (!claim) continue
      const granted = leases.judge(user, claim)
      if (granted === null) return { refused: { user, held: leases.held(user) }, held }
      held.set(user, granted)
    }
    for (const [user, granted] of held) leases.put(user, granted)
    return { refused: null, held }
  }

  const isWatched = (user: string) => find({ kind: 'presence', id: user }) !== undefined

  return {
    fanout: {
      find: id => find({ kind: 'presence', id }),
      drained(log) {
        const aggregate = kept.get(keyOf(log.ref))
        if (aggregate) settle(aggregate)
      }
    },
    async load(ref) {
      const found = find(ref)
      return found ? toSnapshot(found) : null
    },
    async commit(ref, commit): Promise<CommitResult> {
      const found = find(ref)
      if (!isSameStamp(found?.stamp ?? null, commit.expected)) {
        return { ok: false, current: found ? toSnapshot(found) : null }
      }
      if (
        commit.mail.some(
          ({ user, keepalive }) => keepalive && !mailboxes.isRegistered(user, keepalive.device, commit.now)
        )
      ) {
        return { ok: false, unregistered: true }
      }
      const spent = counters.charge(commit.charges ?? [])
      if (spent) return { ok: false, spent }
      const { refused, held } = takeLeases(commit.mail)
      if (refused) return { ok: false, refused }
      const written = write(ref, commit, found)
      const deliveries = commit.isHeld ? null : deliverHeld(written)
      settle(written)
      const queued = webhookQueues.queueCommit(ref, commit)
      if (deliveries === null) {
        const nothing = { deliveries: new Map(), watched: [], isOver: false, head: null }
        return { ok: true, isDelivered: false, held, ...nothing, ...queued }
      }
      const changed = commit.mail.filter(({ claim, release }) => claim !== undefined || release !== undefined)
      const watched = changed.map(({ user }) => user).filter(isWatched)
      const heads = commit.mail.flatMap(({ user, keepalive }) =>
        keepalive ? mailboxes.renew(user, keepalive, commit.now) : []
      )
      return {
        ok: true,
        isDelivered: true,
        deliveries,
        watched,
        isOver: false,
        held,
        head: heads[0] ?? null,
        ...queued
      }
    },
    async releaseMail(ref) {
      const found = find(ref)
      if (!found || found.held.length === 0) return
      deliverHeld(found)
      settle(found)
    },
    async bringForward(ref, at) {
      const found = find(ref)
      if (found && at < (deadlines.get(found) ?? -Infinity)) deadlines.set(found, wholeMs(at))
    },
    stampOf: ref => find(ref)?.stamp ?? null,
    size: () => kept.size,
    sweep(now) {
      for (const [key, aggregate] of kept) {
        if (aggregate.expiresAt > now) continue
        kept.delete(key)
        timers.remove(aggregate)
      }
    }
  }
}
