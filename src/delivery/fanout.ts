// Fan-out: from the outbox of a room, or of a watched user's presence, to the mailboxes of all recipients. It is a background task:
// commits start it and nobody waits for it. One node at a time holds the lease, publishes in bounded batches, oldest first, and renews
// the lease as it goes. If it dies, the sweeper of another node goes on, and mailboxes drop what comes to them twice.
import type { Clock } from '../clock.js'
import type { Endpoint } from '../schemas/common.js'
import type { FollowUp, OutboxEntry } from '../store/aggregate.js'
import { FANOUT_LEASE_MS, type FanoutRef } from '../store/fanout.js'
import type { Store } from '../store/store.js'
import { appendsOf, type RecipientAppend } from './recipients.js'

export interface Fanout {
  /** Publishes what waits, in the background. What fails is taken up by the sweeper of any node. */
  start(ref: FanoutRef): void
}

export interface FanoutParts {
  readonly store: Pick<Store, 'fanouts' | 'mailboxes'>
  readonly clock: Clock
  /** This process, among those that share the store. */
  readonly node: string
  /**
   * Begins a background task and logs its failure; if one of this name is at work, begins it once more afterwards. `closing` is aborted
   * when the node closes.
   */
  run(name: string, task: (closing: AbortSignal) => Promise<unknown>): void
  /** Decides for each device that watches a user whether it may see them. */
  judgeWatchers(user: string): (watcher: Endpoint) => Promise<boolean>
  /** Everything that was committed before this task has been published. */
  follow(ref: FanoutRef, task: FollowUp): void
}

/** Entries × recipients of a batch: a fraction of a second for Redis. With fewer entries each user's append would cost more than it carries. */
const APPENDS_MAX = 16_000
const ENTRIES_MAX = 64
const PAGE = 256
/** Events appended in one step, or a few more: Redis does nothing else in less than a millisecond. */
const STEP = 64
/** Steps under way at once: enough to keep Redis busy, and no more than others can wait for. */
const PARALLEL = 4
const RENEW_AFTER_MS = FANOUT_LEASE_MS / 4

export function createFanout(parts: FanoutParts): Fanout {
  return {
    start(ref) {
      parts.run(`fan out ${ref.kind} ${ref.id}`, closing => publish(parts, ref, closing))
    }
  }
}

/** Publishes until nothing waits, another node has the lease, or this node closes. */
async function publish(parts: FanoutParts, ref: FanoutRef, closing: AbortSignal): Promise<void> {
  const { store, clock, node } = parts
  const bounds = { node, appendsMax: APPENDS_MAX, entriesMax: ENTRIES_MAX, page: PAGE }
  let published: OutboxEntry | null = null
  let last: OutboxEntry | null = null
  let from: string | null = null
  let tasks: readonly FollowUp[] = []
  for (;;) {
    // A node that closes gives the lease back with the batch it has finished.
    const leaseMs = closing.aborted ? 0 : FANOUT_LEASE_MS
    const step = await store.fanouts.next(ref, { ...bounds, published, from, leaseMs, now: clock.now() })
    if (step.status === 'busy') return
    for (const task of tasks) parts.follow(ref, task)
    if (step.status === 'idle' || closing.aborted) return
    if (from === null) last = step.entries.at(-1) ?? null
    // What was committed meanwhile is for the next batch, on all pages.
    const entries = step.entries.filter(({ version }) => version <= (last?.version ?? 0))
    if (!(await appendAll(parts, ref, appendsOf(ref, { entries, recipients: step.recipients })))) return
    from = step.next
    if (from === null) published = last
    tasks = from === null ? entries.flatMap(followUpsIn) : []
  }
}

/** Renews the lease as appends are done: it lapses only if none is for as long. False: it was lost on the way. */
async function appendAll(
  { store, clock, node, judgeWatchers }: FanoutParts,
  ref: FanoutRef,
  appends: readonly RecipientAppend[]
): Promise<boolean> {
  const steps = inSteps(appends)
  const maySee = judgeWatchers(ref.id)
  let renewedAt = clock.now()
  let isLeased = true

  async function renew(): Promise<void> {
    const now = clock.now()
    if (now - renewedAt < RENEW_AFTER_MS) return
    renewedAt = now
    if (!(await store.fanouts.renew(ref, { node, leaseMs: FANOUT_LEASE_MS, now }))) isLeased = false
  }

  const isAudience = ({ user, watcher }: RecipientAppend) => watcher === undefined || maySee({ user, device: watcher })

  async function work(): Promise<void> {
    for (const step of steps) {
      if (!isLeased) return
      const isFor = await Promise.all(step.map(isAudience))
      await store.mailboxes.appendEach(
        step.filter((_, i) => isFor[i]),
        clock.now()
      )
      await renew()
    }
  }

  await Promise.all(Array.from({ length: PARALLEL }, work))
  return isLeased
}

function* inSteps(appends: readonly RecipientAppend[]): Generator<readonly RecipientAppend[]> {
  let step: RecipientAppend[] = []
  let size = 0
  for (const append of appends) {
    step.push(append)
    size += append.commits.reduce((sum, { entries }) => sum + entries.length, 0)
    if (size < STEP) continue
    yield step
    step = []
    size = 0
  }
  if (step.length > 0) yield step
}

const followUpsIn = ({ items }: OutboxEntry) => items.flatMap(item => (item.do === 'follow' ? [item.task] : []))
