// Every event about a room, by its type: what stands in `data`. Signals in a room are in event.ts, beside those of a call.
import { type TProperties, Type } from 'typebox'
import { ChatMessage, TypingBody } from './chat.js'
import { Id, Nullable, Strict, Timestamp } from './common.js'
import { IncomingInvitation, InvitationEndReason, InvitationId } from './invitation.js'
import {
  By,
  CloseReason,
  LeaveReason,
  Participant,
  ParticipantBody,
  ParticipantId,
  RoomBody,
  RoomId,
  RoomPeer
} from './room.js'

const Version = Type.Integer({ minimum: 1, description: 'The version of the room this event made' })

function event<const T extends string, P extends TProperties>(name: string, type: T, description: string, data: P) {
  return Type.Object(
    {
      type: Type.Literal(type),
      timestamp: Timestamp('When it was decided'),
      data: Type.Object({ roomId: RoomId, ...data, version: Version }, { ...Strict })
    },
    { $id: name, description, ...Strict }
  )
}

/** Kept nowhere and so without a version: it goes by on open streams, without an id, and in the `notices` of a poll that waits. */
const ChatTyping = Type.Object(
  {
    type: Type.Literal('chat.typing'),
    timestamp: Timestamp('When it was said'),
    data: Type.Object({ roomId: RoomId, from: RoomPeer, typing: TypingBody.properties.typing }, { ...Strict })
  },
  {
    $id: 'ChatTypingEvent',
    description: 'A participant begins or ceases to write. Has no id, and is not repeated',
    ...Strict
  }
)

const SomebodyOrNobody = Nullable(By, 'Who did it; null when no user did, or the room service')

export const ROOM_EVENTS = [
  event('RoomJoinedEvent', 'room.joined', 'Another device of yours joined a room', { participant: Participant }),
  event('RoomParticipantJoinedEvent', 'room.participant_joined', 'A participant joined', { participant: Participant }),
  event('RoomParticipantUpdatedEvent', 'room.participant_updated', 'A participant went away, came back, or changed', {
    participant: Participant,
    by: SomebodyOrNobody
  }),
  event('RoomParticipantLeftEvent', 'room.participant_left', 'A participant, perhaps yourself, is no longer in', {
    participantId: ParticipantId,
    user: Id('Whose device it was', 'bob'),
    reason: LeaveReason,
    by: SomebodyOrNobody
  }),
  event('RoomMuteRequestedEvent', 'room.mute_requested', 'A moderator asks you to mute', {
    participantId: ParticipantId,
    mute: ParticipantBody.properties.mute,
    by: By
  }),
  event('RoomUpdatedEvent', 'room.updated', 'The room was changed', { changes: RoomBody, by: SomebodyOrNobody }),
  event('RoomInvitationEvent', 'room.invitation', 'A user invites you into a room; your device rings', {
    ...IncomingInvitation.properties
  }),
  event('RoomInvitationEndedEvent', 'room.invitation_ended', 'It rings no more, and why', {
    invitationId: InvitationId,
    user: Id('Who was asked in', 'bob'),
    reason: InvitationEndReason,
    by: Nullable(By, 'Who ended it; null when no user did, and to the inviter when the invitee declined')
  }),
  event('RoomClosedEvent', 'room.closed', 'The room is over', { reason: CloseReason, by: SomebodyOrNobody }),
  event('ChatMessageEvent', 'chat.message', 'A participant wrote a message', {
    messageId: ChatMessage.properties.messageId,
    from: ChatMessage.properties.from,
    content: ChatMessage.properties.content,
    sentAt: ChatMessage.properties.sentAt
  }),
  ChatTyping
] as const
