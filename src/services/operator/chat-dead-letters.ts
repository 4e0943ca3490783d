// What operators do with messages that the chat service did not get: list, read, replay and delete them.
import { deliverMessage } from '../../adapters/chat-service.js'
import { AppError } from '../../errors.js'
import type {
  ChatDeadLetter,
  ChatDeadLetterReply,
  ChatDeadLettersReply,
  ChatReplayReply
} from '../../schemas/admin-chat.js'
import type { PageQuery } from '../../schemas/admin-webhook.js'
import type { ChatMessage } from '../../schemas/chat.js'
import type { DeadLetter } from '../../store/dead-letters.js'
import type { Context } from '../context.js'

/** Of one request to replay all. */
const REPLAY_MAX = 100
/** It starts no further delivery after this time. */
const REPLAY_WITHIN_MS = 10_000
/** Of one command. */
const PAGE_SIZE = 200

/** The text of a letter, as chat/dead-letters.ts writes it. */
interface UndeliveredText {
  readonly reason: ChatDeadLetter['reason']
  readonly status?: number
  readonly at: string
  readonly message: ChatMessage
}

const textOf = ({ text }: DeadLetter): UndeliveredText => JSON.parse(text)

/** A letter is named by when it was added: that is different for each. */
function view(letter: DeadLetter): ChatDeadLetter {
  const { reason, status = null, at, message } = textOf(letter)
  const { roomId, messageId } = message
  return { deadLetterId: String(letter.at), roomId, messageId, reason, status, at }
}

/** Newest first. */
export async function listChatDeadLetters(
  { store }: Context,
  { before, limit = 100 }: PageQuery
): Promise<ChatDeadLettersReply> {
  const page = await store.deadLetters.list({ limit: limit + 1, ...(before ? { before: Number(before) } : {}) })
  const newest = [...page].reverse()
  const letters = newest.slice(0, limit)
  const last = letters.at(-1)
  return { deadLetters: letters.map(view), next: last && newest.length > limit ? String(last.at) : null }
}

/** @throws AppError dead_letter_not_found */
async function find({ store }: Context, deadLetterId: string): Promise<DeadLetter> {
  const at = Number(deadLetterId)
  const [letter] = await store.deadLetters.list({ limit: 1, before: at + 1 })
  if (letter?.at !== at) throw new AppError('dead_letter_not_found')
  return letter
}

/** With the message. @throws AppError dead_letter_not_found */
export async function getChatDeadLetter(context: Context, deadLetterId: string): Promise<ChatDeadLetterReply> {
  const letter = await find(context, deadLetterId)
  return { ...view(letter), message: textOf(letter).message }
}

/** @throws AppError dead_letter_not_found */
export async function deleteChatDeadLetter(context: Context, deadLetterId: string): Promise<void> {
  const { id } = await find(context, deadLetterId)
  if (!(await context.store.deadLetters.remove(id))) throw new AppError('dead_letter_not_found')
}

/** @throws AppError dead_letter_not_found, no_chat_service, chat_service_refused, chat_service_unavailable */
export async function replayChatDeadLetter(context: Context, deadLetterId: string): Promise<void> {
  const status = await replay(context, await find(context, deadLetterId))
  if (status !== null) throw new AppError('chat_service_refused', { detail: `The chat service replied with ${status}` })
}

/** Oldest first; those that the service refuses stay. @throws AppError no_chat_service, chat_service_unavailable */
export async function replayAllChatDeadLetters(
  context: Context,
  { after = '0' }: { readonly after?: string | undefined }
): Promise<ChatReplayReply> {
  requireChatService(context)
  const { clock } = context
  const letters = await lettersAfter(context, Number(after))
  const until = clock.now() + REPLAY_WITHIN_MS
  let [replayed, refused] = [0, 0]
  let last: DeadLetter | undefined
  for (const letter of letters) {
    if (replayed + refused === REPLAY_MAX || clock.now() >= until) break
    if ((await replay(context, letter)) === null) replayed++
    else refused++
    last = letter
  }
  return { replayed, refused, next: last && last !== letters.at(-1) ? String(last.at) : null }
}

/** Oldest first. */
async function lettersAfter({ store }: Context, after: number): Promise<DeadLetter[]> {
  const found: DeadLetter[] = []
  for (let before = Infinity; ; ) {
    const page = await store.deadLetters.list({ limit: PAGE_SIZE, ...(before < Infinity ? { before } : {}) })
    found.unshift(...page.filter(({ at }) => at > after))
    const [oldest] = page
    // A short page is not the last one: letters of it may have been removed while it was read.
    if (oldest === undefined || oldest.at <= after) return found
    before = oldest.at
  }
}

/** Null: the service has the message, and the letter is deleted. Else the status with which the service refused it. */
async function replay(context: Context, letter: DeadLetter): Promise<number | null> {
  requireChatService(context)
  const { config, metrics, store, background } = context
  const status = await deliverMessage(config, textOf(letter).message, background.closing).catch(error => {
    metrics.chatDeliveries.inc({ outcome: 'failed' })
    throw new AppError('chat_service_unavailable', { cause: error })
  })
  metrics.chatDeliveries.inc({ outcome: status === null ? 'delivered' : 'refused' })
  if (status === null) await store.deadLetters.remove(letter.id)
  return status
}

function requireChatService({ config }: Context): void {
  if (config.chatServiceUrl === null) throw new AppError('no_chat_service')
}
