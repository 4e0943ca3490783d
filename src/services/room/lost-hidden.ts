// Hidden participants whose devices do not come back leave the room, like others: but no one sees them away.
import { leaveHidden } from '../../domain/room/hidden.js'
import { NO_CHANGE, PART, type ParticipantRecord } from '../../domain/room/state.js'
import type { Context } from '../context.js'
import { livenessOf } from '../device/liveness.js'
import type { ReadRoom } from './parts.js'
import { changeOpenRoom } from './update-room.js'

const NEVER = Number.POSITIVE_INFINITY

/** Removes those whose devices are away for too long. Resolves to when they have to be checked again. */
export async function checkHidden(
  context: Context,
  { roomId }: ReadRoom,
  hidden: readonly ParticipantRecord[]
): Promise<number> {
  const checks = hidden.map(participant => checkHiddenParticipant(context, roomId, participant))
  return Math.min(NEVER, ...(await Promise.all(checks)))
}

async function checkHiddenParticipant(context: Context, roomId: string, seen: ParticipantRecord): Promise<number> {
  const { user, device, joinedAt: otherwise } = seen
  const { awayAfterMs, roomReconnectMs } = context.config
  const devices = await context.store.mailboxes.devices(user, context.clock.now())
  const liveness = livenessOf(context, device, { devices, otherwise })
  if ('liveUntil' in liveness) return liveness.liveUntil
  const lostAt = liveness.absentSince + awayAfterMs + roomReconnectMs
  if (lostAt > context.clock.now()) return lostAt
  const part = PART.hiddenOf(seen)
  await changeOpenRoom(context, { roomId, parts: [part, PART.user(user)] }, room => {
    const participant = room.get<ParticipantRecord>(part)
    if (participant?.participantId !== seen.participantId) return NO_CHANGE
    return leaveHidden(room, [participant], { reason: 'lost', by: null })
  })
  return NEVER
}
