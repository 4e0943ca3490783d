// Bounds what a room keeps of users who have left it.
import { formerUserParts, removeFormerUserParts } from '../../domain/room/former-users.js'
import { PART } from '../../domain/room/state.js'
import type { Context } from '../context.js'
import type { ReadRoom } from './parts.js'
import { changeRoom } from './update-room.js'

/** Parts removed in one commit. */
const BATCH_SIZE = 100

/** `room` has all parts of PART.users. */
export async function removeFormerUsers(context: Context, room: ReadRoom): Promise<void> {
  const due = formerUserParts(room, context.clock.now())
  for (let i = 0; i < due.length; i += BATCH_SIZE) {
    const batch = due.slice(i, i + BATCH_SIZE)
    const basis = { roomId: room.roomId, parts: [PART.settings, ...batch] }
    await changeRoom(context, basis, before => removeFormerUserParts(before, batch))
  }
}
