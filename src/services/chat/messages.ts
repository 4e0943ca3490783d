// Chat messages of a room. The room log is the history: one commit writes a message to the log and its event for the other participants, so
// neither exists without the other.
import {
  decidePost,
  formatPageToken,
  parseLoggedMessage,
  parsePageToken,
  viewMessage
} from '../../domain/chat/messages.js'
import { partsOfAccess, requireAccess, requireParticipant } from '../../domain/room/access.js'
import { PART, type ParticipantHead, participantRef } from '../../domain/room/state.js'
import { AppError } from '../../errors.js'
import { idFromKey } from '../../ids.js'
import {
  type ChatMessage,
  CONTENT_MAX_BYTES,
  MESSAGES_LIMIT,
  type MessagesQuery,
  type MessagesReply,
  type PostMessageRequest,
  type TypingRequest
} from '../../schemas/chat.js'
import type { Actor } from '../../schemas/claims.js'
import type { LogEntry } from '../../store/rooms.js'
import { deliveryCost } from '../budgets.js'
import { refuseDerivedId } from '../chosen-id.js'
import type { Context } from '../context.js'
import { recordKeepalive } from '../device/keepalive.js'
import { envelopeOf, timestampOf } from '../mail.js'
import { readRoom } from '../room/parts.js'
import type { RoomPath } from '../room/paths.js'
import { changeRoom } from '../room/update-room.js'
import { queueMessage } from './deliver-to-service.js'

interface PostResult {
  readonly message: ChatMessage
  /** False: the log had the message already. */
  readonly isNew: boolean
}

/**
 * Sends a message to all participants. A repeat by the same user, with the same id or Idempotency-Key, returns the first message.
 * @throws AppError too_large, room_not_found, room_closed, not_in_room, not_permitted, message_id_taken, rate_limited, store_unavailable
 */
export async function postMessage(
  context: Context,
  actor: Actor,
  request: RoomPath & PostMessageRequest & { readonly idempotencyKey?: string | undefined }
): Promise<PostResult> {
  const { roomId, content, idempotencyKey } = request
  refuseDerivedId('messageId', request.messageId)
  const newId = () => (idempotencyKey ? idFromKey(actor.user, idempotencyKey, roomId) : context.ids.unique())
  const { messageId = newId() } = request
  if (Buffer.byteLength(content) > CONTENT_MAX_BYTES) {
    throw new AppError('too_large', { detail: `content is larger than ${CONTENT_MAX_BYTES} bytes as UTF-8` })
  }
  const basis = { roomId, parts: partsOfAccess(actor), payer: actor.user }
  const { decision, version, isRepeat, excess } = await changeRoom(context, basis, (room, now) =>
    decidePost(room, { actor, messageId, content }, now)
  )
  recordKeepalive(context, actor)
  const { value } = decision.logEntry
  if (!isRepeat) {
    queueMessage(context, roomId, excess)
    return { message: viewMessage({ roomId, messageId, version }, value), isNew: true }
  }
  const [logEntry] = await context.store.rooms.log(roomId, { after: version - 1, limit: 1 })
  // The entry was trimmed between the commit and this read, and its id with it: the message is new now.
  if (logEntry?.id !== messageId) return postMessage(context, actor, request)
  const first = parseLoggedMessage(logEntry)
  if (first.from.user !== actor.user || first.roomCreatedAt !== value.roomCreatedAt)
    throw new AppError('message_id_taken')
  return { message: view(roomId, logEntry), isNew: false }
}

/** The newest page, or the page before or after a page token. @throws AppError as postMessage, and invalid_page_token */
export async function listMessages(
  context: Context,
  actor: Actor,
  { roomId, before, after, limit = MESSAGES_LIMIT }: RoomPath & MessagesQuery
): Promise<MessagesReply> {
  const room = await readRoom(context, roomId, partsOfAccess(actor))
  const { createdAt: roomCreatedAt } = requireAccess('readChat', room, { actor, now: context.clock.now() }).settings
  const bounds = {
    ...(before === undefined ? {} : { before: parsePageToken(before, roomCreatedAt) }),
    ...(after === undefined ? {} : { after: parsePageToken(after, roomCreatedAt) })
  }
  // Messages of an earlier room with this id are not shown.
  const isOfThisRoom = (logEntry: LogEntry) => parseLoggedMessage(logEntry).roomCreatedAt === roomCreatedAt
  const read = async (options: typeof bounds, max: number) =>
    (await context.store.rooms.log(roomId, { ...options, limit: max })).filter(isOfThisRoom)

  const logEntries = await read(bounds, limit)
  // An empty page has no first and last message: it begins and ends at the bound that was asked for.
  const first = logEntries.at(0)?.version ?? (bounds.after === undefined ? bounds.before : bounds.after + 1)
  const last = logEntries.at(-1)?.version ?? (bounds.before === undefined ? bounds.after : bounds.before - 1)
  const [earlier, later] = await Promise.all([
    first === undefined ? [] : read({ before: first }, 1),
    last === undefined ? [] : read({ after: last }, 1)
  ])
  return {
    messages: logEntries.map(logEntry => view(roomId, logEntry)),
    before: first !== undefined && earlier.length > 0 ? formatPageToken(roomCreatedAt, first) : null,
    after: last !== undefined && later.length > 0 ? formatPageToken(roomCreatedAt, last) : null
  }
}

/** A notice to the participants who are connected at this moment; it is not stored. @throws AppError as postMessage */
export async function sendTyping(
  context: Context,
  actor: Actor,
  { roomId, typing }: RoomPath & TypingRequest
): Promise<void> {
  const room = await readRoom(context, roomId, [...partsOfAccess(actor), PART.participantHeads])
  const { participant } = requireParticipant('chat', room, { actor, now: context.clock.now() })
  const type = 'chat.typing'
  const timestamp = timestampOf(context.clock.now())
  const data = { roomId, from: participantRef(participant), typing }
  const envelope = envelopeOf({ type, timestamp, data })
  const others = room
    .list<ParticipantHead>(PART.participantHeads)
    .filter(([, other]) => other.participantId !== participant.participantId)
  await context.budgets.spend(actor.user, 'deliveries', deliveryCost(others.length, envelope.length))
  const { wakeups } = context.store
  await Promise.all(others.map(([, to]) => wakeups.notify(to.user, { device: to.device, type, envelope })))
  recordKeepalive(context, actor)
}

const view = (roomId: string, logEntry: LogEntry): ChatMessage =>
  viewMessage({ roomId, messageId: logEntry.id, version: logEntry.version }, parseLoggedMessage(logEntry))
