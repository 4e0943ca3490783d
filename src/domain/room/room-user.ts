// What a room keeps of a user.
import { PART, type RoomParts, type RoomUser } from './state.js'

/** What an earlier room with this id kept is ignored. */
export function roomUser(parts: RoomParts, user: string): RoomUser {
  const roomCreatedAt = parts.settings?.createdAt ?? 0
  const kept = parts.get<RoomUser>(PART.user(user))
  if (kept?.roomCreatedAt === roomCreatedAt) return kept
  return { roomCreatedAt, devices: [], role: null, assigned: null, left: [] }
}
