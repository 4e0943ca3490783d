// Who may not be in a room. A ban holds for the user, whatever their devices.
import * as rules from '../domain/room.js'
import { type Banned, type Member, NOTHING, PART } from '../domain/room-state.js'
import type { Actor } from '../schemas/claims.js'
import type { Ban } from '../schemas/room.js'
import type { Context } from './context.js'
import { changeRoom, readRoom } from './room-commit.js'

/** What somebody's right to moderate stands on. */
export const partsOfModeration = ({ user, device }: Actor) => [PART.settings, PART.member(user, device), PART.ban(user)]

export async function banUser(context: Context, actor: Actor, roomId: string, user: string, forMs: number | null) {
  const seats = await context.store.memberships.list(user)
  const devices = seats.filter(seat => seat.roomId === roomId).map(({ device }) => device)
  const members = devices.map(device => PART.member(user, device))
  const parts = [...partsOfModeration(actor), PART.ban(user), ...members]
  await changeRoom(context, roomId, parts, (room, now) => rules.ban(room, { actor, user, devices, forMs }, now))
}

/** Their other devices go too. */
export async function removeOthers(context: Context, actor: Actor, roomId: string, user: string): Promise<void> {
  const seats = await context.store.memberships.list(user)
  for (const { device, roomId: other } of seats) {
    if (other !== roomId) continue
    const parts = [...partsOfModeration(actor), PART.member(user, device)]
    await changeRoom(context, roomId, parts, (room, now) => {
      const target = room.get<Member>(PART.member(user, device))
      return target ? rules.remove(room, { actor, target }, now) : NOTHING
    })
  }
}

/** @throws AppError not_permitted, banned, room_not_found */
export async function unbanUser(context: Context, actor: Actor, roomId: string, user: string): Promise<void> {
  const parts = [...partsOfModeration(actor), PART.ban(user)]
  await changeRoom(context, roomId, parts, (room, now) => rules.unban(room, { actor, user }, now))
}

/** @throws AppError not_permitted, room_not_found */
export async function listBans(context: Context, actor: Actor, roomId: string): Promise<Ban[]> {
  const room = await readRoom(context, roomId, [...partsOfModeration(actor), PART.ban('')])
  const now = context.clock.now()
  rules.mayModerate(room, actor, now)
  return room.list<Banned>(PART.ban('')).flatMap(([user, ban]) => {
    const { by, at, until } = ban
    if (!rules.isInForce(ban, now)) return []
    return [{ user, by, at: new Date(at).toISOString(), expiresInMs: until === null ? null : until - now }]
  })
}
