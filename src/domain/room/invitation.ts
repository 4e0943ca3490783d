// The rules of an invitation: somebody in a room has a user's devices ring. A user has one invitation to a room at a time.
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
import { isInForce, mustBeAllowed, mustBeAllowedInside, partsOfAccess } from './access.js'
import { dueAt, forget, type InviteBounds, mustFit, ringing, withoutOldest } from './invitation-bounds.js'
import {
  type Ahead,
  type Banned,
  type Invitation,
  type MemberHead,
  type Named,
  NOTHING,
  PART,
  participation,
  type RoomDecision,
  type RoomEvent,
  type RoomParts,
  type Settings,
  together,
  viewRoom
} from './state.js'

export interface Invite {
  readonly actor: Actor
  readonly invitees: readonly { readonly user: string; readonly invitationId: string }[]
  readonly metadata: Invitation['metadata']
  readonly ringMs: number
  /** Invitees who block the actor. */
  readonly muted?: readonly string[]
  readonly bounds: InviteBounds
}

/** What is read for it: who is in, and what was invited, beside what it stands on. */
export const readOfInvite = (command: Invite): string[] => [
  ...partsOfInvite(command),
  PART.memberHeads,
  PART.invited('')
]

/** What a decision to invite stands on. */
export const partsOfInvite = ({ actor, invitees }: Pick<Invite, 'actor' | 'invitees'>): string[] => [
  ...partsOfAccess(actor),
  ...invitees.flatMap(({ user, invitationId }) => [
    PART.invited(user),
    PART.ban(user),
    PART.invite(invitationId),
    PART.ahead(invitationId)
  ])
]

/** @throws AppError invitation_id_taken, too_many_invitations and what access throws */
export function invite(room: RoomParts, command: Invite, now: number): RoomDecision {
  const { actor, metadata, ringMs } = command
  const { settings, member } = mustBeAllowedInside('invite', room, { actor, now })
  if (settings.locked) mustBeAllowed('inviteToLocked', room, { actor, now })
  const from = participation(member)
  const inside = usersIn(room)
  const fresh = command.invitees.filter(invitee => isNew(room, { ...invitee, actor, inside }, now))
  if (fresh.length === 0) return NOTHING
  mustFit(room, { ...command, fresh: fresh.length })

  const invited = fresh.map(({ user, invitationId }): Invitation => {
    const muted = command.muted?.includes(user) ? ({ isMuted: true } as const) : {}
    return { invitationId, user, from, metadata, until: now + ringMs, ended: null, ...muted }
  })
  // The settings are written as they are: whoever closes the room, or joins, at this very moment decides again and sees it ring.
  const writes: Record<string, object | null> = {
    [PART.settings]: settings,
    ...withoutOldest(room, command.bounds, fresh.length)
  }
  for (const invitation of invited) {
    const before = room.get<Invitation>(PART.invited(invitation.user))
    if (before) writes[PART.invite(before.invitationId)] = null
    writes[PART.invited(invitation.user)] = invitation
    writes[PART.invite(invitation.invitationId)] = { user: invitation.user }
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

export const usersIn = (room: RoomParts): ReadonlySet<string> =>
  new Set(room.list<MemberHead>(PART.memberHeads).map(([, { user }]) => user))

/** Why no device of the user will ring; null when one may. */
export function refusalOf(
  room: RoomParts,
  { actor, user, inside }: Pick<Invitee, 'actor' | 'user' | 'inside'>,
  now: number
): InviteRefusal | null {
  if (user === actor.user) return 'self'
  const ban = room.get<Banned>(PART.ban(user))
  if (ban && isInForce(ban, now)) return 'banned'
  return inside.has(user) ? 'in_room' : null
}

interface Invitee {
  readonly user: string
  readonly invitationId: string
  readonly actor: Endpoint
  /** Who is in. */
  readonly inside: ReadonlySet<string>
}

/** False also for a repeat, for what was cancelled ahead, and for who is ringing already. @throws AppError invitation_id_taken */
function isNew(room: RoomParts, invitee: Invitee, now: number): boolean {
  const { user, invitationId, actor } = invitee
  const named = room.get<Named>(PART.invite(invitationId))
  const ahead = room.get<Ahead>(PART.ahead(invitationId))
  const isTaken = (named !== null && named.user !== user) || (ahead !== null && ahead.by.user !== actor.user)
  if (isTaken) throw new AppError('invitation_id_taken')
  if (named !== null || ahead !== null || refusalOf(room, invitee, now) !== null) return false
  return room.get<Invitation>(PART.invited(user))?.ended !== null
}

export interface Answer {
  readonly actor: Actor
  readonly invitationId: string
  readonly as: 'accepted' | 'declined'
}

/** Reads partsOfAccess. The first answer wins. @throws AppError invitation_not_found, invitation_ended and what access throws */
export function answer(parts: RoomParts, { actor, invitationId, as }: Answer, now: number): RoomDecision {
  const by = endpoint(actor)
  const invitation = parts.get<Invitation>(PART.invited(actor.user))
  if (invitation?.invitationId !== invitationId || invitation.isMuted) throw new AppError('invitation_not_found')
  const { ended } = invitation
  if (ended?.reason === as && ended.by?.device === by.device) return NOTHING
  if (ended !== null) throw new AppError('invitation_ended', { extra: { currentState: ended.reason } })
  if (as === 'accepted') mustBeAllowed('accept', parts, { actor, now })
  return end(invitation, { reason: as, by, at: now })
}

/** Its time has come: it rings no more, or was kept for long enough. Reads the user's invitation. */
export function lapse(
  parts: RoomParts,
  { user, retentionMs }: { user: string; retentionMs: number },
  now: number
): RoomDecision {
  const invitation = parts.get<Invitation>(PART.invited(user))
  if (invitation === null || dueAt(invitation, retentionMs) > now) return NOTHING
  if (invitation.ended === null) return end(invitation, { reason: 'expired', by: null, at: now })
  return { writes: forget(invitation), events: [] }
}

/** To join a room that rings is to accept. */
export function withAccept(
  parts: RoomParts,
  joined: RoomDecision,
  { actor, now }: { actor: Actor; now: number }
): RoomDecision {
  const invitation = parts.get<Invitation>(PART.invited(actor.user))
  if (invitation?.ended !== null) return joined
  return together(joined, end(invitation, { reason: 'accepted', by: endpoint(actor), at: now }))
}

/** What is read for the end of a room, and what it stands on. */
export const readOfEnd: readonly string[] = [PART.settings, PART.empty, PART.invited('')]
export const partsOfEnd = (room: RoomParts): string[] => [
  PART.settings,
  PART.empty,
  ...ringing(room).map(({ user }) => PART.invited(user))
]

/** With the room all that rings in it ends. */
export function withAllEnded(
  room: RoomParts,
  closed: RoomDecision,
  { by, now }: { by: Endpoint | null; now: number }
): RoomDecision {
  if (!closed.over) return closed
  return together(closed, ...ringing(room).map(each => end(each, { reason: 'closed', by, at: now })))
}

/** With the removal of a user goes the invitation that would let them in again. */
export function withdrawInvitation(
  parts: RoomParts,
  removed: RoomDecision,
  { user, by, now }: { user: string; by: Endpoint; now: number }
): RoomDecision {
  const invitation = parts.get<Invitation>(PART.invited(user))
  if (invitation?.ended === null) return together(removed, end(invitation, { reason: 'cancelled', by, at: now }))
  if (invitation?.ended.reason !== 'accepted') return removed
  return together(removed, { writes: forget(invitation), events: [] })
}

/** Who ended it, as the inviter may know: not which device of the invitee declined. */
export const endedByForInviter = (ended: Invitation['ended']): Endpoint | null =>
  ended === null || ended.reason === 'declined' ? null : ended.by

/** Each device that rang and the one that invited hear of it once; the one that acts hears it from its reply. */
export function end(invitation: Invitation, ended: NonNullable<Invitation['ended']>): RoomDecision {
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
  return { writes: { [PART.invited(user)]: { ...invitation, metadata: {}, ended } }, events }
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
