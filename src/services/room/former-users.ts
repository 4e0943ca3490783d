// What a room keeps of users who are out is bounded in number and time.

import { forgetFormerUsers, formerUserParts } from '../../domain/room/former-users.js'
import { PART } from '../../domain/room/state.js'
import type { Context } from '../context.js'
import type { ReadRoom } from './parts.js'
import { changeRoom } from './update-room.js'

/** Parts in one commit. */
const BATCH_SIZE = 100

/** The room was read as a whole; what is due in it is forgotten. */
export async function removeFormerUsers(context: Context, room: ReadRoom): Promise<void> {
  const due = formerUserParts(room, context.clock.now())
  for (let i = 0; i < due.length; i += BATCH_SIZE) {
    const piece = due.slice(i, i + BATCH_SIZE)
    const basis = { roomId: room.roomId, parts: [PART.settings, ...piece] }
    await changeRoom(context, basis, before => forgetFormerUsers(before, piece))
  }
}
