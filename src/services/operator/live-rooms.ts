// Rooms as operators see them: a list of those that are open, and one room with all participants.
import { PART, type ParticipantRecord } from '../../domain/room/state.js'
import { viewParticipant, viewRoom } from '../../domain/room/view.js'
import type { AfterQuery } from '../../schemas/admin-page.js'
import type { AdminRoomReply, AdminRoomsReply } from '../../schemas/admin-room.js'
import type { Context } from '../context.js'
import { describeRoom } from '../room/describe-room.js'
import { readRoom } from '../room/parts.js'
import { listPage } from './pages.js'

/** @throws AppError invalid_request */
export async function listOpenRooms(context: Context, query: AfterQuery): Promise<AdminRoomsReply> {
  const { refs, next } = await listPage(context, 'room', query)
  const rooms = await Promise.all(refs.map(({ id }) => readRoom(context, id, [PART.settings])))
  const open = rooms.flatMap(room => (room.settings?.closed === null ? viewRoom(room, room.settings) : []))
  return { rooms: open, next }
}

/** @throws AppError room_not_found, room_closed */
export async function getRoomForOperator(context: Context, roomId: string): Promise<AdminRoomReply> {
  const described = await describeRoom(context, roomId)
  const { list } = await readRoom(context, roomId, [PART.hiddenParticipants])
  const hidden = list<ParticipantRecord>(PART.hiddenParticipants).map(([, participant]) => viewParticipant(participant))
  return { ...described, hidden }
}
