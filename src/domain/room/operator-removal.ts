// An operator removes a participant, hidden or not. The operator needs no role, and the events name no one.
import { findParticipantRecord, requireOpenRoom } from './access.js'
import { leaveHidden } from './hidden.js'
import { withdrawInvitation } from './invitation-end.js'
import { leaveRoom } from './participants.js'
import { NO_CHANGE, PART, type ParticipantRecord, type RoomDecision, type RoomParts } from './state.js'

/** The participant with this id; null: it has left, or there never was one. Reads PART.participant and PART.hidden. */
export function findAnyParticipant(parts: RoomParts, participantId: string): ParticipantRecord | null {
  const hidden = parts.get<ParticipantRecord>(PART.hidden(participantId))
  return hidden?.participantId === participantId ? hidden : findParticipantRecord(parts, participantId)
}

export const partsOfOperatorRemoval = (participantId: string, user: string): string[] => [
  ...[PART.settings, PART.participant(participantId), PART.hidden(participantId)],
  ...[PART.user(user), PART.invitation(user)]
]

/** Reads partsOfOperatorRemoval. @throws AppError room_not_found, room_closed */
export function decideOperatorRemoval(parts: RoomParts, participantId: string, now: number): RoomDecision {
  requireOpenRoom(parts)
  const participant = findAnyParticipant(parts, participantId)
  if (participant === null) return NO_CHANGE
  const leaving = { reason: 'removed', by: null } as const
  const { user } = participant
  if (participant.hidden) return leaveHidden(parts, [participant], leaving)
  return withdrawInvitation(parts, leaveRoom(parts, participant, { ...leaving, now }), { user, by: null, now })
}
