// Rooms as their participants see them, and the bodies of room operations.
import { type Static, Type } from 'typebox'
import { CallCursor, Media } from './call.js'
import { DeviceId, DurationMs, Metadata, Nullable, ParticipantId, RoomId, Strict, Timestamp, UserId } from './common.js'
import { ROOM_MEDIA } from './sfu.js'
import { MediaKind } from './sfu-rtp.js'

export const ROLES = ['host', 'moderator', 'speaker', 'listener'] as const
export const LEAVE_REASONS = ['left', 'removed', 'lost', 'replaced'] as const
export const CLOSE_REASONS = ['closed', 'empty'] as const
/** Far more than a mesh, and more than most SFUs support. */
export const ROOM_PARTICIPANTS_MAX = 10_000

export const Role = Type.Enum([...ROLES], {
  $id: 'Role',
  description:
    '`host` has all grants. `moderator` has all but `manage`. `speaker` has `join`, `signal`, `chat`, `publish` and `subscribe`. `listener` ' +
    'has `join`, `signal`, `chat` and `subscribe`.'
})
export type Role = Static<typeof Role>
export const DefaultRole = Type.Enum([...ROLES, 'none'], {
  $id: 'DefaultRole',
  description:
    'The role of users who have no role of their own. `none` makes the room members only: a user needs a role from the token or the room ' +
    'service, one given to them in the room, or an invitation, which makes them `speaker`.'
})
export type DefaultRole = Static<typeof DefaultRole>
export const LeaveReason = Type.Enum([...LEAVE_REASONS], {
  $id: 'LeaveReason',
  description:
    '`left`: the participant left. `removed`: by a moderator. `lost`: its device disconnected and did not come back in time. `replaced`: the ' +
    'same device joined anew.'
})
export type LeaveReason = Static<typeof LeaveReason>
export const CloseReason = Type.Enum([...CLOSE_REASONS], {
  $id: 'CloseReason',
  description: '`closed`: by a host. `empty`: the last participant left and none joined in time.'
})
export type CloseReason = Static<typeof CloseReason>

const Version = Type.Integer({
  minimum: 1,
  description: 'Increases with every change in the room. A higher version is newer.'
})
const MaxParticipants = Type.Integer({
  minimum: 1,
  maximum: ROOM_PARTICIPANTS_MAX,
  description: 'Maximum number of devices in the room.'
})
export const RoomMode = Type.Enum(['p2p', 'sfu'], {
  $id: 'RoomMode',
  description: '`p2p`: media flows directly between participants. `sfu`: through a media service.'
})
export type RoomMode = Static<typeof RoomMode>
const P2pFallback = Type.Boolean({
  description:
    'Whether a room in mode `sfu` with fewer than 4 participants becomes `p2p` while no media service is available.'
})
const CallType = Type.Enum(Media.enum, { $id: 'Media', description: 'What the room is for.' })
const Locked = Type.Boolean({ description: 'Whether only moderators and hosts may join.' })
const Record = Type.Boolean({
  description:
    'Whether the media of the room, in mode `sfu`, is to be recorded. Show it: all participants see it here and in `room.updated`. A recorder ' +
    'of the operator then joins, which is in no list.'
})

export const Room = Type.Object(
  {
    roomId: RoomId(),
    version: Version,
    mode: RoomMode,
    p2pFallback: P2pFallback,
    callType: CallType,
    locked: Locked,
    record: Record,
    maxParticipants: MaxParticipants,
    defaultRole: DefaultRole,
    createdAt: Timestamp('When it was created.'),
    createdBy: UserId('The user who created it.'),
    metadata: Metadata,
    participantCount: Type.Integer({ minimum: 0, description: 'Number of participants.' })
  },
  { $id: 'Room', description: 'A room and its settings.', ...Strict }
)
export type Room = Static<typeof Room>

export const Participant = Type.Object(
  {
    participantId: ParticipantId(),
    user: UserId(),
    device: DeviceId(),
    role: Role,
    away: Type.Boolean({
      description: 'Whether its device is disconnected. It leaves as `lost` if it does not come back in time.'
    }),
    joinedAt: Timestamp('When it joined.'),
    metadata: Metadata,
    via: Type.Optional(
      Type.Enum(['whip', 'whep'], {
        $id: 'ParticipantVia',
        description:
          'It publishes by WHIP, or views by WHEP: an encoder or player that receives no events and cannot be signaled to. Missing: an ordinary ' +
          'participant.'
      })
    )
  },
  { $id: 'Participant', description: 'One device in a room.', ...Strict }
)
export type Participant = Static<typeof Participant>

export const ParticipantRef = Type.Object(
  { participantId: ParticipantId(), user: UserId(), device: DeviceId() },
  { $id: 'ParticipantRef', description: 'A participant: its id in the room, its user and its device.', ...Strict }
)

/** A participant, or a user whose token allows it without being in the room. */
export const ActingDevice = Type.Object(
  { user: UserId(), device: DeviceId() },
  { $id: 'ActingDevice', description: 'The user and device that did it.', ...Strict }
)

export const RoomRequest = Type.Object(
  {
    mode: Type.Optional(RoomMode),
    p2pFallback: Type.Optional(P2pFallback),
    callType: Type.Optional(CallType),
    locked: Type.Optional(Locked),
    record: Type.Optional(Record),
    maxParticipants: Type.Optional(MaxParticipants),
    defaultRole: Type.Optional(DefaultRole),
    metadata: Type.Optional(Metadata)
  },
  { $id: 'RoomRequest', description: 'Settings of a room. What is left out stays as it is.', ...Strict }
)
export type RoomRequest = Static<typeof RoomRequest>
export const OfferOrder = Type.Array(ParticipantId(), {
  $id: 'OfferOrder',
  description:
    'Given when the mode becomes `p2p`: the participants in the order they joined. Each sends an offer to all that stand before it. ' +
    'A participant that is not listed has joined at the same moment and stands behind the last one.'
})
export const RoomReply = Type.Object(
  { room: Room, offerOrder: Type.Optional(OfferOrder) },
  { $id: 'RoomReply', ...Strict }
)
export type RoomReply = Static<typeof RoomReply>
export const RoomAndParticipants = Type.Object(
  { room: Room, participants: Type.Array(Participant), ...ROOM_MEDIA },
  { $id: 'RoomAndParticipants', ...Strict }
)
export type RoomAndParticipants = Static<typeof RoomAndParticipants>

export const JoinRoomRequest = Type.Object(
  {
    metadata: Type.Optional(Metadata),
    replace: Type.Optional(
      Type.Boolean({
        description:
          'Start a new participation if this device is in the room already, for example after a page reload. The old one leaves as `replaced`. ' +
          'By default the reply is the existing participation.'
      })
    )
  },
  { $id: 'JoinRoomRequest', ...Strict }
)
export type JoinRoomRequest = Static<typeof JoinRoomRequest>
export const JoinRoomReply = Type.Object(
  {
    room: Room,
    participantId: ParticipantId('Your participation.'),
    participants: Type.Array(Participant, {
      description: 'All participants, including you, in the order they joined.'
    }),
    ...ROOM_MEDIA,
    cursor: CallCursor
  },
  { $id: 'JoinRoomReply', ...Strict }
)
export type JoinRoomReply = Static<typeof JoinRoomReply>

export const UpdateParticipantRequest = Type.Object(
  {
    role: Type.Optional(Role),
    mute: Type.Optional(
      Type.Array(MediaKind, {
        minItems: 1,
        maxItems: 2,
        uniqueItems: true,
        description: 'Ask this participant to mute. Its client decides.'
      })
    ),
    metadata: Type.Optional(Metadata)
  },
  { $id: 'UpdateParticipantRequest', minProperties: 1, ...Strict }
)
export type UpdateParticipantRequest = Static<typeof UpdateParticipantRequest>
export const ParticipantReply = Type.Object({ participant: Participant }, { $id: 'ParticipantReply', ...Strict })

export const RemoveQuery = Type.Object({
  ban: Type.Optional(Type.Boolean({ description: 'Also keep the user out of the room, on all their devices.' })),
  banForMs: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 31_536_000_000,
      description: 'Duration of the ban. By default it lasts until it is removed.'
    })
  )
})
export type RemoveQuery = Static<typeof RemoveQuery>

export const Ban = Type.Object(
  {
    user: UserId('The banned user.'),
    by: Nullable(ActingDevice, 'Null: an operator of the server did.'),
    at: Timestamp('When the user was banned.'),
    expiresInMs: Nullable(DurationMs('Time left. Null if the ban lasts until it is removed.'))
  },
  { $id: 'Ban', description: 'A user who may not enter the room.', ...Strict }
)
export type Ban = Static<typeof Ban>
export const BansReply = Type.Object({ bans: Type.Array(Ban) }, { $id: 'BansReply', ...Strict })

export const JoinedRoom = Type.Object(
  {
    room: Room,
    participantId: ParticipantId('Your participation.'),
    device: DeviceId('Your device that is in the room.'),
    ...ROOM_MEDIA
  },
  { $id: 'JoinedRoom', description: 'A room that one of your devices is in.', ...Strict }
)
export type JoinedRoom = Static<typeof JoinedRoom>
