// Banning users from a room.
import { findParticipantRecord, isInForce, partsOfAccess, requireAccess } from '../../domain/room/access.js'
import { decideBan, decideUnban, partsOfBan } from '../../domain/room/bans.js'
import { type BanRecord, PART, type RoomDecision, type RoomParts, type RoomUser } from '../../domain/room/state.js'
import { AppError } from '../../errors.js'
import type { Actor } from '../../schemas/claims.js'
import type { Ban, RemoveQuery } from '../../schemas/room.js'
import type { Context } from '../context.js'
import { removeMembershipsOfRemoved } from './memberships.js'
import { type ReadRoom, readRoom } from './parts.js'
import type { BanPath, ParticipantPath, RoomPath } from './paths.js'
import { changeRoom, type RoomScope } from './update-room.js'

/**
 * Bans the user of a participant. The participant may have left up to a minute ago.
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

/** @throws AppError participant_not_found, and what requireAccess throws */
async function findUserToBan(
  context: Context,
  actor: Actor,
  { roomId, participantId }: ParticipantPath
): Promise<string> {
  const room = await readRoom(context, roomId, [...partsOfAccess(actor), PART.participant(participantId)])
  const participant = findParticipantRecord(room, participantId)
  if (participant !== null && room.settings?.closed === null) return participant.user
  requireAccess('moderate', room, { actor, now: context.clock.now() })
  return findFormerUser(context, { roomId, participantId })
}

/** The user of a participant who left up to a minute ago. @throws AppError participant_not_found */
export async function findFormerUser(context: Context, { roomId, participantId }: ParticipantPath): Promise<string> {
  const { list } = await readRoom(context, roomId, [PART.users])
  const found = list<RoomUser>(PART.users).find(([, { left }]) =>
    left.some(former => former.participantId === participantId)
  )
  if (found === undefined) throw new AppError('participant_not_found')
  return found[0]
}

interface BanRequest extends BanPath {
  /** Null: until the ban is removed. */
  readonly forMs: number | null
}

/**
 * One commit writes the ban and removes all devices of the user. A user whose devices have left is banned too.
 * @throws AppError not_permitted, banned, room_not_found, room_closed, too_many_bans
 */
async function banUser(context: Context, actor: Actor, { roomId, user, forMs }: BanRequest): Promise<void> {
  const command = { actor, user, forMs }
  const basis = {
    roomId,
    read: [...partsOfAccess(actor), PART.user(user)],
    parts: (room: RoomParts) => partsOfBan(room, command)
  }
  await commitBan(context, basis, (room, now) => decideBan(room, command, now))
}

/** If the room has too many bans, those that have lapsed are removed first. @throws AppError too_many_bans, and what `decide` throws */
export async function commitBan(
  context: Context,
  scope: RoomScope,
  decide: (room: ReadRoom, now: number) => RoomDecision
): Promise<void> {
  const commit = () => changeRoom(context, scope, decide)
  const { decision, room: before } = await commit().catch(async error => {
    if (!(error instanceof AppError && error.code === 'too_many_bans')) throw error
    await removeLapsedBans(context, scope.roomId)
    return commit()
  })
  await removeMembershipsOfRemoved(context, before, decision)
}

/** Makes room for new bans. A ban that is renewed between the read and the commit is kept. */
async function removeLapsedBans(context: Context, roomId: string): Promise<void> {
  const isLapsed = (ban: BanRecord | null, now: number) => ban !== null && !isInForce(ban, now)
  const { list } = await readRoom(context, roomId, [PART.ban('')])
  const found = list<BanRecord>(PART.ban('')).filter(([, ban]) => isLapsed(ban, context.clock.now()))
  const parts = found.map(([user]) => PART.ban(user))
  await changeRoom(context, { roomId, parts }, (room, now) => {
    const lapsed = parts.filter(part => isLapsed(room.get<BanRecord>(part), now))
    return { writes: Object.fromEntries(lapsed.map(part => [part, null])), events: [] }
  })
}

/** Removes the ban of a user, if there is one. @throws AppError not_permitted, banned, room_not_found, room_closed */
export async function removeBan(context: Context, actor: Actor, { roomId, user }: BanPath): Promise<void> {
  const parts = [...partsOfAccess(actor), PART.ban(user)]
  await changeRoom(context, { roomId, parts }, (room, now) => decideUnban(room, { actor, user }, now))
}

/** The bans in force. @throws AppError not_permitted, banned, room_not_found, room_closed */
export async function listBans(context: Context, actor: Actor, { roomId }: RoomPath): Promise<Ban[]> {
  const now = context.clock.now()
  requireAccess('moderate', await readRoom(context, roomId, partsOfAccess(actor)), { actor, now })
  return bansInForce(await readRoom(context, roomId, [PART.ban('')]), now)
}

/** `room` has PART.ban. */
export const bansInForce = (room: RoomParts, now: number): Ban[] =>
  room.list<BanRecord>(PART.ban('')).flatMap(([user, ban]) => {
    const { by, at, until } = ban
    if (!isInForce(ban, now)) return []
    return [{ user, by, at: new Date(at).toISOString(), expiresInMs: until === null ? null : until - now }]
  })
