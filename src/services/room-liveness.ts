// Who is still in a room. A device whose stream breaks is away at once; if it is not back in time it has left.
import { partsOfEnd, withAllEnded } from '../domain/invitation.js'
import { comeBack, goAway, leave } from '../domain/room.js'
import { closeIfEmpty } from '../domain/room-life.js'
import { type Member, NOTHING, PART, type RoomDecision } from '../domain/room-state.js'
import type { Actor } from '../schemas/claims.js'
import type { Endpoint } from '../schemas/common.js'
import { deviceAbsentSince } from './absence.js'
import { catchUpChat } from './chat-delivery.js'
import type { Context } from './context.js'
import { checkInvitations } from './ringing.js'
import { changeRoom, readRoom, tell } from './room-commit.js'

/** The device has a stream again, or polls: its rooms hear that it is back. */
export async function greetRooms(context: Context, actor: Actor): Promise<void> {
  await Promise.all(
    (await roomsOf(context, actor)).map(roomId => changeMember(context, roomId, actor, member => comeBack(member)))
  )
}

/** Its stream or poll is over. One that polls still counts as there; it is looked at when it would no longer. */
export async function missRooms(context: Context, actor: Actor): Promise<void> {
  const rooms = await roomsOf(context, actor)
  if (rooms.length === 0) return
  const since = await deviceAbsentSince(context, actor, context.clock.now())
  const { awayAfterMs, roomReconnectMs } = context.config
  await Promise.all(
    rooms.map(async roomId => {
      if (since === null) return context.store.rooms.hasten(roomId, context.clock.now() + awayAfterMs)
      await changeMember(context, roomId, actor, (member, now) => ({
        ...goAway(member, now),
        deadlineAt: now + roomReconnectMs
      }))
    })
  )
}

/** The room's time has come: who is away, back or lost, and whether anybody is left. */
export async function checkRoom(context: Context, roomId: string): Promise<void> {
  const room = await readRoom(context, roomId, 'all')
  if (room.settings === null || room.settings.closed !== null) return
  if (room.pendingFrom !== null) await tell(context, roomId)
  catchUpChat(context, roomId)
  const members = room.list<Member>(PART.members).map(([, member]) => member)
  const deadlines = await Promise.all(members.map(member => checkMember(context, roomId, member)))
  const next = Math.min(...deadlines, await checkInvitations(context, room))
  if (Number.isFinite(next)) await context.store.rooms.hasten(roomId, next)
  if (members.length > 0) return
  const { roomLingerMs } = context.config
  await changeRoom(context, roomId, partsOfEnd, (now, at) =>
    withAllEnded(now, closeIfEmpty(now, roomLingerMs, at), null, at)
  )
  catchUpChat(context, roomId)
}

/** Resolves to when this member has to be looked at again. */
async function checkMember(context: Context, roomId: string, seen: Member): Promise<number> {
  const { awayAfterMs, roomReconnectMs } = context.config
  const since = await deviceAbsentSince(context, seen, seen.joinedAt)
  if (since === null) {
    if (seen.awaySince !== null) await changeMember(context, roomId, seen, comeBack)
    return Number.POSITIVE_INFINITY
  }
  const now = context.clock.now()
  if (seen.awaySince === null && now < since + awayAfterMs) return since + awayAfterMs
  if (seen.awaySince !== null && now < seen.awaySince + roomReconnectMs) return seen.awaySince + roomReconnectMs
  await changeMember(context, roomId, seen, (member, at) => {
    if (member.participantId !== seen.participantId || member.awaySince !== seen.awaySince) return NOTHING
    return member.awaySince === null ? goAway(member, at) : leave(member, 'lost', null, at)
  })
  if (seen.awaySince === null) return now + roomReconnectMs
  await context.store.memberships.remove(seen, roomId)
  return Number.POSITIVE_INFINITY
}

async function changeMember(
  context: Context,
  roomId: string,
  { user, device }: Endpoint,
  decide: (member: Member, now: number) => RoomDecision
): Promise<void> {
  await changeRoom(context, roomId, [PART.settings, PART.member(user, device)], (room, now) => {
    const member = room.get<Member>(PART.member(user, device))
    return member === null || room.settings?.closed !== null ? NOTHING : decide(member, now)
  })
}

async function roomsOf(context: Context, { user, device }: Endpoint): Promise<string[]> {
  const seats = await context.store.memberships.list(user)
  return seats.filter(seat => seat.device === device).map(({ roomId }) => roomId)
}
