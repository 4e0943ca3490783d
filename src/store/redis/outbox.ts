// The outbox of an aggregate: undelivered mail of its commits, or a fan-out log (fanout.ts). Mail is written to it on a Cluster, and on one
// server while it is held back.
import type { AggregateRef, OutboxEntry, OutboxItem, Stamp } from '../aggregate.js'
import type { Deliveries, Reached, UserMail } from '../mail.js'
import type { CommitMail } from './mailbox-format.js'
import type { RedisMailboxes } from './mailboxes.js'
import type { StreamEntry } from './scripts.js'

/** `<version>-0`, with the fields i (items as JSON), c (committed at), t (tag). */
export function toOutboxEntry([id, fields]: StreamEntry): OutboxEntry {
  return {
    version: Number.parseInt(id, 10),
    tag: fields[5] ?? '',
    items: JSON.parse(fields[1] ?? '[]') as OutboxItem[]
  }
}

/** The undelivered mail of one commit. */
export interface WaitingMail extends Stamp {
  readonly mail: readonly UserMail[]
  readonly isHeld: boolean
}

export const formatMail = ({ mail, isHeld }: Omit<WaitingMail, keyof Stamp>): string => JSON.stringify({ mail, isHeld })

export function toWaitingMail([id, fields]: StreamEntry): WaitingMail {
  return { version: Number.parseInt(id, 10), tag: fields[5] ?? '', ...JSON.parse(fields[1] ?? '{}') }
}

export interface OutboxDelivery {
  /** Of the newest commit's mail. */
  readonly deliveries: Deliveries
  readonly watched: readonly string[]
  readonly isOver: boolean
}

/**
 * Delivers all waiting mail: to each user in one step, oldest first. Deliveries are idempotent by version and tag, so two nodes may deliver
 * the same mail at the same time, and if a node dies halfway, another one delivers all of it again.
 */
export async function deliverMail(
  mailboxes: RedisMailboxes,
  source: AggregateRef,
  { waiting, now }: { waiting: readonly WaitingMail[]; now: number }
): Promise<OutboxDelivery> {
  const deliveries = new Map<string, Reached>()
  const watched: string[] = []
  const newest = waiting.at(-1)?.version
  let isOver = false
  await Promise.all(
    [...groupByUser(waiting)].map(async ([user, commits]) => {
      const { status, isWatched, ...reached } = await mailboxes.deliver(user, { source, commits, now })
      isOver ||= status === 'over'
      if (isWatched) watched.push(user)
      const last = commits.at(-1)
      if (last?.version === newest && last?.entries.length) deliveries.set(user, reached)
    })
  )
  return { deliveries, watched, isOver }
}

function groupByUser(waiting: readonly WaitingMail[]): Map<string, CommitMail[]> {
  const queues = new Map<string, CommitMail[]>()
  for (const { version, tag, mail } of waiting) {
    for (const { user, ...rest } of mail) {
      const queue = queues.get(user) ?? []
      queues.set(user, queue)
      queue.push({ version, tag, ...rest })
    }
  }
  return queues
}
