// Keeping users out of a room.

import { isInForce, partsOfAccess, requireAccess } from '../../domain/room/access.js'
import { decideBan, decideUnban, partsOfBan } from '../../domain/room/bans.js'
import { type Banned, PART } from '../../domain/room/state.js'
import { AppError } from '../../errors.js'
import type { Actor } from '../../schemas/claims.js'
import type { Ban } from '../../schemas/room.js'
import type { Context } from '../context.js'
import { removeMembershipsOfRemoved } from './memberships.js'
import { readRoom } from './parts.js'
import { changeRoom } from './update-room.js'

interface BanRequest {
  readonly actor: Actor
  readonly user: string
  /** Null: until unbanned. */
  readonly forMs: number | null
}

/**
 * The ban and the removal of all the user's devices are one commit; a user who has left meanwhile is banned all the same.
 * @throws AppError not_permitted, banned, room_not_found, room_closed, too_many_bans
 */
export async function banUser(context: Context, roomId: string, request: BanRequest): Promise<void> {
  const { actor, user } = request
  const basis = {
    roomId,
    read: [...partsOfAccess(actor), PART.user(user)],
    parts: (room: Parameters<typeof partsOfBan>[0]) => partsOfBan(room, request)
  }
  const commit = () => changeRoom(context, basis, (room, now) => decideBan(room, request, now))
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
export async function removeBan(context: Context, actor: Actor, roomId: string, user: string): Promise<void> {
  const parts = [...partsOfAccess(actor), PART.ban(user)]
  await changeRoom(context, { roomId, parts }, (room, now) => decideUnban(room, { actor, user }, now))
}

/** @throws AppError not_permitted, banned, room_not_found, room_closed */
export async function listBans(context: Context, actor: Actor, roomId: string): Promise<Ban[]> {
  const now = context.clock.now()
  requireAccess('moderate', await readRoom(context, roomId, partsOfAccess(actor)), { actor, now })
  const bans = await readRoom(context, roomId, [PART.ban('')])
  return bans.list<Banned>(PART.ban('')).flatMap(([user, kept]) => {
    const { by, at, until } = kept
    if (!isInForce(kept, now)) return []
    return [{ user, by, at: new Date(at).toISOString(), expiresInMs: until === null ? null : until - now }]
  })
}
