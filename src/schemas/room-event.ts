// Every event about a room. Signals in a room are in event.ts, beside those of a call.
import { type TProperties, Type } from 'typebox'
import { ChatMessage, TypingRequest } from './chat.js'
import { InvitationId, Nullable, ParticipantId, RoomId, Strict, Timestamp, UserId } from './common.js'
import { dataOf } from './event.js'
import { IncomingInvitation, InvitationEndReason } from './invitation.js'
import {
  ActingDevice,
  CloseReason,
  LeaveReason,
  Participant,
  ParticipantRef,
  RoomRequest,
  UpdateParticipantRequest
} from './room.js'
import { Event } from './stream.js'

const Version = Type.Integer({ minimum: 1, description: 'The version of the room after this event.' })

function event<const T extends string, P extends TProperties>(name: string, type: T, description: string, data: P) {
  const inRoom = Type.Object({ roomId: RoomId(), ...data, version: Version }, { ...dataOf(name), ...Strict })
  return Event(type, inRoom, { name, description })
}

/** Not stored, so it has no version and no id: sent on open streams, and in the `notices` of a poll that is waiting. */
const ChatTyping = Type.Object(
  {
    type: Type.Literal('chat.typing'),
    timestamp: Timestamp('When it happened.'),
    data: Type.Object(
      { roomId: RoomId(), from: ParticipantRef, typing: TypingRequest.properties.typing },
      { ...dataOf('ChatTypingEvent'), ...Strict }
    )
  },
  {
    $id: 'ChatTypingEvent',
    description:
      'A participant started or stopped typing. Not stored: it has no id and is sent once, to connected devices only.',
    ...Strict
  }
)

const ActingDeviceOrNull = Nullable(ActingDevice, 'Who did it. Null if no user did, or the room service.')

export const ROOM_EVENTS = [
  event('RoomJoinedEvent', 'room.joined', 'Another device of yours joined a room.', { participant: Participant }),
  event('RoomParticipantJoinedEvent', 'room.participant_joined', 'A participant joined.', { participant: Participant }),
  event(
    'RoomParticipantUpdatedEvent',
    'room.participant_updated',
    'The role, metadata or connection of a participant changed.',
    { participant: Participant, by: ActingDeviceOrNull }
  ),
  event('RoomParticipantLeftEvent', 'room.participant_left', 'A participant left or was removed. It may be you.', {
    participantId: ParticipantId(),
    user: UserId('The user of the participant.'),
    reason: LeaveReason,
    by: ActingDeviceOrNull
  }),
  event('RoomMuteRequestedEvent', 'room.mute_requested', 'A moderator asks you to mute.', {
    participantId: ParticipantId(),
    mute: UpdateParticipantRequest.properties.mute,
    by: ActingDevice
  }),
  event('RoomUpdatedEvent', 'room.updated', 'The settings of the room changed.', {
    changes: RoomRequest,
    by: ActingDeviceOrNull
  }),
  event('RoomInvitationEvent', 'room.invitation', 'A user invites you to a room. Ring.', {
    ...IncomingInvitation.properties
  }),
  event('RoomInvitationEndedEvent', 'room.invitation_ended', 'The invitation is no longer active. Stop ringing.', {
    invitationId: InvitationId(),
    user: UserId('The invitee.'),
    reason: InvitationEndReason,
    by: Nullable(ActingDevice, 'Who ended it. Null if no user did, and for the inviter of a declined invitation.')
  }),
  event('RoomClosedEvent', 'room.closed', 'The room was closed.', { reason: CloseReason, by: ActingDeviceOrNull }),
  event('ChatMessageEvent', 'chat.message', 'A participant sent a chat message.', {
    messageId: ChatMessage.properties.messageId,
    from: ChatMessage.properties.from,
    content: ChatMessage.properties.content,
    sentAt: ChatMessage.properties.sentAt
  }),
  ChatTyping
] as const
