// Events that a destination did not get, kept for operators.
import { letterName, messageId, withReplay } from '../../domain/webhook/message.js'
import { AppError } from '../../errors.js'
import type { DeadLetter } from '../../store/dead-letters.js'
import type { QueuedEvent, WebhookEvent, WebhookQueueRef } from '../../store/webhook-queues.js'
import type { Context } from '../context.js'

/** `given_up`: it was not delivered in time. `disabled`: the destination was. */
export type DeadLetterReason = 'given_up' | 'disabled'

/** As it is stored. */
export interface WebhookDeadLetter {
  readonly reason: DeadLetterReason
  /** When it was added, ms. */
  readonly at: number
  readonly ref: WebhookQueueRef
  readonly event: WebhookEvent
}

export const parseDeadLetter = ({ text }: DeadLetter): WebhookDeadLetter => JSON.parse(text) as WebhookDeadLetter

const deadLetterId = (destination: string, name: string): string => `${destination}.${name}`

/** Adds the event to the list, which is bounded. The log names the event and never has its content. */
export async function addDeadLetter(
  context: Context,
  { ref, event, reason }: { ref: WebhookQueueRef; event: QueuedEvent; reason: DeadLetterReason }
): Promise<void> {
  const { store, clock, config, metrics, log } = context
  const { position: _, ...kept } = event
  const id = messageId(ref.source, event)
  const at = clock.now()
  const text = JSON.stringify({ reason, at, ref, event: kept } satisfies WebhookDeadLetter)
  const letter = { id: deadLetterId(ref.destination, letterName(ref.source, event)), text, now: at }
  if (!(await store.webhookDeadLetters.add(letter, config.webhookDeadLettersMax))) return
  metrics.webhookDeadLetters.inc({ destination: ref.destination, reason })
  log.warn(
    { destination: ref.destination, messageId: id, type: event.type, reason },
    'webhook not delivered; added to the dead letters'
  )
}

/** @throws AppError dead_letter_not_found */
export async function readDeadLetter(context: Context, destination: string, name: string): Promise<WebhookDeadLetter> {
  const letter = await findDeadLetter(context, destination, name)
  if (letter === null) throw new AppError('dead_letter_not_found')
  return letter
}

/** Null: there is none. */
export async function findDeadLetter(
  { store }: Context,
  destination: string,
  name: string
): Promise<WebhookDeadLetter | null> {
  const letter = await store.webhookDeadLetters.get(deadLetterId(destination, name))
  return letter === null ? null : parseDeadLetter(letter)
}

/** @throws AppError dead_letter_not_found */
export async function deleteDeadLetter(context: Context, destination: string, name: string): Promise<void> {
  if (!(await context.store.webhookDeadLetters.remove(deadLetterId(destination, name))))
    throw new AppError('dead_letter_not_found')
}

/** Of one command. */
const PAGE_SIZE = 200

export interface ListedLetter extends WebhookDeadLetter {
  /** In the list of all destinations: read those before it next. */
  readonly listedAt: number
}

/** Those of one destination, newest first. The list has the letters of all of them. */
export async function* lettersOf(
  { store }: Context,
  destination: string,
  before?: number | undefined
): AsyncGenerator<ListedLetter> {
  let bound = before === undefined ? {} : { before }
  for (;;) {
    const page = await store.webhookDeadLetters.list({ limit: PAGE_SIZE, ...bound })
    for (const stored of [...page].reverse()) {
      const letter = parseDeadLetter(stored)
      if (letter.ref.destination === destination) yield { ...letter, listedAt: stored.at }
    }
    // A short page is not the last one: letters of it may have been removed while it was read.
    const [oldest] = page
    if (oldest === undefined) return
    bound = { before: oldest.at }
  }
}

/** Queues the event of the letter again, behind what waits, and removes the letter. @throws AppError webhook_backlog_full */
export async function requeue(context: Context, { ref, event }: WebhookDeadLetter): Promise<void> {
  const { store, clock } = context
  const now = clock.now()
  const replayed = { ...event, envelope: withReplay(event.envelope, now) }
  if (!(await store.webhookQueues.append(ref, replayed, now))) throw new AppError('webhook_backlog_full')
  // A node that dies in between leaves the letter. If it is replayed again, the receiver gets the same message twice.
  await store.webhookDeadLetters.remove(deadLetterId(ref.destination, letterName(ref.source, event)))
}
