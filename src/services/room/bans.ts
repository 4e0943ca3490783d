// Keeping users out of a room.

import { findParticipantRecord, isInForce, partsOfAccess, requireAccess } from '../../domain/room/access.js'
import { decideBan, decideUnban, partsOfBan } from '../../domain/room/bans.js'
import { type Banned, PART, type RoomParts, type RoomUser } from '../../domain/room/state.js'
import { AppError } from '../../errors.js'
import type { Actor } from '../../schemas/claims.js'
import type { Ban, RemoveQuery } from '../../schemas/room.js'
import type { Context } from '../context.js'
import { removeMembershipsOfRemoved } from './memberships.js'
import { readRoom } from './parts.js'
import type { BanPath, ParticipantPath, RoomPath } from './paths.js'
import { changeRoom } from './update-room.js'

/**
 * Bans the user of a participant, also of one that has just left.
 * @throws AppError not_permitted, banned, room_not_found, room_closed, participant_not_found, too_many_bans, rate_limited
 */
export async function banParticipant(
  context: Context,
  actor: Actor,
  { banForMs, ...path }: ParticipantPath & Pick<RemoveQuery, 'banForMs'>
): Promise<void> {
  await context.budgets.spend(actor.user, 'signals')
  const user = await findUserToBan(context, actor, path)
  await banUser(context, actor, { roomId: path.roomId, user, forMs: banForMs ?? null })
}

/** @throws AppError participant_not_found, and what access throws */
async function findUserToBan(
  context: Context,
  actor: Actor,
  { roomId, participantId }: ParticipantPath
): Promise<string> {
  const room = await readRoom(context, roomId, [...partsOfAccess(actor), PART.participant(participantId)])
  const participant = findParticipantRecord(room, participantId)
  if (participant !== null && room.settings?.closed === null) return participant.user
  requireAccess('moderate', room, { actor, now: context.clock.now() })
  const { list } = await readRoom(context, roomId, [PART.users])
  const found = list<RoomUser>(PART.users).find(([, { left }]) =>
    left.some(former => former.participantId === participantId)
  )
  if (found === undefined) throw new AppError('participant_not_found')
  return found[0]
}

interface BanRequest extends BanPath {
  /** Null: until unbanned. */
  readonly forMs: number | null
}

/**
 * The ban and the removal of all the user's devices are one commit; a user who has left meanwhile is banned all the same.
 * @throws AppError not_permitted, banned, room_not_found, room_closed, too_many_bans
 */
async function banUser(context: Context, actor: Actor, { roomId, user, forMs }: BanRequest): Promise<void> {
  const command = { actor, user, forMs }
  const basis = {
    roomId,
    read: [...partsOfAccess(actor), PART.user(user)],
    parts: (room: RoomParts) => partsOfBan(room, command)
  }
  const commit = () => changeRoom(context, basis, (room, now) => decideBan(room, command, now))
  const { decision, room: before } = await commit().catch(async error => {
    if (!(error instanceof AppError && error.code === 'too_many_bans')) throw error
    await forgetLapsedBans(context, roomId)
    return commit()
  })
  await removeMembershipsOfRemoved(context, before, decision)
}

/** Those that have lapsed make room. */
async function forgetLapsedBans(context: Context, roomId: string): Promise<void> {
  const isLapsed = (kept: Banned | null, now: number) => kept !== null && !isInForce(kept, now)
  const { list } = await readRoom(context, roomId, [PART.ban('')])
  const lapsed = list<Banned>(PART.ban('')).flatMap(([user, kept]) => {
    return isLapsed(kept, context.clock.now()) ? [PART.ban(user)] : []
  })
  await changeRoom(context, { roomId, parts: lapsed }, (room, now) => {
    const gone = lapsed.filter(name => isLapsed(room.get<Banned>(name), now))
    return { writes: Object.fromEntries(gone.map(name => [name, null])), events: [] }
  })
}

/** @throws AppError not_permitted, banned, room_not_found, room_closed */
export async function removeBan(context: Context, actor: Actor, { roomId, user }: BanPath): Promise<void> {
  const parts = [...partsOfAccess(actor), PART.ban(user)]
  await changeRoom(context, { roomId, parts }, (room, now) => decideUnban(room, { actor, user }, now))
}

/** @throws AppError not_permitted, banned, room_not_found, room_closed */
export async function listBans(context: Context, actor: Actor, { roomId }: RoomPath): Promise<Ban[]> {
  const now = context.clock.now()
  requireAccess('moderate', await readRoom(context, roomId, partsOfAccess(actor)), { actor, now })
  const bans = await readRoom(context, roomId, [PART.ban('')])
  return bans.list<Banned>(PART.ban('')).flatMap(([user, kept]) => {
    const { by, at, until } = kept
    if (!isInForce(kept, now)) return []
    return [{ user, by, at: new Date(at).toISOString(), expiresInMs: until === null ? null : until - now }]
  })
}
