// A room with its participants and what they send, as its participants read it.
import { requireOpenRoom } from '../../domain/room/access.js'
import { PART, type ParticipantRecord } from '../../domain/room/state.js'
import { viewParticipant, viewRoom } from '../../domain/room/view.js'
import { viewRoomMedia } from '../../domain/sfu/state.js'
import type { RoomAndParticipants } from '../../schemas/room.js'
import type { Context } from '../context.js'
import { readRoom } from './parts.js'

/** The room and its participants, in the order in which they joined. */
export async function describeRoom(context: Context, roomId: string): Promise<RoomAndParticipants> {
  const parts = await readRoom(context, roomId, [PART.settings, PART.participants, PART.sfu, PART.producers])
  const settings = requireOpenRoom(parts)
  const participants = parts
    .list<ParticipantRecord>(PART.participants)
    .map(([, participant]) => participant)
    .sort((a, b) => (a.since ?? 0) - (b.since ?? 0))
  return {
    room: viewRoom(parts, settings),
    participants: participants.map(viewParticipant),
    ...viewRoomMedia(parts, participants)
  }
}
