// The rules of chat: who may send a message, how the room log keeps it, and the tokens of its pages.
import { AppError } from '../../errors.js'
import type { ChatMessage } from '../../schemas/chat.js'
import type { Actor } from '../../schemas/claims.js'
import { requireParticipant } from '../room/access.js'
import { participantRef, type RoomDecision, type RoomParts } from '../room/state.js'

/** A message as an entry of the room log. The entry has its id and version. */
export interface LoggedMessage {
  readonly from: ChatMessage['from']
  readonly content: string
  readonly sentAt: number
  /**
   * Names the room in which it was sent. A room that closed because it was empty, and was created anew under its id, goes on in the same
   * log; its participants must not see the messages of the earlier room.
   */
  readonly roomCreatedAt: number
}

export interface PostCommand {
  readonly actor: Actor
  readonly messageId: string
  readonly content: string
}

/** Reads partsOfAccess. @throws AppError not_in_room, not_permitted, banned, room_not_found, room_closed */
export function decidePost(
  parts: RoomParts,
  { actor, messageId, content }: PostCommand,
  now: number
): RoomDecision & { readonly logEntry: { readonly id: string; readonly value: LoggedMessage } } {
  const { settings, participant } = requireParticipant('chat', parts, { actor, now })
  const message: LoggedMessage = {
    from: participantRef(participant),
    content,
    sentAt: now,
    roomCreatedAt: settings.createdAt
  }
  const { version: _, ...data } = viewMessage({ roomId: parts.roomId, messageId, version: 0 }, message)
  return {
    writes: {},
    logEntry: { id: messageId, value: message },
    // The sender has the message from the reply.
    events: [{ to: { all: true, except: participant.participantId }, type: 'chat.message', data }]
  }
}

export const parseLoggedMessage = ({ value }: { readonly value: string }): LoggedMessage =>
  JSON.parse(value) as LoggedMessage

type MessageRef = Pick<ChatMessage, 'roomId' | 'messageId' | 'version'>

export function viewMessage(
  { roomId, messageId, version }: MessageRef,
  { from, content, sentAt }: LoggedMessage
): ChatMessage {
  return { roomId, messageId, from, content, sentAt: new Date(sentAt).toISOString(), version }
}

/** A page token: a version in the log of the room that was created at this time. */
export const formatPageToken = (roomCreatedAt: number, version: number): string =>
  Buffer.from(`${roomCreatedAt.toString(36)}.${version}`).toString('base64url')

/** @throws AppError invalid_page_token, also for a page token of an earlier room with this id */
export function parsePageToken(token: string, roomCreatedAt: number): number {
  const [createdAt, digits] = Buffer.from(token, 'base64url').toString('latin1').split('.')
  const version = Number(digits)
  if (createdAt !== roomCreatedAt.toString(36) || !Number.isSafeInteger(version))
    throw new AppError('invalid_page_token')
  // Several texts decode to the same values; only the one that formatPageToken makes is valid.
  if (formatPageToken(roomCreatedAt, version) !== token) throw new AppError('invalid_page_token')
  return version
}
