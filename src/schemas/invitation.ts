// Invitations to a room, as the inviter, the invitee and their devices see them.
import { type Static, Type } from 'typebox'
import { CallCursor } from './call.js'
import { Delivery, DurationMs, InvitationId, Metadata, Nullable, RoomId, Strict, UserId } from './common.js'
import { ActingDevice, ParticipantRef, Room } from './room.js'

export const INVITATION_ENDS = ['accepted', 'declined', 'cancelled', 'expired', 'closed'] as const
export type InvitationEnd = (typeof INVITATION_ENDS)[number]

export const InviteUsersRequest = Type.Object(
  {
    users: Type.Array(UserId(), {
      minItems: 1,
      maxItems: 50,
      uniqueItems: true,
      description: 'The users to invite.'
    }),
    ringTimeoutMs: Type.Optional(
      Type.Integer({ minimum: 5000, maximum: 90_000, description: 'How long to ring. `RING_TIMEOUT_MS` by default.' })
    ),
    metadata: Type.Optional(Metadata),
    invitationId: Type.Optional(
      InvitationId('For one user only. A retry with the same id returns the same invitation.')
    )
  },
  {
    $id: 'InviteUsersRequest',
    description: 'For one user a retry is safe with an `invitationId`, for several with the header `Idempotency-Key`.',
    ...Strict
  }
)
export type InviteUsersRequest = Static<typeof InviteUsersRequest>

const State = Type.Enum(['ringing', ...INVITATION_ENDS], {
  $id: 'InvitationStatus',
  description:
    '`ringing`: active. `accepted`, `declined`: by the invitee. `cancelled`: by the inviter or a moderator. `expired`: the ring time ran ' +
    'out. `closed`: the room was closed.'
})

export const InvitationState = Type.Object(
  {
    invitationId: InvitationId(),
    user: UserId('The invitee.'),
    state: State,
    by: Nullable(
      ActingDevice,
      'Who ended it. Null while it is ringing, if no user ended it, and for the inviter of a declined invitation.'
    ),
    expiresInMs: DurationMs('Ring time left. 0 when it has ended.')
  },
  { $id: 'InvitationState', description: 'An invitation and its state.', ...Strict }
)
export type InvitationState = Static<typeof InvitationState>

export const SentInvitation = Type.Object(
  { ...InvitationState.properties, delivery: Delivery },
  { $id: 'SentInvitation', description: 'An invitation, and how many devices it reached.', ...Strict }
)
export type SentInvitation = Static<typeof SentInvitation>

export const INVITE_REFUSALS = ['self', 'in_room', 'banned', 'policy', 'rate_limited'] as const
export type InviteRefusal = (typeof INVITE_REFUSALS)[number]

const RefusedInvitation = Type.Object(
  {
    user: UserId('The user who was not invited.'),
    reason: Type.Enum([...INVITE_REFUSALS], {
      $id: 'InviteRefusal',
      description:
        '`self`: it is you. `in_room`: the user is in the room already. `banned`: the user is banned from it. `policy`: the policy service ' +
        'refused. `rate_limited`: you have rung the user too often, or the user has just declined.'
    }),
    detail: Type.Optional(Type.String({ description: 'The explanation of the policy service.' }))
  },
  { $id: 'RefusedInvitation', description: 'A user who could not be invited, and why.', ...Strict }
)

export const InviteUsersReply = Type.Object(
  {
    invitations: Type.Array(SentInvitation, {
      description:
        'One for each user who was invited. A user whose invitation is ringing already keeps it; so does a retry.'
    }),
    refused: Type.Array(RefusedInvitation, { description: 'The users who were not invited.' })
  },
  { $id: 'InviteUsersReply', ...Strict }
)
export type InviteUsersReply = Static<typeof InviteUsersReply>

export const DeclineInvitationReply = Type.Object(
  { invitation: InvitationState },
  { $id: 'DeclineInvitationReply', ...Strict }
)
export const AcceptInvitationReply = Type.Object(
  {
    invitation: InvitationState,
    cursor: CallCursor
  },
  { $id: 'AcceptInvitationReply', ...Strict }
)
export type AcceptInvitationReply = Static<typeof AcceptInvitationReply>

/** What the invitee receives, by event and in the snapshot. */
export const IncomingInvitation = Type.Object(
  {
    roomId: RoomId(),
    invitationId: InvitationId(),
    from: ParticipantRef,
    room: Room,
    metadata: Metadata,
    expiresInMs: DurationMs('Ring time left.')
  },
  { $id: 'IncomingInvitation', description: 'An invitation that is ringing for you.', ...Strict }
)
export type IncomingInvitation = Static<typeof IncomingInvitation>

export const InvitationEndReason = Type.Enum([...INVITATION_ENDS, 'accepted_elsewhere', 'declined_elsewhere'], {
  $id: 'InvitationEndReason',
  description:
    'Why the invitation is no longer active. `accepted_elsewhere`, `declined_elsewhere`: another device of yours answered. `closed`: the room ' +
    'was closed.'
})
