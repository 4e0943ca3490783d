// The end of an invitation: by an answer, a cancel, a timeout, the removal of its user, or the end of the room.
import type { Endpoint } from '../../schemas/common.js'
import { deleteInvitation, ringingInvitations } from './invitation-bounds.js'
import { type Invitation, mergeDecisions, PART, type RoomDecision, type RoomEvent, type RoomParts } from './state.js'

/** Read to end a room. */
export const partsReadForEnd: readonly string[] = [PART.settings, PART.empty, PART.sfu, PART.invitation('')]
/** Of these, the parts on which the commit is conditional. */
export const partsOfEnd = (room: RoomParts): string[] => [
  PART.settings,
  PART.empty,
  PART.sfu,
  ...ringingInvitations(room).map(({ user }) => PART.invitation(user))
]

/** If the decision ends the room, ends all ringing invitations too. */
export function endAllInvitations(
  room: RoomParts,
  closing: RoomDecision,
  { by, now }: { by: Endpoint | null; now: number }
): RoomDecision {
  if (!closing.endsRoom) return closing
  return mergeDecisions(
    closing,
    ...ringingInvitations(room).map(each => endInvitation(each, { reason: 'closed', by, at: now }))
  )
}

/** Ends or deletes the invitation of a user who is removed: it would let them join again. */
export function withdrawInvitation(
  parts: RoomParts,
  removal: RoomDecision,
  { user, by, now }: { user: string; by: Endpoint | null; now: number }
): RoomDecision {
  const invitation = parts.get<Invitation>(PART.invitation(user))
  if (invitation?.ended === null)
    return mergeDecisions(removal, endInvitation(invitation, { reason: 'cancelled', by, at: now }))
  if (invitation?.ended.reason !== 'accepted') return removal
  return mergeDecisions(removal, { writes: deleteInvitation(invitation), events: [] })
}

/** The device that ended the invitation, as the inviter may know it: not which device of the invitee declined. */
export const endedByForInviter = (ended: Invitation['ended']): Endpoint | null =>
  ended === null || ended.reason === 'declined' ? null : ended.by

/**
 * The devices that rang and the device that sent the invitation receive `room.invitation_ended`. The acting device gets no event: it has the
 * reply.
 */
export function endInvitation(invitation: Invitation, ended: NonNullable<Invitation['ended']>): RoomDecision {
  const { invitationId, user, from, isMuted } = invitation
  const { reason, by } = ended
  const isAnswer = reason === 'accepted' || reason === 'declined'
  const endedEvent = (to: RoomEvent['to'], shown: { reason: string; by: Endpoint | null }): RoomEvent => ({
    to,
    type: 'room.invitation_ended',
    data: { invitationId, user, ...shown }
  })
  const toInvitee = { user, except: by?.user === user ? [by.device] : [] }
  const reasonForInvitee = isAnswer ? `${reason}_elsewhere` : reason
  const events = isMuted ? [] : [endedEvent(toInvitee, { reason: reasonForInvitee, by })]
  if (by?.user !== from.user || by.device !== from.device) {
    events.push(endedEvent({ user: from.user, device: from.device }, { reason, by: endedByForInviter(ended) }))
  }
  return { writes: { [PART.invitation(user)]: { ...invitation, metadata: {}, ended } }, events }
}
