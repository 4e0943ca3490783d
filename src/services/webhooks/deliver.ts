// Delivers webhook queues: each in order, at least once. The commit that makes an event queues it, and the committing node delivers at once.
// A queue whose node died, or whose back-off is over, is returned by the timers to any node. A lease keeps two nodes from one queue; a
// receiver still gets an event twice if a node dies between the reply and its record.
import { renderEvent } from '../../domain/webhook/message.js'
import type { WebhookOutcome } from '../../domain/webhook/outcome.js'
import { joinIds } from '../../id-text.js'
import { parseQueueId, type QueuedEvent, type WebhookQueueRef, type WebhookStep } from '../../store/webhook-queues.js'
import type { Context } from '../context.js'
import { attemptDelivery } from './attempt.js'
import { addDeadLetter } from './dead-letters.js'
import { type Destination, destinationsOf, refreshDisabled, TURN_EVENTS } from './destinations.js'

/** To record the outcome of a request that has timed out. */
const RECORD_MS = 5000
/**
 * A queue of a destination that this node does not know, as after a change of WEBHOOK_URLS, is looked at this seldom. Another node may know it.
 */
const UNKNOWN_DEFERRED_MS = 600_000

/** Called after a commit has queued events. Does nothing if the queue cannot be delivered now: the timers return it. */
export function startWebhookDelivery(context: Context, ref: WebhookQueueRef): void {
  const destination = destinationsOf(context).get(ref.destination)
  if (destination) accept(context, destination, ref)
}

/** The timers have found the queue due. */
export async function resumeWebhookQueue(context: Context, id: string): Promise<void> {
  const ref = parseQueueId(id)
  const destination = destinationsOf(context).get(ref.destination)
  if (destination === undefined) return deferUnknown(context, ref)
  if (!accept(context, destination, ref)) await defer({ context, destination, ref })
}

interface Delivery {
  readonly context: Context
  readonly destination: Destination
  readonly ref: WebhookQueueRef
}

const keyOf = ({ source }: WebhookQueueRef) => joinIds(source.kind, source.id)

/** Delivers the queue now or when it has its turn. False: neither. */
function accept(context: Context, destination: Destination, ref: WebhookQueueRef): boolean {
  const key = keyOf(ref)
  const running = destination.running.get(key)
  if (running) running.isAgain = true
  if (running || destination.waiting.has(key)) return true
  if (!destination.mayDeliver(context.clock.now())) return false
  if (destination.isFull) {
    if (!destination.canWait) return false
    destination.waiting.set(key, ref)
  } else run({ context, destination, ref })
  return true
}

function run(delivery: Delivery): void {
  const { context, destination, ref } = delivery
  const key = keyOf(ref)
  const running = { isAgain: false }
  destination.running.set(key, running)
  const isProbe = destination.disabledAt === null && destination.begin()
  const name = `deliver webhooks to ${destination.id}: ${key} ${context.ids.unique()}`
  context.background.run(name, async closing => {
    try {
      await deliverQueue(delivery, { isProbe, closing })
    } finally {
      destination.running.delete(key)
      if (isProbe && destination.health.isProbing) destination.releaseProbe()
      if (running.isAgain) accept(context, destination, ref)
      startWaiting(context, destination)
    }
  })
}

function startWaiting(context: Context, destination: Destination): void {
  const [next] = destination.waiting
  if (next === undefined || destination.isFull || context.background.closing.aborted) return
  destination.waiting.delete(next[0])
  accept(context, destination, next[1])
}

interface Turn {
  readonly isProbe: boolean
  /** Aborted when the node closes. */
  readonly closing: AbortSignal
}

/** Until the queue is empty, an event is to be tried again later, or others are to have their turn. */
async function deliverQueue(delivery: Delivery, turn: Turn): Promise<void> {
  const { context, destination, ref } = delivery
  if (destination.disabledAt !== null) await refreshDisabled(context)
  let done: string | null = null
  for (let count = 0; ; count++) {
    const step = await next(delivery, done)
    const [event] = step.status === 'batch' ? step.events : []
    if (step.status !== 'batch' || event === undefined) return
    if (turn.closing.aborted) return postpone(delivery, step.attempts, context.clock.now())
    if (isTurnOver(delivery, count)) {
      destination.waiting.set(keyOf(ref), ref)
      return postpone(delivery, step.attempts, context.clock.now())
    }
    if (!(await deliverEvent(delivery, { event, failures: step.attempts, ...turn }))) return
    done = event.position
  }
}

const isTurnOver = ({ destination }: Delivery, count: number): boolean =>
  count >= TURN_EVENTS && destination.waiting.size > 0 && destination.disabledAt === null

interface Attempted extends Turn {
  readonly event: QueuedEvent
  /** Of this event before. */
  readonly failures: number
}

/** True: the event is delivered, or will never be. */
async function deliverEvent(delivery: Delivery, attempted: Attempted): Promise<boolean> {
  const { context, destination, ref } = delivery
  const { event, failures, isProbe, closing } = attempted
  if (destination.disabledAt !== null) {
    await addDeadLetter(context, { ref, event, reason: 'disabled' })
    return true
  }
  // Another queue has failed meanwhile, and this one is not the probe.
  if (!isProbe && destination.health.probeAt !== null) {
    await postpone(delivery, failures, destination.nextDeferral(context.clock.now()))
    return false
  }
  const outcome = await attemptDelivery(delivery, { event, failures, closing })
  const now = context.clock.now()
  if (outcome.kind === 'aborted') {
    await postpone(delivery, failures, now)
    return false
  }
  if (isAnswered(event, outcome)) destination.succeeded()
  else destination.failed(keyOf(ref), isProbe, now)
  if (outcome.kind === 'retry') {
    await postpone(delivery, failures + 1, now + outcome.delayMs)
    return false
  }
  if (outcome.kind === 'disabled') await disable(delivery)
  if (outcome.kind !== 'delivered') await addDeadLetter(context, { ref, event, reason: outcome.kind })
  return true
}

/** The receiver is up. A gateway that is asked to wait by one push service asks so for that push only: those of other users are not delayed. */
const isAnswered = ({ type }: QueuedEvent, outcome: WebhookOutcome): boolean =>
  outcome.kind === 'delivered' ||
  outcome.kind === 'disabled' ||
  (type === 'push' && outcome.kind === 'retry' && outcome.isBusy)

async function disable({ context, destination }: Delivery): Promise<void> {
  destination.disabledAt = context.clock.now()
  await context.store.webhookQueues.disable(destination.id, destination.disabledAt)
  context.log.warn({ destination: destination.id }, 'webhook destination replied 410 and is disabled')
}

/** The queue cannot be delivered now. What is too old becomes a dead letter, because it may never get an attempt. */
async function defer(delivery: Delivery): Promise<void> {
  const { context, destination, ref } = delivery
  let done: string | null = null
  for (;;) {
    const step = await next(delivery, done)
    const [event] = step.status === 'batch' ? step.events : []
    if (step.status !== 'batch' || event === undefined) return
    const now = context.clock.now()
    const { queuedAt } = renderEvent(ref.source, event)
    if (now - queuedAt <= context.config.webhookGiveUpMs) {
      return postpone(delivery, step.attempts, destination.nextDeferral(now))
    }
    await addDeadLetter(context, { ref, event, reason: 'given_up' })
    done = event.position
  }
}

async function deferUnknown(context: Context, ref: WebhookQueueRef): Promise<void> {
  const step = await next({ context, ref }, null)
  if (step.status === 'batch')
    await postpone({ context, ref }, step.attempts, context.clock.now() + UNKNOWN_DEFERRED_MS)
}

/** One event at a time: it is marked as done before the next one is sent, so a node that dies repeats at most one event of a queue. */
async function next({ context, ref }: Pick<Delivery, 'context' | 'ref'>, done: string | null): Promise<WebhookStep> {
  const { store, clock, node, config, metrics } = context
  const leaseMs = config.webhookTimeoutMs + RECORD_MS
  const step = await store.webhookQueues.next(ref, { node, leaseMs, now: clock.now(), limit: 1, done })
  if (step.status === 'batch' && step.dropped > 0) metrics.webhooksDropped.inc({ reason: 'queue_full' }, step.dropped)
  return step
}

async function postpone(
  { context, ref }: Pick<Delivery, 'context' | 'ref'>,
  attempts: number,
  retryAt: number
): Promise<void> {
  const { store, clock, node } = context
  await store.webhookQueues.postpone(ref, { node, attempts, retryAt, done: null, now: clock.now() })
}
