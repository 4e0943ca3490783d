// Cancelling an invitation. A cancel may arrive before its invitation: then the id is kept for a while, so that the late invitation rings
// no device. A call that is cancelled before its create is treated alike.
import { AppError } from '../../errors.js'
import type { Actor } from '../../schemas/claims.js'
import type { InvitationState } from '../../schemas/invitation.js'
import { endpoint } from '../endpoint.js'
import { partsOfAccess, requireAccess } from './access.js'
import { endInvitation } from './invitation-end.js'
import {
  type EarlyCancel,
  type Invitation,
  type InvitationOwner,
  NO_CHANGE,
  PART,
  type RoomDecision,
  type RoomParts
} from './state.js'

/** Early cancels that a room keeps at once. */
const EARLY_CANCELS_MAX = 100
const EARLY_CANCEL_KEEP_MS = 120_000

interface CancelInvitation {
  readonly actor: Actor
  readonly invitationId: string
}

/** All early cancels. */
export const EARLY_CANCELS: string = PART.earlyCancel('')

/** The parts that are read first, when the invitee is not known yet. */
export const partsReadForCancel = ({ actor, invitationId }: CancelInvitation): string[] => [
  ...partsOfAccess(actor),
  PART.invitationOwner(invitationId),
  EARLY_CANCELS
]

/** The parts that decideInvitationCancel relies on. */
export function partsOfCancel(room: RoomParts, { actor, invitationId }: CancelInvitation): string[] {
  const owner = room.get<InvitationOwner>(PART.invitationOwner(invitationId))
  const invited = owner === null ? [] : [PART.invitation(owner.user)]
  return [...partsOfAccess(actor), PART.invitationOwner(invitationId), PART.earlyCancel(invitationId), ...invited]
}

/**
 * Allowed for the inviter and for moderators.
 * @throws AppError invitation_not_found, invitation_ended, not_permitted, banned, too_many_invitations
 */
export function decideInvitationCancel(
  room: RoomParts,
  { actor, invitationId }: CancelInvitation,
  now: number
): RoomDecision {
  const by = endpoint(actor)
  if (room.get<EarlyCancel>(PART.earlyCancel(invitationId)) !== null) return NO_CHANGE
  const owner = room.get<InvitationOwner>(PART.invitationOwner(invitationId))
  if (owner === null) return cancelEarly(room, { actor, invitationId }, now)
  const invitation = room.get<Invitation>(PART.invitation(owner.user))
  if (invitation?.invitationId !== invitationId) throw new AppError('invitation_not_found')
  if (invitation.from.user !== actor.user) requireAccess('moderate', room, { actor, now })
  const { ended } = invitation
  if (ended?.reason === 'accepted') throw new AppError('invitation_ended', { extra: { currentState: ended.reason } })
  return ended ? NO_CHANGE : endInvitation(invitation, { reason: 'cancelled', by, at: now })
}

/** Requires that the actor is in the room: others cannot invite, so they have no invitation to cancel. */
function cancelEarly(room: RoomParts, { actor, invitationId }: CancelInvitation, now: number): RoomDecision {
  requireAccess('takePart', room, { actor, now })
  if (room.list(EARLY_CANCELS).length >= EARLY_CANCELS_MAX) throw new AppError('too_many_invitations')
  const earlyCancel: EarlyCancel = { by: endpoint(actor), at: now }
  return { writes: { [PART.earlyCancel(invitationId)]: earlyCancel }, events: [] }
}

/** The ids of all early cancels, and when each is deleted. */
export const earlyCancelsIn = (room: RoomParts, retentionMs: number) =>
  room.list<EarlyCancel>(EARLY_CANCELS).map(([invitationId, { at }]) => {
    return { invitationId, dueAt: at + Math.min(retentionMs, EARLY_CANCEL_KEEP_MS) }
  })

/** Deletes an early cancel that was kept for long enough. Reads PART.earlyCancel. */
export function deleteEarlyCancel(room: RoomParts, invitationId: string): RoomDecision {
  const isThere = room.get<EarlyCancel>(PART.earlyCancel(invitationId)) !== null
  return isThere ? { writes: { [PART.earlyCancel(invitationId)]: null }, events: [] } : NO_CHANGE
}

/** The state of an invitation that was cancelled early; null: it was not. */
export function viewEarlyCancel(
  room: RoomParts,
  { user, invitationId }: { user: string; invitationId: string }
): InvitationState | null {
  const cancel = room.get<EarlyCancel>(PART.earlyCancel(invitationId))
  return cancel && { invitationId, user, state: 'cancelled', by: cancel.by, expiresInMs: 0 }
}
