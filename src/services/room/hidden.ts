// Hidden participants (domain/room/hidden.ts) join and leave. They have no membership: who shares a room with them must not learn it.
import { partsOfAccess } from '../../domain/room/access.js'
import { leaveHidden, partsOfHiddenJoin } from '../../domain/room/hidden.js'
import { decideHiddenJoin } from '../../domain/room/participants.js'
import { NO_CHANGE, PART, type ParticipantRecord, participantIdOf } from '../../domain/room/state.js'
import type { Actor } from '../../schemas/claims.js'
import type { JoinRoomReply, JoinRoomRequest } from '../../schemas/room.js'
import { formatCursor } from '../../store/cursor.js'
import type { Context } from '../context.js'
import { recordKeepalive, registerDevice } from '../device/keepalive.js'
import { describeRoom } from './describe-room.js'
import { type ReadRoom, readRoom } from './parts.js'
import type { ParticipantPath, RoomPath } from './paths.js'
import { withJoinPolicy } from './room-policy.js'
import { changeOpenRoom, changeRoom } from './update-room.js'

/** @throws AppError room_not_found, room_closed, banned, not_permitted, room_full, policy_denied, policy_unavailable, store_unavailable */
export async function joinAsHidden(
  context: Context,
  actor: Actor,
  { roomId, metadata = {}, replace = false }: RoomPath & JoinRoomRequest
): Promise<JoinRoomReply & { readonly isNew: boolean }> {
  const participantId = participantIdOf(actor, context.ids.tag() + context.ids.tag())
  const parts = [...partsOfAccess(actor), ...partsOfHiddenJoin.parts]
  const read = [...parts, ...partsOfHiddenJoin.read]
  const ruleFor = (joining: Actor) => (room: ReadRoom, now: number) =>
    decideHiddenJoin(room, { actor: joining, participantId, metadata, replace }, now)
  const decide = withJoinPolicy(context, { actor, roomId }, ruleFor)
  // Decided once before the device is registered, so that a refusal leaves nothing behind.
  await decide(await readRoom(context, roomId, read), context.clock.now())
  const cursor = await registerDevice(context, actor)
  const { room } = await changeRoom(context, { roomId, read, parts }, async (before, now) => ({
    ...(await decide(before, now)),
    deadlineAt: now + context.config.awayAfterMs
  }))
  const before = replace ? null : room.get<ParticipantRecord>(PART.hiddenOf(actor))
  const described = await describeRoom(context, roomId)
  return {
    ...described,
    participantId: before?.participantId ?? participantId,
    cursor: formatCursor(cursor),
    isNew: before === null
  }
}

/** False: the device is no hidden participant with this id. */
export async function leaveAsHidden(
  context: Context,
  actor: Actor,
  { roomId, participantId }: ParticipantPath
): Promise<boolean> {
  const parts = [PART.hiddenOf(actor), PART.user(actor.user)]
  const { decision } = await changeOpenRoom(context, { roomId, parts }, room => {
    const participant = room.get<ParticipantRecord>(PART.hiddenOf(actor))
    if (participant?.participantId !== participantId) return NO_CHANGE
    return leaveHidden(room, [participant], { reason: 'left', by: actor })
  })
  if (decision === NO_CHANGE) return false
  recordKeepalive(context, actor)
  return true
}
