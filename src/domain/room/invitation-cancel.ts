// Taking an invitation back, also one that has not come yet: the id is remembered for a while, so that the late invitation rings
// nobody, as a call that was cancelled before it was created rings nobody.
import { AppError } from '../../errors.js'
import type { Actor } from '../../schemas/claims.js'
import type { InvitationState } from '../../schemas/invitation.js'
import { endpoint } from '../endpoint.js'
import { mustBeAllowed, partsOfAccess } from './access.js'
import { end } from './invitation.js'
import { type Ahead, type Invitation, type Named, NOTHING, PART, type RoomDecision, type RoomParts } from './state.js'

/** Ids that may be cancelled ahead in a room, at once. */
const AHEAD_MAX = 100
const AHEAD_KEEP_MS = 120_000

interface Cancel {
  readonly actor: Actor
  readonly invitationId: string
}

/** All ids that were cancelled ahead. */
export const AHEAD: string = PART.ahead('')

/** What is read for it before it is known whose invitation it is. */
export const readOfCancel = ({ actor, invitationId }: Cancel): string[] => [
  ...partsOfAccess(actor),
  PART.invite(invitationId),
  AHEAD
]

/** What it stands on. */
export function partsOfCancel(room: RoomParts, { actor, invitationId }: Cancel): string[] {
  const named = room.get<Named>(PART.invite(invitationId))
  const invited = named === null ? [] : [PART.invited(named.user)]
  return [...partsOfAccess(actor), PART.invite(invitationId), PART.ahead(invitationId), ...invited]
}

/** By whoever invited, or a moderator. @throws AppError invitation_not_found, invitation_ended, not_permitted, banned, too_many_invitations */
export function cancel(room: RoomParts, { actor, invitationId }: Cancel, now: number): RoomDecision {
  const by = endpoint(actor)
  if (room.get<Ahead>(PART.ahead(invitationId)) !== null) return NOTHING
  const named = room.get<Named>(PART.invite(invitationId))
  if (named === null) return cancelAhead(room, { actor, invitationId }, now)
  const invitation = room.get<Invitation>(PART.invited(named.user))
  if (invitation?.invitationId !== invitationId) throw new AppError('invitation_not_found')
  if (invitation.from.user !== actor.user) mustBeAllowed('moderate', room, { actor, now })
  const { ended } = invitation
  if (ended?.reason === 'accepted') throw new AppError('invitation_ended', { extra: { currentState: ended.reason } })
  return ended ? NOTHING : end(invitation, { reason: 'cancelled', by, at: now })
}

/** Only who is in may invite, and so take back what has not come yet. */
function cancelAhead(room: RoomParts, { actor, invitationId }: Cancel, now: number): RoomDecision {
  mustBeAllowed('takePart', room, { actor, now })
  if (room.list(AHEAD).length >= AHEAD_MAX) throw new AppError('too_many_invitations')
  const ahead: Ahead = { by: endpoint(actor), at: now }
  return { writes: { [PART.ahead(invitationId)]: ahead }, events: [] }
}

/** What was cancelled ahead, and when it is forgotten. */
export const cancelledAhead = (room: RoomParts, retentionMs: number) =>
  room.list<Ahead>(AHEAD).map(([invitationId, { at }]) => {
    return { invitationId, dueAt: at + Math.min(retentionMs, AHEAD_KEEP_MS) }
  })

/** It was kept for long enough. Reads what the id names. */
export function forgetAhead(room: RoomParts, invitationId: string): RoomDecision {
  const isThere = room.get<Ahead>(PART.ahead(invitationId)) !== null
  return isThere ? { writes: { [PART.ahead(invitationId)]: null }, events: [] } : NOTHING
}

/** What the late invitation is told; null when it was not cancelled ahead. */
export function viewAhead(
  room: RoomParts,
  { user, invitationId }: { user: string; invitationId: string }
): InvitationState | null {
  const ahead = room.get<Ahead>(PART.ahead(invitationId))
  return ahead && { invitationId, user, state: 'cancelled', by: ahead.by, expiresInMs: 0 }
}
