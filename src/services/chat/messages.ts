// Writing in a room, and reading what was written. The room's log is the history: a message is committed as an entry of it
// together with the event that tells the others, so neither is ever without the other.
import {
  decidePost,
  formatPageCursor,
  parseLoggedMessage,
  parsePageCursor,
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
  type MessagesResponse,
  type PostMessageRequest,
  type TypingRequest
} from '../../schemas/chat.js'
import type { Actor } from '../../schemas/claims.js'
import type { LogEntry } from '../../store/rooms.js'
import { deliveryCost } from '../budgets.js'
import { refuseDerivedId } from '../chosen-id.js'
import type { Context } from '../context.js'
import { recordKeepalive } from '../device/keepalive.js'
import { readRoom } from '../room/parts.js'
import type { RoomPath } from '../room/paths.js'
import { changeRoom } from '../room/update-room.js'
import { queueMessage } from './deliver-to-service.js'

interface PostResult {
  readonly message: ChatMessage
  /** False: it was there already. */
  readonly isNew: boolean
}

/**
 * Writes to everybody in the room. A repeat with the same id (or Idempotency-Key) by the same user answers with the first message.
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
  const {
    decision,
    version,
    isRepeat: known,
    excess
  } = await changeRoom(context, basis, (room, now) => decidePost(room, { actor, messageId, content }, now))
  recordKeepalive(context, actor)
  const { value } = decision.logEntry
  if (!known) {
    queueMessage(context, roomId, excess)
    return { message: viewMessage({ roomId, messageId, version }, value), isNew: true }
  }
  const [logEntry] = await context.store.rooms.log(roomId, { after: version - 1, limit: 1 })
  // It fell out of the history at this moment, and so did its id.
  if (logEntry?.id !== messageId) return postMessage(context, actor, request)
  const first = parseLoggedMessage(logEntry)
  if (first.from.user !== actor.user || first.roomSince !== value.roomSince) throw new AppError('message_id_taken')
  return { message: view(roomId, logEntry), isNew: false }
}

/** The newest page, or the one before or after a cursor. @throws AppError as postMessage, and invalid_cursor */
export async function listMessages(
  context: Context,
  actor: Actor,
  { roomId, before, after, limit = MESSAGES_LIMIT }: RoomPath & MessagesQuery
): Promise<MessagesResponse> {
  const room = await readRoom(context, roomId, partsOfAccess(actor))
  const { createdAt: roomSince } = requireAccess('readChat', room, { actor, now: context.clock.now() }).settings
  const bounds = {
    ...(before === undefined ? {} : { before: parsePageCursor(before, roomSince) }),
    ...(after === undefined ? {} : { after: parsePageCursor(after, roomSince) })
  }
  const isOurs = (logEntry: LogEntry) => parseLoggedMessage(logEntry).roomSince === roomSince
  const read = async (options: typeof bounds, most: number) =>
    (await context.store.rooms.log(roomId, { ...options, limit: most })).filter(isOurs)

  const logEntries = await read(bounds, limit)
  // Of an empty page the edges are where it would stand.
  const first = logEntries.at(0)?.version ?? (bounds.after === undefined ? bounds.before : bounds.after + 1)
  const last = logEntries.at(-1)?.version ?? (bounds.before === undefined ? bounds.after : bounds.before - 1)
  const [earlier, later] = await Promise.all([
    first === undefined ? [] : read({ before: first }, 1),
    last === undefined ? [] : read({ after: last }, 1)
  ])
  return {
    messages: logEntries.map(logEntry => view(roomId, logEntry)),
    before: first !== undefined && earlier.length > 0 ? formatPageCursor(roomSince, first) : null,
    after: last !== undefined && later.length > 0 ? formatPageCursor(roomSince, last) : null
  }
}

/** Said to those in the room who listen at this moment, and kept nowhere. @throws AppError as postMessage */
export async function sendTyping(
  context: Context,
  actor: Actor,
  { roomId, typing }: RoomPath & TypingRequest
): Promise<void> {
  const room = await readRoom(context, roomId, [...partsOfAccess(actor), PART.participantHeads])
  const { participant } = requireParticipant('chat', room, { actor, now: context.clock.now() })
  const type = 'chat.typing'
  const timestamp = new Date(context.clock.now()).toISOString()
  const data = { roomId, from: participantRef(participant), typing }
  const envelope = JSON.stringify({ type, timestamp, data })
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
