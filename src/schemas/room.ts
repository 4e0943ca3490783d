// Rooms as their participants see them, and the bodies of what can be done in one.
import { type Static, Type } from 'typebox'
import { Media } from './call.js'
import { DurationMs, Id, Metadata, Nullable, Strict, Timestamp } from './common.js'

export const ROLES = ['host', 'moderator', 'speaker', 'listener'] as const
export const LEAVE_REASONS = ['left', 'removed', 'lost', 'replaced'] as const
export const CLOSE_REASONS = ['closed', 'empty'] as const
/** More than one node's sockets hold, and more than a mesh or most SFUs bear. */
export const ROOM_PARTICIPANTS_MAX = 10_000

export const RoomId = Id('Room id, chosen by the user who joins or creates it first', 'standup')
export const ParticipantId = Id('Names one participation: a device that leaves and joins again gets another', 'p-5XbW')
export const Role = Type.Enum([...ROLES], {
  description:
    '`host` may do everything; `moderator` all but change and close the room; `speaker` signals, chats and publishes; `listener` ' +
    'signals and chats'
})
export type Role = Static<typeof Role>
export const DefaultRole = Type.Enum([...ROLES, 'none'], {
  description:
    'The role of a user who has none of their own. `none`: members only. Then a user needs a role from the token or the room ' +
    'service, one that was given to them in the room, or an invitation, which makes them `speaker`'
})
export type DefaultRole = Static<typeof DefaultRole>
export const LeaveReason = Type.Enum([...LEAVE_REASONS], {
  description:
    '`left` by itself; `removed` by a moderator; `lost`: its device did not come back in time; `replaced` by a new ' +
    'participation of the same device'
})
export type LeaveReason = Static<typeof LeaveReason>
export const CloseReason = Type.Enum([...CLOSE_REASONS], {
  description: '`closed` by a host; `empty`: the last one out did not come back in time'
})
export type CloseReason = Static<typeof CloseReason>

const Version = Type.Integer({ minimum: 1, description: 'Increases with everything that happens in the room' })
const MaxParticipants = Type.Integer({ minimum: 1, maximum: ROOM_PARTICIPANTS_MAX, description: 'Devices at once' })
const Mode = Type.Enum(['p2p', 'sfu'], { description: 'How media flows: from each to each, or through a media server' })
const CallType = Type.Enum(Media.enum, { description: 'What the room is meant for' })
const Locked = Type.Boolean({ description: 'Only moderators and hosts may join' })

export const Room = Type.Object(
  {
    roomId: RoomId,
    version: Version,
    mode: Mode,
    callType: CallType,
    locked: Locked,
    maxParticipants: MaxParticipants,
    defaultRole: DefaultRole,
    createdAt: Timestamp('When it was created'),
    createdBy: Id('The user who created it', 'alice'),
    metadata: Metadata,
    participantCount: Type.Integer({ minimum: 0, description: 'Devices in it now' })
  },
  { $id: 'Room', description: 'A room', ...Strict }
)
export type Room = Static<typeof Room>

export const Participant = Type.Object(
  {
    participantId: ParticipantId,
    user: Id('User id', 'alice'),
    device: Id('Device id', 'phone'),
    role: Role,
    away: Type.Boolean({ description: 'Its stream broke; it is given a moment to come back' }),
    joinedAt: Timestamp('When it joined'),
    metadata: Metadata
  },
  { $id: 'Participant', description: 'One device in a room', ...Strict }
)
export type Participant = Static<typeof Participant>

export const RoomPeer = Type.Object(
  { participantId: ParticipantId, user: Id('User id', 'alice'), device: Id('Device id', 'phone') },
  { $id: 'RoomPeer', description: 'Which participant a signal is from', ...Strict }
)

/** Who did it: a participant, or somebody whose token allows it from outside. */
export const By = Type.Object(
  { user: Id('User id', 'alice'), device: Id('Device id', 'phone') },
  { $id: 'By', description: 'The user who did this', ...Strict }
)

export const RoomBody = Type.Object(
  {
    mode: Type.Optional(Mode),
    callType: Type.Optional(CallType),
    locked: Type.Optional(Locked),
    maxParticipants: Type.Optional(MaxParticipants),
    defaultRole: Type.Optional(DefaultRole),
    metadata: Type.Optional(Metadata)
  },
  { $id: 'RoomBody', examples: [{ callType: 'video', maxParticipants: 12 }], ...Strict }
)
export type RoomBody = Static<typeof RoomBody>
export const RoomReply = Type.Object({ room: Room }, { $id: 'RoomReply', ...Strict })
export const RoomAndParticipants = Type.Object(
  { room: Room, participants: Type.Array(Participant) },
  { $id: 'RoomAndParticipants', ...Strict }
)
export type RoomAndParticipants = Static<typeof RoomAndParticipants>

export const JoinBody = Type.Object(
  {
    metadata: Type.Optional(Metadata),
    replace: Type.Optional(
      Type.Boolean({
        description:
          'A device that has lost what it knew, after a page was reloaded, say, takes part anew: its old participation leaves as ' +
          '`replaced`. Without it, joining again answers with the old one.'
      })
    )
  },
  { $id: 'JoinBody', examples: [{ metadata: { name: 'Alice' } }], ...Strict }
)
export type JoinBody = Static<typeof JoinBody>
export const JoinReply = Type.Object(
  {
    room: Room,
    participantId: ParticipantId,
    participants: Type.Array(Participant, {
      description: 'Everybody in the room, you among them, in the order they joined'
    }),
    cursor: Type.String({ description: 'A stream opened from here misses nothing of the room' })
  },
  { $id: 'JoinReply', ...Strict }
)
export type JoinReply = Static<typeof JoinReply>

export const ParticipantBody = Type.Object(
  {
    role: Type.Optional(Role),
    mute: Type.Optional(
      Type.Array(Type.Enum(['audio', 'video']), {
        minItems: 1,
        maxItems: 2,
        uniqueItems: true,
        description: 'Asks this participant to mute; its client decides'
      })
    ),
    metadata: Type.Optional(Metadata)
  },
  { $id: 'ParticipantBody', minProperties: 1, examples: [{ mute: ['audio'] }], ...Strict }
)
export type ParticipantBody = Static<typeof ParticipantBody>
export const ParticipantReply = Type.Object({ participant: Participant }, { $id: 'ParticipantReply', ...Strict })

export const RemoveQuery = Type.Object(
  {
    ban: Type.Optional(Type.Boolean({ description: 'Keeps the user out, on every device' })),
    banForMs: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 31_536_000_000, description: 'For how long; without it, until unbanned' })
    )
  },
  { ...Strict }
)
export type RemoveQuery = Static<typeof RemoveQuery>

export const Ban = Type.Object(
  {
    user: Id('Who is kept out', 'mallory'),
    by: By,
    at: Timestamp('Since when'),
    expiresInMs: Nullable(DurationMs('For how much longer'), 'Null: until unbanned')
  },
  { $id: 'Ban', description: 'A user who is kept out', ...Strict }
)
export type Ban = Static<typeof Ban>
export const BansReply = Type.Object({ bans: Type.Array(Ban) }, { $id: 'BansReply', ...Strict })

export const RoomSeat = Type.Object(
  { room: Room, participantId: ParticipantId, device: Id('Your device that is in it', 'phone') },
  { $id: 'RoomSeat', description: 'A room, and which participant of it a device is', ...Strict }
)
export type RoomSeat = Static<typeof RoomSeat>
