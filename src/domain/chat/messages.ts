// The rules of what is written in a room: who may write and read, what a message is in the room's log, and where a page of it begins.
import { AppError } from '../../errors.js'
import type { ChatMessage } from '../../schemas/chat.js'
import type { Actor } from '../../schemas/claims.js'
import { requireParticipant } from '../room/access.js'
import { participantRef, type RoomDecision, type RoomParts } from '../room/state.js'

/** A message as a entry of the room log; the entry has its id and version. */
export interface LoggedMessage {
  readonly from: ChatMessage['from']
  readonly content: string
  readonly sentAt: number
  /**
   * When the room began. A room that everybody left and somebody made anew goes on in the same log, and whoever is in it now has
   * no business with what was said before.
   */
  readonly roomSince: number
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
  const written: LoggedMessage = {
    from: participantRef(participant),
    content,
    sentAt: now,
    roomSince: settings.createdAt
  }
  const { version: _, ...data } = viewMessage({ roomId: parts.roomId, messageId, version: 0 }, written)
  return {
    writes: {},
    logEntry: { id: messageId, value: written },
    // Who wrote it knows it from the reply.
    events: [{ to: { all: true, except: participant.participantId }, type: 'chat.message', data }]
  }
}

/** The log keeps text. */
export const parseLoggedMessage = ({ value }: { readonly value: string }): LoggedMessage =>
  JSON.parse(value) as LoggedMessage

type MessageRef = Pick<ChatMessage, 'roomId' | 'messageId' | 'version'>

export function viewMessage(
  { roomId, messageId, version }: MessageRef,
  { from, content, sentAt }: LoggedMessage
): ChatMessage {
  return { roomId, messageId, from, content, sentAt: new Date(sentAt).toISOString(), version }
}

/** Where a page ends: a version, in this life of the room. */
export const formatPageCursor = (roomSince: number, version: number): string =>
  Buffer.from(`${roomSince.toString(36)}.${version}`).toString('base64url')

/** @throws AppError invalid_cursor, also for one of an earlier life of the room */
export function parsePageCursor(cursor: string, roomSince: number): number {
  const [since, version] = Buffer.from(cursor, 'base64url').toString('latin1').split('.')
  // Only the very text that was given out is taken.
  const place = Number(version)
  if (
    since !== roomSince.toString(36) ||
    !Number.isSafeInteger(place) ||
    formatPageCursor(roomSince, place) !== cursor
  ) {
    throw new AppError('invalid_cursor')
  }
  return place
}
