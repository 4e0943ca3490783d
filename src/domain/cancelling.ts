// Taking an invitation back, also one that has not come yet: the id is remembered for a while, so that the late invitation rings
// nobody, as a call that was cancelled before it was created rings nobody.
import { AppError } from '../errors.js'
import type { Actor } from '../schemas/claims.js'
import type { InvitationState } from '../schemas/invitation.js'
import { end, type WholeRoom } from './invitation.js'
import { mayModerate, openRoom } from './room.js'
import { type Invitation, type Member, type Named, NOTHING, PART, type RoomDecision } from './room-state.js'

/** More than anybody needs, and little enough to keep for a room. */
export const AHEAD_MAX = 1000

interface Cancel {
  readonly actor: Actor
  readonly invitationId: string
}

export function partsOfCancel(room: WholeRoom, { actor, invitationId }: Cancel): string[] {
  const named = room.get<Named>(PART.invite(invitationId))
  const invited = named !== null && 'user' in named ? [PART.invited(named.user)] : []
  const { user, device } = actor
  return [PART.settings, PART.member(user, device), PART.ban(user), PART.invite(invitationId), ...invited]
}

/** By whoever invited, or a moderator. @throws AppError invitation_not_found, invitation_ended, not_permitted, banned, too_many_invitations */
export function cancel(room: WholeRoom, { actor, invitationId }: Cancel, now: number): RoomDecision {
  const by = { user: actor.user, device: actor.device }
  const named = room.get<Named>(PART.invite(invitationId))
  if (named === null) return cancelAhead(room, { actor, invitationId }, now)
  if ('by' in named) return NOTHING
  const invitation = room.get<Invitation>(PART.invited(named.user))
  if (invitation?.invitationId !== invitationId) throw new AppError('invitation_not_found')
  if (invitation.from.user !== actor.user) mayModerate(room, actor, now)
  const { ended } = invitation
  if (ended?.reason === 'accepted') throw new AppError('invitation_ended', { extra: { currentState: ended.reason } })
  return ended ? NOTHING : end(invitation, 'cancelled', by, now)
}

/** Only who is in may invite, and so take back what has not come yet. */
function cancelAhead(room: WholeRoom, { actor, invitationId }: Cancel, now: number): RoomDecision {
  openRoom(room)
  const me = room.get<Member>(PART.member(actor.user, actor.device))
  if (me === null) throw new AppError('invitation_not_found')
  if (cancelledAhead(room).length >= AHEAD_MAX) throw new AppError('too_many_invitations')
  const named: Named = { by: { user: me.user, device: me.device }, at: now }
  return { writes: { [PART.invite(invitationId)]: named }, events: [] }
}

export const cancelledAhead = (room: WholeRoom) =>
  room.list<Named>(PART.invite('')).flatMap(([invitationId, named]) => {
    return 'by' in named ? [{ invitationId, ...named }] : []
  })

/** It was kept for long enough. Reads what the id names. */
export function forgetAhead(room: Pick<WholeRoom, 'get'>, invitationId: string): RoomDecision {
  const named = room.get<Named>(PART.invite(invitationId))
  return named !== null && 'by' in named ? { writes: { [PART.invite(invitationId)]: null }, events: [] } : NOTHING
}

/** What the late invitation is told; null when it was not cancelled ahead. */
export function viewAhead(
  room: Pick<WholeRoom, 'get'>,
  { user, invitationId }: { user: string; invitationId: string }
): InvitationState | null {
  const named = room.get<Named>(PART.invite(invitationId))
  if (named === null || 'user' in named) return null
  return { invitationId, user, state: 'cancelled', by: named.by, expiresInMs: 0 }
}
