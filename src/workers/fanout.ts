// Fan-out: publishes the log of a room, or of a watched user's presence, to the mailboxes of all recipients. One node at a time holds the
// fan-out lease. It publishes in bounded batches, oldest first, and renews the lease as it proceeds. If it dies, the timers of another
// node start the fan-out again, and mailboxes drop what they already have.
import type { Context } from '../services/context.js'
import { visibilityOf } from '../services/presence/visibility.js'
import { followUp } from '../services/room/after-publication.js'
import type { FollowUp, OutboxEntry } from '../store/aggregate.js'
import { FANOUT_LEASE_MS, type FanoutRef } from '../store/fanout.js'
import { appendsOf, type RecipientAppend } from './recipient-appends.js'

/** Entries × recipients of a batch: a fraction of a second for Redis. */
const APPENDS_MAX = 16_000
/** With fewer entries in a batch, an append to a user would cost more than the events in it. */
const ENTRIES_MAX = 64
const PAGE_SIZE = 256
/** Events appended in one command, or a few more: Redis is blocked for less than a millisecond. */
const STEP_EVENTS = 64
/** Commands sent at once: Redis always has one to execute, and other requests wait for at most these. */
const PARALLEL_STEPS = 4
const RENEW_AFTER_MS = FANOUT_LEASE_MS / 4

interface Publication {
  readonly context: Context
  readonly ref: FanoutRef
}

/** Publishes the log in a background task. After a failure the timers of any node start it again. */
export function startFanout(context: Context, ref: FanoutRef): void {
  context.background.runAgain(`fan out ${ref.kind} ${ref.id}`, closing => publish({ context, ref }, closing))
}

/** Publishes until the log is empty, another node has the lease, or this node closes. */
async function publish(publication: Publication, closing: AbortSignal): Promise<void> {
  const { context, ref } = publication
  const { store, clock, node } = context
  const bounds = { node, appendsMax: APPENDS_MAX, entriesMax: ENTRIES_MAX, page: PAGE_SIZE }
  let published: OutboxEntry | null = null
  let last: OutboxEntry | null = null
  let from: string | null = null
  let followUps: readonly FollowUp[] = []
  for (;;) {
    // A node that closes releases the lease together with the batch it has published.
    const leaseMs = closing.aborted ? 0 : FANOUT_LEASE_MS
    const step = await store.fanouts.next(ref, { ...bounds, published, from, leaseMs, now: clock.now() })
    if (step.status === 'busy') return
    for (const task of followUps) followUp(context, ref.id, task)
    if (step.status === 'idle' || closing.aborted) return
    if (from === null) last = step.entries.at(-1) ?? null
    // An entry committed after the first page was read belongs to the next batch, because earlier pages lack it.
    const entries = step.entries.filter(({ version }) => version <= (last?.version ?? 0))
    if (!(await appendAll(publication, appendsOf(ref, { entries, recipients: step.recipients })))) return
    from = step.next
    if (from === null) published = last
    followUps = from === null ? entries.flatMap(followUpsIn) : []
  }
}

/** Renews the lease between appends. False: the lease was lost, and the rest was not appended. */
async function appendAll(publication: Publication, appends: readonly RecipientAppend[]): Promise<boolean> {
  const { context, ref } = publication
  const steps = inSteps(appends)
  const isVisibleTo = visibilityOf(context, ref.id)
  const lease = leaseOf(publication)
  const isRecipient = ({ user, watcher }: RecipientAppend) =>
    watcher === undefined || isVisibleTo({ user, device: watcher })

  async function appendSteps(): Promise<void> {
    for (const step of steps) {
      if (!lease.isHeld()) return
      const included = await Promise.all(step.map(isRecipient))
      const allowed = step.filter((_, i) => included[i])
      await context.store.mailboxes.appendEach(allowed, context.clock.now())
      await lease.renew()
    }
  }

  await Promise.all(Array.from({ length: PARALLEL_STEPS }, appendSteps))
  return lease.isHeld()
}

/** The lease that this node holds now. */
function leaseOf({ context: { store, clock, node }, ref }: Publication) {
  let renewedAt = clock.now()
  let isHeld = true
  return {
    isHeld: () => isHeld,
    async renew(): Promise<void> {
      const now = clock.now()
      if (now - renewedAt < RENEW_AFTER_MS) return
      renewedAt = now
      if (!(await store.fanouts.renew(ref, { node, leaseMs: FANOUT_LEASE_MS, now }))) isHeld = false
    }
  }
}

function* inSteps(appends: readonly RecipientAppend[]): Generator<readonly RecipientAppend[]> {
  let step: RecipientAppend[] = []
  let size = 0
  for (const append of appends) {
    step.push(append)
    size += append.commits.reduce((sum, { entries }) => sum + entries.length, 0)
    if (size < STEP_EVENTS) continue
    yield step
    step = []
    size = 0
  }
  if (step.length > 0) yield step
}

const followUpsIn = ({ items }: OutboxEntry) => items.flatMap(item => (item.do === 'follow' ? [item.task] : []))
