// One attempt to deliver a webhook event, and what is recorded of it.
import type { OutgoingReply } from '../../adapters/outgoing.js'
import { sendWebhook } from '../../adapters/webhooks.js'
import { formatNote } from '../../domain/call/notes.js'
import { messageId, type RenderedEvent, renderEvent } from '../../domain/webhook/message.js'
import { judgeReply, type WebhookOutcome } from '../../domain/webhook/outcome.js'
import type { QueuedEvent, WebhookQueueRef } from '../../store/webhook-queues.js'
import type { Context } from '../context.js'
import { type RenderedPush, removeGone, renderPush } from '../push/render-push.js'
import type { Destination } from './destinations.js'
import { recordAttempt, recordNote } from './records.js'

export interface DeliveryTarget {
  readonly context: Context
  readonly destination: Destination
  readonly ref: WebhookQueueRef
}

interface AttemptedEvent {
  readonly event: QueuedEvent
  /** Of this event before. */
  readonly failures: number
  readonly closing: AbortSignal
}

/** `aborted`: the node closes, and the outcome is unknown. */
export type AttemptOutcome = WebhookOutcome | { readonly kind: 'aborted' }

/** A request that runs when the node closes has this long to end. */
const CLOSING_MS = 2000

/** Sends the event once, and records the outcome in the delivery log, the metrics and the notes of the call. */
export async function attemptDelivery(
  target: DeliveryTarget,
  { event, failures, closing }: AttemptedEvent
): Promise<AttemptOutcome> {
  const { context, ref } = target
  const { clock, config } = context
  const startedAt = clock.now()
  const rendered = renderEvent(ref.source, event)
  const push = event.type === 'push' ? await renderPush(context, rendered.body) : undefined
  if (push === null) return { kind: 'delivered' }
  const id = messageId(ref.source, event)
  const { reply, error } = await send(target, { id, body: push?.body ?? rendered.body, now: startedAt }, closing)
  if (reply === null && closing.aborted) return { kind: 'aborted' }
  const now = clock.now()
  const outcome = judgeReply(
    reply === null ? null : { status: reply.status, retryAfter: reply.retryAfter ?? null },
    { failures, ageMs: now - rendered.queuedAt, random: Math.random(), now },
    { retryMaxMs: config.webhookRetryMaxMs, giveUpMs: config.webhookGiveUpMs }
  )
  if (push && outcome.kind === 'delivered') await noteGone(target, push, reply?.text ?? '')
  record(target, event, { id, rendered, outcome, failures, now, durationMs: now - startedAt, reply, error })
  return outcome
}

/** A fault of the store is no reason to send the push again: the next one finds the same subscriptions gone. */
async function noteGone({ context, ref }: DeliveryTarget, push: RenderedPush, reply: string): Promise<void> {
  const removed = await removeGone(context, push, reply).catch(error => {
    context.log.debug({ err: error }, 'push subscriptions that are gone not removed')
    return 0
  })
  const note = { type: 'push', event: 'push', outcome: 'gone' } as const
  if (removed > 0) recordNote(context, ref.source.id, formatNote(note, context.clock.now()))
}

interface SendResult {
  readonly reply: OutgoingReply | null
  /** Why there is no reply. */
  readonly error: string | null
}

async function send(
  { context: { config }, destination: { url, keys } }: DeliveryTarget,
  message: Parameters<typeof sendWebhook>[2],
  closing: AbortSignal
): Promise<SendResult> {
  const { signal, release } = soonAfter(closing)
  try {
    return { reply: await sendWebhook(config, { url, keys, signal }, message), error: null }
  } catch (error) {
    return { reply: null, error: (error as Error).message }
  } finally {
    release()
  }
}

/** A signal that is aborted CLOSING_MS after the given one. */
function soonAfter(closing: AbortSignal): { readonly signal: AbortSignal; release(): void } {
  const controller = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const start = () => {
    timer = setTimeout(() => controller.abort(), CLOSING_MS)
  }
  if (closing.aborted) start()
  else closing.addEventListener('abort', start, { once: true })
  const release = () => {
    clearTimeout(timer)
    closing.removeEventListener('abort', start)
  }
  return { signal: controller.signal, release }
}

interface Attempt extends SendResult {
  readonly id: string
  readonly rendered: RenderedEvent
  readonly outcome: WebhookOutcome
  readonly failures: number
  readonly now: number
  readonly durationMs: number
}

const RESULTS = { delivered: 'delivered', retry: 'failed', given_up: 'given_up', disabled: 'disabled' } as const

function record({ context, destination, ref }: DeliveryTarget, { type }: QueuedEvent, attempt: Attempt): void {
  const { id, rendered, outcome, failures, now, durationMs, reply, error } = attempt
  const result = RESULTS[outcome.kind]
  context.metrics.webhookDeliveries.inc({ destination: destination.id, outcome: result })
  if (result === 'delivered') context.metrics.webhookLagSeconds.observe(Math.max(0, now - rendered.at) / 1000)
  recordAttempt(context, destination.id, {
    at: new Date(now).toISOString(),
    messageId: id,
    type,
    ...{ source: ref.source, attempt: failures + 1, outcome: result, status: reply?.status ?? null, error, durationMs }
  })
  if (result === 'failed' && destination.shouldWarn(now)) {
    const why = reply === null ? { error } : { status: reply.status }
    context.log.warn(
      { destination: destination.id, messageId: id, type, ...why },
      'webhook not delivered; it is sent again'
    )
  }
  // The first failure and the end: later failures would fill the timeline.
  if (ref.source.kind === 'call' && (failures === 0 || result !== 'failed')) {
    const note = {
      type: type === 'push' ? ('push' as const) : ('webhook' as const),
      event: type,
      attempt: failures + 1
    }
    const kept = result === 'disabled' ? 'given_up' : result
    recordNote(context, ref.source.id, formatNote({ ...note, outcome: kept }, now))
  }
}
