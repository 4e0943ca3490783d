// Invitations: asking users into a room, as the one who asks, the one who is asked, and their devices see it.
import { type Static, Type } from 'typebox'
import { Delivery, DurationMs, Id, Metadata, Nullable, Strict } from './common.js'
import { By, Room, RoomId, RoomPeer } from './room.js'

export const INVITATION_ENDS = ['accepted', 'declined', 'cancelled', 'expired', 'closed'] as const
export type InvitationEnd = (typeof INVITATION_ENDS)[number]

export const InvitationId = Id('Chosen by the inviter, or made by the server', 'inv-8Kq2')

export const InviteBody = Type.Object(
  {
    users: Type.Array(Id('User id', 'bob'), {
      minItems: 1,
      maxItems: 50,
      uniqueItems: true,
      description: 'Whom to ask'
    }),
    ringTimeoutMs: Type.Optional(
      Type.Integer({ minimum: 5000, maximum: 90_000, description: 'How long to ring; RING_TIMEOUT_MS by default' })
    ),
    metadata: Type.Optional(Metadata),
    invitationId: Type.Optional(InvitationId)
  },
  {
    $id: 'InviteBody',
    description: '`invitationId` goes with one user; for several, an Idempotency-Key makes a retry harmless',
    examples: [{ users: ['bob', 'carol'] }],
    ...Strict
  }
)
export type InviteBody = Static<typeof InviteBody>

const State = Type.Enum(['ringing', ...INVITATION_ENDS], {
  description: '`ringing`, or how it ended: `closed` is the room that closed, `cancelled` by who invited or a moderator'
})

export const InvitationState = Type.Object(
  {
    invitationId: InvitationId,
    user: Id('Who is asked in', 'bob'),
    state: State,
    by: Nullable(
      By,
      'Who ended it; null while it rings, when no user did, and to the inviter when the invitee declined'
    ),
    expiresInMs: DurationMs('How long it will go on ringing; 0 when it rings no more')
  },
  { $id: 'InvitationState', description: 'Where an invitation stands', ...Strict }
)
export type InvitationState = Static<typeof InvitationState>

export const SentInvitation = Type.Object(
  { ...InvitationState.properties, delivery: Delivery },
  { $id: 'SentInvitation', description: 'An invitation, and how many devices it rings', ...Strict }
)
export type SentInvitation = Static<typeof SentInvitation>

export const INVITE_REFUSALS = ['self', 'in_room', 'banned', 'policy', 'rate_limited'] as const
export type InviteRefusal = (typeof INVITE_REFUSALS)[number]

export const InviteReply = Type.Object(
  {
    invitations: Type.Array(SentInvitation, {
      description: 'Users who were ringing already keep the invitation they have; so does a repeat with the same id'
    }),
    refused: Type.Array(
      Type.Object(
        {
          user: Id('Who was not asked', 'mallory'),
          reason: Type.Enum([...INVITE_REFUSALS], {
            description:
              'It is you; they are in the room already; they are banned from it; the policy service says no; ' +
              'you have rung them too often, or they have declined just now'
          }),
          detail: Type.Optional(Type.String({ description: 'What the policy service says to it' }))
        },
        { ...Strict }
      )
    )
  },
  { $id: 'InviteReply', ...Strict }
)
export type InviteReply = Static<typeof InviteReply>

export const DeclineReply = Type.Object({ invitation: InvitationState }, { $id: 'DeclineReply', ...Strict })
export const AcceptInvitationReply = Type.Object(
  {
    invitation: InvitationState,
    cursor: Type.String({ description: 'A stream opened from here misses nothing of the room you are about to join' })
  },
  { $id: 'AcceptInvitationReply', ...Strict }
)
export type AcceptInvitationReply = Static<typeof AcceptInvitationReply>

/** What the invitee is told, by event and in the snapshot. */
export const IncomingInvitation = Type.Object(
  {
    roomId: RoomId,
    invitationId: InvitationId,
    from: RoomPeer,
    room: Room,
    metadata: Metadata,
    expiresInMs: DurationMs('How long it will go on ringing')
  },
  { $id: 'IncomingInvitation', description: 'A user invites you into a room, and your devices ring', ...Strict }
)
export type IncomingInvitation = Static<typeof IncomingInvitation>

export const InvitationEndReason = Type.Enum([...INVITATION_ENDS, 'accepted_elsewhere', 'declined_elsewhere'], {
  description: 'Why it rings no more. `…_elsewhere`: another device of yours answered; `closed`: the room is over'
})
