// The rules of an invitation: a participant makes a user's devices ring. A user has at most one invitation to a room.
//
//             accept · join
//   ringing ────────────────▶ accepted      lets in past the lock, until a moderator puts the user out
//      │ decline · cancel · time · the room closes
//      └────────────────────▶ declined · cancelled · expired · closed       forgotten after a while, as is accepted
import { AppError } from '../../errors.js'
import type { Actor } from '../../schemas/claims.js'
import type { Endpoint } from '../../schemas/common.js'
import type { IncomingInvitation, InvitationState, InviteRefusal } from '../../schemas/invitation.js'
import { endpoint } from '../endpoint.js'
import { isInForce, partsOfAccess, requireAccess, requireParticipant } from './access.js'
import {
  dropOldestEnded,
  dueAt,
  forgetInvitation,
  type InviteBounds,
  requireRoomForInvitations,
  ringingInvitations
} from './invitation-bounds.js'
import {
  type Banned,
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
  type Settings,
  viewRoom
} from './state.js'

export interface InviteCommand {
  readonly actor: Actor
  readonly invitees: readonly { readonly user: string; readonly invitationId: string }[]
  readonly metadata: Invitation['metadata']
  readonly ringMs: number
  /** Invitees who block the actor. */
  readonly mutedUsers?: readonly string[]
  readonly bounds: InviteBounds
}

/** What is read for it: who is in, and what was invited, beside what it stands on. */
export const partsReadForInvite = (command: InviteCommand): string[] => [
  ...partsOfInvite(command),
  PART.participantHeads,
  PART.invitation('')
]

/** What a decision to invite stands on. */
export const partsOfInvite = ({ actor, invitees }: Pick<InviteCommand, 'actor' | 'invitees'>): string[] => [
  ...partsOfAccess(actor),
  ...invitees.flatMap(({ user, invitationId }) => [
    PART.invitation(user),
    PART.ban(user),
    PART.invitationOwner(invitationId),
    PART.earlyCancel(invitationId)
  ])
]

/** @throws AppError invitation_id_taken, too_many_invitations and what access throws */
export function decideInvite(room: RoomParts, command: InviteCommand, now: number): RoomDecision {
  const { actor, metadata, ringMs } = command
  const { settings, participant } = requireParticipant('invite', room, { actor, now })
  if (settings.locked) requireAccess('inviteToLocked', room, { actor, now })
  const from = participantRef(participant)
  const usersInside = usersInRoom(room)
  const fresh = command.invitees.filter(invitee => isNewInvitation(room, { ...invitee, actor, usersInside }, now))
  if (fresh.length === 0) return NO_CHANGE
  requireRoomForInvitations(room, { ...command, added: fresh.length })

  const invited = fresh.map(({ user, invitationId }): Invitation => {
    const muted = command.mutedUsers?.includes(user) ? ({ isMuted: true } as const) : {}
    return { invitationId, user, from, metadata, until: now + ringMs, ended: null, ...muted }
  })
  // Unchanged settings are written too, so that a concurrent close or join conflicts and is decided with this invitation.
  const writes: Record<string, object | null> = {
    [PART.settings]: settings,
    ...dropOldestEnded(room, command.bounds, fresh.length)
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
  return { writes, events, deadlineAt: now + ringMs }
}

export const usersInRoom = (room: RoomParts): ReadonlySet<string> =>
  new Set(room.list<ParticipantHead>(PART.participantHeads).map(([, { user }]) => user))

/** Why no device of the user will ring; null when one may. */
export function inviteRefusal(
  room: RoomParts,
  { actor, user, usersInside }: Pick<InviteeCheck, 'actor' | 'user' | 'usersInside'>,
  now: number
): InviteRefusal | null {
  if (user === actor.user) return 'self'
  const ban = room.get<Banned>(PART.ban(user))
  if (ban && isInForce(ban, now)) return 'banned'
  return usersInside.has(user) ? 'in_room' : null
}

interface InviteeCheck {
  readonly user: string
  readonly invitationId: string
  readonly actor: Endpoint
  readonly usersInside: ReadonlySet<string>
}

/** False also for a repeat, for what was cancelled ahead, and for who is ringing already. @throws AppError invitation_id_taken */
function isNewInvitation(room: RoomParts, invitee: InviteeCheck, now: number): boolean {
  const { user, invitationId, actor } = invitee
  const named = room.get<InvitationOwner>(PART.invitationOwner(invitationId))
  const ahead = room.get<EarlyCancel>(PART.earlyCancel(invitationId))
  const isTaken = (named !== null && named.user !== user) || (ahead !== null && ahead.by.user !== actor.user)
  if (isTaken) throw new AppError('invitation_id_taken')
  if (named !== null || ahead !== null || inviteRefusal(room, invitee, now) !== null) return false
  return room.get<Invitation>(PART.invitation(user))?.ended !== null
}

export interface InvitationAnswer {
  readonly actor: Actor
  readonly invitationId: string
  readonly outcome: 'accepted' | 'declined'
}

/** Reads partsOfAccess. The first answer wins. @throws AppError invitation_not_found, invitation_ended and what access throws */
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

/** Its time has come: it rings no more, or was kept for long enough. Reads the user's invitation. */
export function decideExpiry(
  parts: RoomParts,
  { user, retentionMs }: { user: string; retentionMs: number },
  now: number
): RoomDecision {
  const invitation = parts.get<Invitation>(PART.invitation(user))
  if (invitation === null || dueAt(invitation, retentionMs) > now) return NO_CHANGE
  if (invitation.ended === null) return endInvitation(invitation, { reason: 'expired', by: null, at: now })
  return { writes: forgetInvitation(invitation), events: [] }
}

/** To join a room that rings is to accept. */
export function acceptOnJoin(
  parts: RoomParts,
  joined: RoomDecision,
  { actor, now }: { actor: Actor; now: number }
): RoomDecision {
  const invitation = parts.get<Invitation>(PART.invitation(actor.user))
  if (invitation?.ended !== null) return joined
  return mergeDecisions(joined, endInvitation(invitation, { reason: 'accepted', by: endpoint(actor), at: now }))
}

/** What is read for the end of a room, and what it stands on. */
export const partsReadForEnd: readonly string[] = [PART.settings, PART.empty, PART.invitation('')]
export const partsOfEnd = (room: RoomParts): string[] => [
  PART.settings,
  PART.empty,
  ...ringingInvitations(room).map(({ user }) => PART.invitation(user))
]

/** With the room all that rings in it ends. */
export function endAllInvitations(
  room: RoomParts,
  closed: RoomDecision,
  { by, now }: { by: Endpoint | null; now: number }
): RoomDecision {
  if (!closed.endsRoom) return closed
  return mergeDecisions(
    closed,
    ...ringingInvitations(room).map(each => endInvitation(each, { reason: 'closed', by, at: now }))
  )
}

/** With the removal of a user goes the invitation that would let them in again. */
export function withdrawInvitation(
  parts: RoomParts,
  removed: RoomDecision,
  { user, by, now }: { user: string; by: Endpoint; now: number }
): RoomDecision {
  const invitation = parts.get<Invitation>(PART.invitation(user))
  if (invitation?.ended === null)
    return mergeDecisions(removed, endInvitation(invitation, { reason: 'cancelled', by, at: now }))
  if (invitation?.ended.reason !== 'accepted') return removed
  return mergeDecisions(removed, { writes: forgetInvitation(invitation), events: [] })
}

/** What the inviter may know of who ended it: not which device declined. */
export const endedByForInviter = (ended: Invitation['ended']): Endpoint | null =>
  ended === null || ended.reason === 'declined' ? null : ended.by

/** Each device that rang and the one that invited hear of it once; the one that acts hears it from its reply. */
export function endInvitation(invitation: Invitation, ended: NonNullable<Invitation['ended']>): RoomDecision {
  const { invitationId, user, from, isMuted } = invitation
  const { reason, by } = ended
  const isAnswer = reason === 'accepted' || reason === 'declined'
  const told = (to: RoomEvent['to'], why: string, who: Endpoint | null): RoomEvent => ({
    to,
    type: 'room.invitation_ended',
    data: { invitationId, user, reason: why, by: who }
  })
  const toInvitee = { user, except: by?.user === user ? [by.device] : [] }
  const events = isMuted ? [] : [told(toInvitee, isAnswer ? `${reason}_elsewhere` : reason, by)]
  if (by?.user !== from.user || by.device !== from.device) {
    events.push(told({ user: from.user, device: from.device }, reason, endedByForInviter(ended)))
  }
  return { writes: { [PART.invitation(user)]: { ...invitation, metadata: {}, ended } }, events }
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
