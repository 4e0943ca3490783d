// What operators do with webhooks: see what state they are in, enable a destination, read its deliveries, and replay dead letters.
import { letterName, messageId, renderEvent } from '../../domain/webhook/message.js'
import { AppError } from '../../errors.js'
import type {
  DeadLetterReply,
  DeadLettersReply,
  DeadLetterView,
  DeliveriesReply,
  PageQuery,
  ReplayReply,
  WebhookDelivery,
  WebhooksReply,
  WebhookView
} from '../../schemas/admin-webhook.js'
import { DELIVERY_LOG } from '../../store/line-logs.js'
import type { Context } from '../context.js'
import {
  findDeadLetter,
  lettersOf,
  readDeadLetter,
  deleteDeadLetter as removeLetter,
  requeue,
  type WebhookDeadLetter
} from './dead-letters.js'
import { startWebhookDelivery } from './deliver.js'
import { type Destination, destinationsOf, refreshDisabled } from './destinations.js'
import { writeRecords } from './records.js'

/** Of one request to replay all. */
const REPLAY_MAX = 1000

export async function listWebhooks(context: Context): Promise<WebhooksReply> {
  const { queues, dueAt } = await context.store.webhookQueues.backlog()
  await refreshDisabled(context)
  return {
    webhooks: [...destinationsOf(context).values()].map(view),
    backlog: { queues, dueAt: dueAt === null ? null : timestamp(dueAt) }
  }
}

/** @throws AppError webhook_not_found */
export async function enableWebhook(context: Context, webhookId: string): Promise<WebhookView> {
  const destination = find(context, webhookId)
  await context.store.webhookQueues.enable(destination.id)
  destination.enable()
  return view(destination)
}

/** Newest first. @throws AppError webhook_not_found */
export async function listDeliveries(
  context: Context,
  webhookId: string,
  { before, limit = 100 }: PageQuery
): Promise<DeliveriesReply> {
  const { id } = find(context, webhookId)
  await writeRecords(context)
  const lines = await context.store.deliveryLog.list(id, DELIVERY_LOG.max)
  const attempts = lines.map(line => JSON.parse(line) as WebhookDelivery).reverse()
  const start = before === undefined ? 0 : 1 + attempts.findIndex(attempt => tokenOf(attempt) === before)
  // The attempt that the token names has left the log, and all older ones with it.
  const deliveries = before !== undefined && start === 0 ? [] : attempts.slice(start, start + limit)
  const last = deliveries.at(-1)
  const hasMore = start + deliveries.length < attempts.length
  return { deliveries, next: last && hasMore ? tokenOf(last) : null }
}

const tokenOf = ({ messageId: id, attempt, at }: WebhookDelivery) => `${id}.${attempt}.${Date.parse(at)}`

/** Newest first. @throws AppError webhook_not_found */
export async function listDeadLetters(
  context: Context,
  webhookId: string,
  { before, limit = 100 }: PageQuery
): Promise<DeadLettersReply> {
  const { id } = find(context, webhookId)
  const deadLetters: DeadLetterView[] = []
  let last = 0
  for await (const letter of lettersOf(context, id, before === undefined ? undefined : Number(before))) {
    if (deadLetters.length === limit) return { deadLetters, next: String(last) }
    deadLetters.push(viewLetter(letter))
    last = letter.listedAt
  }
  return { deadLetters, next: null }
}

/** With the event. @throws AppError webhook_not_found, dead_letter_not_found */
export async function getDeadLetter(
  context: Context,
  { webhookId, deadLetterId }: LetterPath
): Promise<DeadLetterReply> {
  const letter = await readDeadLetter(context, find(context, webhookId).id, deadLetterId)
  return { ...viewLetter(letter), event: JSON.parse(renderEvent(letter.ref.source, letter.event).body) }
}

interface LetterPath {
  readonly webhookId: string
  readonly deadLetterId: string
}

/** @throws AppError webhook_not_found, dead_letter_not_found, webhook_disabled, webhook_backlog_full */
export async function replayDeadLetter(context: Context, { webhookId, deadLetterId }: LetterPath): Promise<void> {
  const destination = findEnabled(context, webhookId)
  await replay(context, await readDeadLetter(context, destination.id, deadLetterId))
}

/** @throws AppError webhook_not_found, dead_letter_not_found */
export async function deleteDeadLetter(context: Context, path: LetterPath): Promise<void> {
  await removeLetter(context, find(context, path.webhookId).id, path.deadLetterId)
}

/** Oldest first, at most REPLAY_MAX. @throws AppError webhook_not_found, webhook_disabled, webhook_backlog_full */
export async function replayAll(context: Context, webhookId: string): Promise<ReplayReply> {
  const destination = findEnabled(context, webhookId)
  const { id } = destination
  // Their texts are read again one by one: all together they may be large.
  const names: string[] = []
  for await (const { ref, event } of lettersOf(context, id)) names.push(letterName(ref.source, event))
  const oldest = names.reverse().slice(0, REPLAY_MAX)
  let [replayed, gone] = [0, 0]
  for (const name of oldest) {
    // The first ones may have got a 410 already.
    if (destination.disabledAt !== null) break
    const letter = await findDeadLetter(context, id, name)
    // Another operator has replayed or deleted it meanwhile.
    if (letter === null) gone++
    else {
      await replay(context, letter)
      replayed++
    }
  }
  return { replayed, left: names.length - replayed - gone }
}

async function replay(context: Context, letter: WebhookDeadLetter): Promise<void> {
  await requeue(context, letter)
  startWebhookDelivery(context, letter.ref)
}

function find(context: Context, webhookId: string): Destination {
  const found = destinationsOf(context).get(webhookId)
  if (found === undefined) throw new AppError('webhook_not_found')
  return found
}

/** To a disabled destination nothing is sent: the events would become dead letters again. */
function findEnabled(context: Context, webhookId: string): Destination {
  const found = find(context, webhookId)
  if (found.disabledAt !== null) throw new AppError('webhook_disabled')
  return found
}

const timestamp = (at: number) => new Date(at).toISOString()

/** Of the URL only the origin: the rest may be confidential. */
function view({ id, url, types, disabledAt, health, running, waiting }: Destination): WebhookView {
  const state = health.probeAt === null ? 'up' : 'paused'
  return {
    webhookId: id,
    origin: new URL(url).origin,
    types: [...types],
    state: disabledAt === null ? state : 'disabled',
    disabledAt: disabledAt === null ? null : timestamp(disabledAt),
    delivering: running.size,
    waiting: waiting.size
  }
}

function viewLetter({ reason, at, ref: { source }, event }: WebhookDeadLetter): DeadLetterView {
  return {
    deadLetterId: letterName(source, event),
    messageId: messageId(source, event),
    type: event.type,
    source: { kind: source.kind, id: source.id },
    reason,
    at: timestamp(at)
  }
}
