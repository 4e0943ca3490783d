// The rules of what is written in a room: who may write and read, what a message is in the room's log, and where a page of it begins.
import { AppError } from '../../errors.js'
import type { ChatMessage } from '../../schemas/chat.js'
import type { Actor } from '../../schemas/claims.js'
import { mustBeAllowedInside } from '../room/access.js'
import { participation, type RoomDecision, type RoomParts } from '../room/state.js'

/** A message as a line of the log; the line has its id and version. */
export interface Written {
  readonly from: ChatMessage['from']
  readonly content: string
  readonly sentAt: number
  /**
   * When the room began. A room that everybody left and somebody made anew goes on in the same log, and whoever is in it now has
   * no business with what was said before.
   */
  readonly roomSince: number
}

export interface Post {
  readonly actor: Actor
  readonly messageId: string
  readonly content: string
}

/** Reads partsOfAccess. @throws AppError not_in_room, not_permitted, banned, room_not_found, room_closed */
export function post(
  parts: RoomParts,
  { actor, messageId, content }: Post,
  now: number
): RoomDecision & { readonly line: { readonly id: string; readonly value: Written } } {
  const { settings, member } = mustBeAllowedInside('chat', parts, { actor, now })
  const written: Written = {
    from: participation(member),
    content,
    sentAt: now,
    roomSince: settings.createdAt
  }
  const { version: _, ...data } = viewMessage({ roomId: parts.roomId, messageId, version: 0 }, written)
  return {
    writes: {},
    line: { id: messageId, value: written },
    // Who wrote it knows it from the reply.
    events: [{ to: { all: true, except: member.participantId }, type: 'chat.message', data }]
  }
}

/** The log keeps text. */
export const writtenIn = ({ value }: { readonly value: string }): Written => JSON.parse(value) as Written

type Place = Pick<ChatMessage, 'roomId' | 'messageId' | 'version'>

export function viewMessage({ roomId, messageId, version }: Place, { from, content, sentAt }: Written): ChatMessage {
  return { roomId, messageId, from, content, sentAt: new Date(sentAt).toISOString(), version }
}

/** Where a page ends: a version, in this life of the room. */
export const formatPlace = (roomSince: number, version: number): string =>
  Buffer.from(`${roomSince.toString(36)}.${version}`).toString('base64url')

/** @throws AppError invalid_cursor, also for one of an earlier life of the room */
export function parsePlace(cursor: string, roomSince: number): number {
  const [since, version] = Buffer.from(cursor, 'base64url').toString('latin1').split('.')
  // Only the very text that was given out is taken.
  const place = Number(version)
  if (since !== roomSince.toString(36) || !Number.isSafeInteger(place) || formatPlace(roomSince, place) !== cursor) {
    throw new AppError('invalid_cursor')
  }
  return place
}
