// Every event about a room. Signals in a room are in event.ts, beside those of a call.
import { type TProperties, Type } from 'typebox'
import { ChatMessage, TypingRequest } from './chat.js'
import { InvitationId, Nullable, ParticipantId, RoomId, Strict, Timestamp, UserId } from './common.js'
import { IncomingInvitation, InvitationEndReason } from './invitation.js'
import {
  ActingDevice,
  CloseReason,
  LeaveReason,
  OfferOrder,
  Participant,
  ParticipantRef,
  RoomRequest,
  UpdateParticipantRequest
} from './room.js'
import { dataNameOf, Event, eventNameOf } from './stream.js'

const Version = Type.Integer({ minimum: 1, description: 'The version of the room after this event.' })

/** An event of a room. */
function event<const T extends string, P extends TProperties>(type: T, description: string, data: P) {
  const inRoom = Type.Object({ roomId: RoomId(), ...data, version: Version }, { $id: dataNameOf(type), ...Strict })
  return Event(type, description, inRoom)
}

/** A notice: it has no version and no id, and is sent on open streams and in the `notices` of a waiting poll. */
const ChatTyping = Type.Object(
  {
    type: Type.Literal('chat.typing'),
    timestamp: Timestamp('When it happened.'),
    data: Type.Object(
      { roomId: RoomId(), from: ParticipantRef, typing: TypingRequest.properties.typing },
      { $id: dataNameOf('chat.typing'), ...Strict }
    )
  },
  {
    $id: eventNameOf('chat.typing'),
    description:
      'A participant started or stopped typing. Not stored: it has no id and is sent once, to connected devices only.',
    ...Strict
  }
)

const ActingDeviceOrNull = Nullable(ActingDevice, 'Who did it. Null if no user did, or the room service.')

export const ROOM_EVENTS = [
  event('room.joined', 'Another device of yours joined a room.', { participant: Participant }),
  event('room.participant_joined', 'A participant joined.', { participant: Participant }),
  event('room.participant_updated', 'The role, metadata or connection of a participant changed.', {
    participant: Participant,
    by: ActingDeviceOrNull
  }),
  event('room.participant_left', 'A participant left or was removed. It may be you.', {
    participantId: ParticipantId(),
    user: UserId('The user of the participant.'),
    reason: LeaveReason,
    by: ActingDeviceOrNull
  }),
  event('room.mute_requested', 'A moderator asks you to mute.', {
    participantId: ParticipantId(),
    mute: UpdateParticipantRequest.properties.mute,
    by: ActingDevice
  }),
  event('room.updated', 'The settings of the room changed.', {
    changes: RoomRequest,
    by: ActingDeviceOrNull,
    offerOrder: Type.Optional(OfferOrder)
  }),
  event('room.invitation', 'A user invites you to a room. Ring.', IncomingInvitation.properties),
  event('room.invitation_ended', 'The invitation is no longer active. Stop ringing.', {
    invitationId: InvitationId(),
    user: UserId('The invitee.'),
    reason: InvitationEndReason,
    by: Nullable(ActingDevice, 'Who ended it. Null if no user did, and for the inviter of a declined invitation.')
  }),
  event('room.closed', 'The room was closed.', { reason: CloseReason, by: ActingDeviceOrNull }),
  event('chat.message', 'A participant sent a chat message.', {
    messageId: ChatMessage.properties.messageId,
    from: ChatMessage.properties.from,
    content: ChatMessage.properties.content,
    sentAt: ChatMessage.properties.sentAt
  }),
  ChatTyping
] as const
