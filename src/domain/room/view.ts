// A room and its participants, as clients see them.
import type { Participant, Room } from '../../schemas/room.js'
import type { ParticipantRecord, RoomParts, Settings } from './state.js'

export function viewParticipant(participant: ParticipantRecord): Participant {
  const { participantId, user, device, role, metadata, whip } = participant
  const [away, joinedAt] = [participant.awaySince !== null, new Date(participant.joinedAt).toISOString()]
  return { participantId, user, device, role, metadata, away, joinedAt, ...(whip ? { via: whip.via } : {}) }
}

export function viewRoom(
  { roomId, version, participantCount }: Pick<RoomParts, 'roomId' | 'version' | 'participantCount'>,
  settings: Settings
): Room {
  const { closed: _, isUnused: __, fellBack: ___, modeSince: ____, createdAt, ...rest } = settings
  return { roomId, version, ...rest, createdAt: new Date(createdAt).toISOString(), participantCount }
}
