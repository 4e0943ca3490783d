// Taking an invitation back, also one that has not come yet: the id is remembered for a while, so that the late invitation rings
// nobody, as a call that was cancelled before it was created rings nobody.
import { AppError } from '../../errors.js'
import type { Actor } from '../../schemas/claims.js'
import type { InvitationState } from '../../schemas/invitation.js'
import { endpoint } from '../endpoint.js'
import { partsOfAccess, requireAccess } from './access.js'
import { endInvitation } from './invitation.js'
import {
  type EarlyCancel,
  type Invitation,
  type InvitationOwner,
  NO_CHANGE,
  PART,
  type RoomDecision,
  type RoomParts
} from './state.js'

/** Ids that may be cancelled ahead in a room, at once. */
const EARLY_CANCELS_MAX = 100
const EARLY_CANCEL_KEEP_MS = 120_000

interface CancelInvitation {
  readonly actor: Actor
  readonly invitationId: string
}

/** All ids that were cancelled ahead. */
export const EARLY_CANCELS: string = PART.earlyCancel('')

/** What is read for it before it is known whose invitation it is. */
export const partsReadForCancel = ({ actor, invitationId }: CancelInvitation): string[] => [
  ...partsOfAccess(actor),
  PART.invitationOwner(invitationId),
  EARLY_CANCELS
]

/** What it stands on. */
export function partsOfCancel(room: RoomParts, { actor, invitationId }: CancelInvitation): string[] {
  const named = room.get<InvitationOwner>(PART.invitationOwner(invitationId))
  const invited = named === null ? [] : [PART.invitation(named.user)]
  return [...partsOfAccess(actor), PART.invitationOwner(invitationId), PART.earlyCancel(invitationId), ...invited]
}

/** By whoever invited, or a moderator. @throws AppError invitation_not_found, invitation_ended, not_permitted, banned, too_many_invitations */
export function decideCancel(room: RoomParts, { actor, invitationId }: CancelInvitation, now: number): RoomDecision {
  const by = endpoint(actor)
  if (room.get<EarlyCancel>(PART.earlyCancel(invitationId)) !== null) return NO_CHANGE
  const named = room.get<InvitationOwner>(PART.invitationOwner(invitationId))
  if (named === null) return cancelEarly(room, { actor, invitationId }, now)
  const invitation = room.get<Invitation>(PART.invitation(named.user))
  if (invitation?.invitationId !== invitationId) throw new AppError('invitation_not_found')
  if (invitation.from.user !== actor.user) requireAccess('moderate', room, { actor, now })
  const { ended } = invitation
  if (ended?.reason === 'accepted') throw new AppError('invitation_ended', { extra: { currentState: ended.reason } })
  return ended ? NO_CHANGE : endInvitation(invitation, { reason: 'cancelled', by, at: now })
}

/** Only who is in may invite, and so take back what has not come yet. */
function cancelEarly(room: RoomParts, { actor, invitationId }: CancelInvitation, now: number): RoomDecision {
  requireAccess('takePart', room, { actor, now })
  if (room.list(EARLY_CANCELS).length >= EARLY_CANCELS_MAX) throw new AppError('too_many_invitations')
  const ahead: EarlyCancel = { by: endpoint(actor), at: now }
  return { writes: { [PART.earlyCancel(invitationId)]: ahead }, events: [] }
}

/** What was cancelled ahead, and when it is forgotten. */
export const earlyCancelsIn = (room: RoomParts, retentionMs: number) =>
  room.list<EarlyCancel>(EARLY_CANCELS).map(([invitationId, { at }]) => {
    return { invitationId, dueAt: at + Math.min(retentionMs, EARLY_CANCEL_KEEP_MS) }
  })

/** It was kept for long enough. Reads what the id names. */
export function decideForgetEarlyCancel(room: RoomParts, invitationId: string): RoomDecision {
  const isThere = room.get<EarlyCancel>(PART.earlyCancel(invitationId)) !== null
  return isThere ? { writes: { [PART.earlyCancel(invitationId)]: null }, events: [] } : NO_CHANGE
}

/** What the late invitation is told; null when it was not cancelled ahead. */
export function viewEarlyCancel(
  room: RoomParts,
  { user, invitationId }: { user: string; invitationId: string }
): InvitationState | null {
  const ahead = room.get<EarlyCancel>(PART.earlyCancel(invitationId))
  return ahead && { invitationId, user, state: 'cancelled', by: ahead.by, expiresInMs: 0 }
}
