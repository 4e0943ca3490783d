// An operator closes rooms, removes participants, and bans users. The operator is no party: no role or grant is asked for, and the events name no one.
import { requireOpenRoom } from '../../domain/room/access.js'
import { ban, partsOfBanned, unban } from '../../domain/room/bans.js'
import { decideCloseByServer } from '../../domain/room/lifecycle.js'
import {
  decideOperatorRemoval,
  findAnyParticipant,
  partsOfOperatorRemoval
} from '../../domain/room/operator-removal.js'
import { PART, type RoomParts } from '../../domain/room/state.js'
import { AppError } from '../../errors.js'
import type { Ban, RemoveQuery } from '../../schemas/room.js'
import type { Context } from '../context.js'
import { bansInForce, commitBan, findFormerUser } from '../room/bans.js'
import { endRoom } from '../room/end-room.js'
import { removeMembershipsOfRemoved } from '../room/memberships.js'
import { readRoom } from '../room/parts.js'
import type { BanPath, ParticipantPath, RoomPath } from '../room/paths.js'
import { changeRoom } from '../room/update-room.js'

/** A room that is closed already stays as it is. @throws AppError room_not_found */
export async function closeRoomAsOperator(context: Context, { roomId }: RoomPath): Promise<void> {
  await endRoom(context, { roomId }, room => {
    if (room.settings === null) throw new AppError('room_not_found')
    return decideCloseByServer(room)
  })
}

/**
 * Removes a participant, or bans its user; one who left up to a minute ago can be banned, too.
 * @throws AppError room_not_found, room_closed, participant_not_found, too_many_bans
 */
export async function removeParticipantAsOperator(
  context: Context,
  { ban: isBan = false, banForMs, ...path }: ParticipantPath & RemoveQuery
): Promise<void> {
  const user = await findUser(context, path)
  if (isBan) return banAsOperator(context, { ...path, user, forMs: banForMs ?? null })
  const { roomId, participantId } = path
  const scope = { roomId, parts: partsOfOperatorRemoval(participantId, user) }
  const { decision, room } = await changeRoom(context, scope, (before, now) =>
    decideOperatorRemoval(before, participantId, now)
  )
  await removeMembershipsOfRemoved(context, room, decision)
}

/** @throws AppError room_not_found, room_closed, participant_not_found */
async function findUser(context: Context, { roomId, participantId }: ParticipantPath): Promise<string> {
  const parts = [PART.settings, PART.participant(participantId), PART.hidden(participantId)]
  const room = await readRoom(context, roomId, parts)
  requireOpenRoom(room)
  const found = findAnyParticipant(room, participantId)
  return found?.user ?? (await findFormerUser(context, { roomId, participantId }))
}

interface OperatorBan extends RoomPath {
  readonly user: string
  /** Null: until the ban is removed. */
  readonly forMs: number | null
}

async function banAsOperator(context: Context, { roomId, user, forMs }: OperatorBan): Promise<void> {
  const scope = {
    roomId,
    read: [PART.settings, PART.user(user)],
    parts: (room: RoomParts) => [PART.settings, ...partsOfBanned(room, user)]
  }
  await commitBan(context, scope, (room, now) => {
    requireOpenRoom(room)
    return ban(room, { user, forMs, by: null }, now)
  })
}

/** The bans in force. @throws AppError room_not_found, room_closed */
export async function listBansAsOperator(context: Context, { roomId }: RoomPath): Promise<Ban[]> {
  const room = await readRoom(context, roomId, [PART.settings, PART.ban('')])
  requireOpenRoom(room)
  return bansInForce(room, context.clock.now())
}

/** Without a ban this changes nothing. @throws AppError room_not_found, room_closed */
export async function removeBanAsOperator(context: Context, { roomId, user }: BanPath): Promise<void> {
  await changeRoom(context, { roomId, parts: [PART.settings, PART.ban(user)] }, room => {
    requireOpenRoom(room)
    return unban(room, user)
  })
}
