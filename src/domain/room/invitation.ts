// The rules of invitations. All devices of the invited user ring. A user has at most one invitation to a room.
//
//             accept · join
//   ringing ────────────────▶ accepted      the user may join a locked room, until a moderator removes them
//      │ decline · cancel · timeout · the room closes
//      └────────────────────▶ declined · cancelled · expired · closed       deleted after a while, as is accepted
import { AppError } from '../../errors.js'
import type { Actor } from '../../schemas/claims.js'
import type { Endpoint } from '../../schemas/common.js'
import type { IncomingInvitation, InvitationState, InviteRefusal } from '../../schemas/invitation.js'
import { endpoint } from '../endpoint.js'
import { isInForce, partsOfAccess, requireAccess, requireParticipant } from './access.js'
import {
  deleteInvitation,
  deleteOldestEnded,
  dueAt,
  type InviteBounds,
  requireRoomForInvitations
} from './invitation-bounds.js'
import { endInvitation } from './invitation-end.js'
import {
  type BanRecord,
  type EarlyCancel,
  type Invitation,
  type InvitationOwner,
  mergeDecisions,
  NO_CHANGE,
  PART,
  type ParticipantHead,
  participantRef,
  type RoomDecision,
  type RoomEvent,
  type RoomParts,
  type Settings
} from './state.js'
import { viewRoom } from './view.js'

export interface Invitee {
  readonly user: string
  readonly invitationId: string
  /** What the policy says of this invitation, instead of what the command says of all. */
  readonly metadata?: Invitation['metadata']
  readonly ringMs?: number
}

export interface InviteCommand {
  readonly actor: Actor
  readonly invitees: readonly Invitee[]
  readonly metadata: Invitation['metadata']
  readonly ringMs: number
  /** Invitees who block the actor. */
  readonly mutedUsers?: readonly string[]
  readonly bounds: InviteBounds
}

/** The parts that decideInvite reads: those it relies on, the participants and all invitations. */
export const partsReadForInvite = (command: InviteCommand): string[] => [
  ...partsOfInvite(command),
  PART.participantHeads,
  PART.invitation('')
]

/** The parts that decideInvite relies on. */
export const partsOfInvite = ({ actor, invitees }: Pick<InviteCommand, 'actor' | 'invitees'>): string[] => [
  ...partsOfAccess(actor),
  ...invitees.flatMap(({ user, invitationId }) => [
    PART.invitation(user),
    PART.ban(user),
    PART.invitationOwner(invitationId),
    PART.earlyCancel(invitationId)
  ])
]

/** @throws AppError invitation_id_taken, too_many_invitations and what requireAccess throws */
export function decideInvite(room: RoomParts, command: InviteCommand, now: number): RoomDecision {
  const { actor } = command
  const { settings, participant } = requireParticipant('invite', room, { actor, now })
  if (settings.locked) requireAccess('inviteToLocked', room, { actor, now })
  const from = participantRef(participant)
  const usersInside = usersInRoom(room)
  const fresh = command.invitees.filter(invitee => isNewInvitation(room, { ...invitee, actor, usersInside }, now))
  if (fresh.length === 0) return NO_CHANGE
  requireRoomForInvitations(room, { ...command, added: fresh.length })

  const invited = fresh.map(
    ({ user, invitationId, metadata = command.metadata, ringMs = command.ringMs }): Invitation => {
      const muted = command.mutedUsers?.includes(user) ? ({ isMuted: true } as const) : {}
      return { invitationId, user, from, metadata, until: now + ringMs, ended: null, ...muted }
    }
  )
  // Unchanged settings are written too, so that a concurrent close or join conflicts and is decided with this invitation.
  const writes: Record<string, object | null> = {
    [PART.settings]: settings,
    ...deleteOldestEnded(room, command.bounds, fresh.length)
  }
  for (const invitation of invited) {
    const before = room.get<Invitation>(PART.invitation(invitation.user))
    if (before) writes[PART.invitationOwner(before.invitationId)] = null
    writes[PART.invitation(invitation.user)] = invitation
    writes[PART.invitationOwner(invitation.invitationId)] = { user: invitation.user }
  }
  const events = invited
    .filter(({ isMuted }) => !isMuted)
    .map(
      (invitation): RoomEvent => ({
        to: { user: invitation.user, except: [] },
        type: 'room.invitation',
        data: { ...viewIncoming(room, invitation, { settings, now }) }
      })
    )
  return { writes, events, deadlineAt: Math.min(...invited.map(({ until }) => until)) }
}

export const usersInRoom = (room: RoomParts): ReadonlySet<string> =>
  new Set(room.list<ParticipantHead>(PART.participantHeads).map(([, { user }]) => user))

/** Why the user may not be invited; null: they may. */
export function inviteRefusal(
  room: RoomParts,
  { actor, user, usersInside }: Pick<InviteeCheck, 'actor' | 'user' | 'usersInside'>,
  now: number
): InviteRefusal | null {
  if (user === actor.user) return 'self'
  const ban = room.get<BanRecord>(PART.ban(user))
  if (ban && isInForce(ban, now)) return 'banned'
  return usersInside.has(user) ? 'in_room' : null
}

interface InviteeCheck {
  readonly user: string
  readonly invitationId: string
  readonly actor: Endpoint
  readonly usersInside: ReadonlySet<string>
}

/**
 * False for a repeat, an early cancel, a refused user, and a user for whom an invitation rings already.
 * @throws AppError invitation_id_taken
 */
function isNewInvitation(room: RoomParts, invitee: InviteeCheck, now: number): boolean {
  const { user, invitationId, actor } = invitee
  const owner = room.get<InvitationOwner>(PART.invitationOwner(invitationId))
  const cancel = room.get<EarlyCancel>(PART.earlyCancel(invitationId))
  const isTaken = (owner !== null && owner.user !== user) || (cancel !== null && cancel.by.user !== actor.user)
  if (isTaken) throw new AppError('invitation_id_taken')
  if (owner !== null || cancel !== null || inviteRefusal(room, invitee, now) !== null) return false
  return room.get<Invitation>(PART.invitation(user))?.ended !== null
}

export interface InvitationAnswer {
  readonly actor: Actor
  readonly invitationId: string
  readonly outcome: 'accepted' | 'declined'
}

/** Reads partsOfAccess. The first answer wins. @throws AppError invitation_not_found, invitation_ended and what requireAccess throws */
export function decideAnswer(
  parts: RoomParts,
  { actor, invitationId, outcome }: InvitationAnswer,
  now: number
): RoomDecision {
  const by = endpoint(actor)
  const invitation = parts.get<Invitation>(PART.invitation(actor.user))
  if (invitation?.invitationId !== invitationId || invitation.isMuted) throw new AppError('invitation_not_found')
  const { ended } = invitation
  if (ended?.reason === outcome && ended.by?.device === by.device) return NO_CHANGE
  if (ended !== null) throw new AppError('invitation_ended', { extra: { currentState: ended.reason } })
  if (outcome === 'accepted') requireAccess('accept', parts, { actor, now })
  return endInvitation(invitation, { reason: outcome, by, at: now })
}

/** Ends an invitation that has rung for long enough, and deletes an ended one. Reads PART.invitation. */
export function decideExpiry(
  parts: RoomParts,
  { user, retentionMs }: { user: string; retentionMs: number },
  now: number
): RoomDecision {
  const invitation = parts.get<Invitation>(PART.invitation(user))
  if (invitation === null || dueAt(invitation, retentionMs) > now) return NO_CHANGE
  if (invitation.ended === null) return endInvitation(invitation, { reason: 'expired', by: null, at: now })
  return { writes: deleteInvitation(invitation), events: [] }
}

/** A user who joins accepts their ringing invitation. */
export function acceptOnJoin(
  parts: RoomParts,
  joining: RoomDecision,
  { actor, now }: { actor: Actor; now: number }
): RoomDecision {
  const invitation = parts.get<Invitation>(PART.invitation(actor.user))
  if (invitation?.ended !== null) return joining
  return mergeDecisions(joining, endInvitation(invitation, { reason: 'accepted', by: endpoint(actor), at: now }))
}

export function viewInvitation({ invitationId, user, until, ended }: Invitation, now: number): InvitationState {
  const expiresInMs = ended ? 0 : Math.max(0, until - now)
  return { invitationId, user, state: ended?.reason ?? 'ringing', by: ended?.by ?? null, expiresInMs }
}

export function viewIncoming(
  room: RoomParts,
  { invitationId, from, metadata, until }: Invitation,
  { settings, now }: { settings: Settings; now: number }
): IncomingInvitation {
  const view = viewRoom(room, settings)
  return { roomId: room.roomId, invitationId, from, room: view, metadata, expiresInMs: Math.max(0, until - now) }
}
