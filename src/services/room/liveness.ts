// Who is still in a room. A device whose stream breaks is away at once; if it is not back in time it has left.

import { readOfEnd } from '../../domain/room/invitation.js'
import { AHEAD } from '../../domain/room/invitation-cancel.js'
import { closeIfEmpty, emptyUntil, expireAgain } from '../../domain/room/lifecycle.js'
import { comeBack, goAway, leave } from '../../domain/room/participants.js'
import { type Member, NOTHING, PART, type RoomDecision } from '../../domain/room/state.js'
import { AppError } from '../../errors.js'
import type { Actor } from '../../schemas/claims.js'
import type { Endpoint } from '../../schemas/common.js'
import { catchUpChat } from '../chat/deliver-to-service.js'
import type { Context } from '../context.js'
import { type DeviceLiveness, deviceAbsentSince, graceStart, livenessOf } from '../device/liveness.js'
import { endRoom } from './end-room.js'
import { forgetUsers } from './former-users.js'
import { participationsOf } from './memberships.js'
import { type ReadRoom, readRoom } from './parts.js'
import { checkInvitations } from './ringing-invitations.js'
import { confirmRoom } from './room-service.js'
import { changeOpenRoom, changeRoom, type RoomBasis, startFanout } from './update-room.js'

/** The device has a stream again, or polls: the other participants of its rooms see that it is back. */
export async function greetRooms(context: Context, actor: Actor): Promise<void> {
  const found = await participationsOf(context, actor)
  const away = found.filter(({ member }) => member.awaySince !== null)
  await Promise.all(away.map(({ roomId }) => announce(context, roomId, actor, comeBack)))
}

/** Its stream or poll is over. One that polls still counts as there; it is looked at when it would no longer. */
export async function missRooms(context: Context, actor: Actor): Promise<void> {
  const rooms = await participationsOf(context, actor)
  if (rooms.length === 0) return
  const since = await deviceAbsentSince(context, actor, context.clock.now())
  const { awayAfterMs, roomReconnectMs } = context.config
  await Promise.all(
    rooms.map(async ({ roomId }) => {
      if (since === null) return context.store.rooms.bringForward(roomId, context.clock.now() + awayAfterMs)
      await announce(context, roomId, actor, (member, now) => ({
        ...goAway(member, now),
        deadlineAt: now + roomReconnectMs
      }))
    })
  )
}

/**
 * Everybody in the room gets it, and the user is charged for it: a device may come and go many times a second. When the budget is spent
 * the room's check announces what has lasted.
 */
async function announce(context: Context, roomId: string, actor: Actor, decide: MemberRule): Promise<void> {
  await changeMember(context, roomId, { ...actor, payer: actor.user }, decide).catch(async error => {
    if (!(error instanceof AppError && error.code === 'rate_limited')) throw error
    await context.store.rooms.bringForward(roomId, context.clock.now() + context.config.awayAfterMs)
  })
}

/**
 * The room's time has come, and was claimed: who is away, back or lost, and whether anybody is left. Then it rests until something
 * can be true that nobody would notice. That is looked up, not kept: whoever comes or goes hastens the room.
 */
export async function checkRoom(context: Context, roomId: string, claimedUntil: number): Promise<void> {
  const room = await readRoom(context, roomId, [...readOfEnd, PART.members, PART.users, AHEAD])
  // Its expiry has begun with its end; a commit that crossed the end may have stopped it.
  if (room.settings?.closed !== null) {
    await changeRoom(context, { roomId, parts: [PART.settings] }, expireAgain)
    return
  }
  if (room.publishedVersion < room.version) startFanout(context, roomId)
  catchUpChat(context, roomId)
  confirmRoom(context, roomId)
  await forgetUsers(context, room)
  const [members, invitations] = await Promise.all([checkMembers(context, room), checkInvitations(context, room)])
  const end = room.memberCount > 0 ? NEVER : await endIfEmpty(context, room)
  // A room in which nothing can happen by itself is looked at now and then all the same.
  const atLast = context.clock.now() + context.config.retentionMs
  await context.store.rooms.rest(roomId, { claimedUntil, at: Math.min(members, invitations, end, atLast) })
}

const NEVER = Number.POSITIVE_INFINITY

/** Resolves to when the room will have been empty for long enough. */
async function endIfEmpty(context: Context, room: ReadRoom): Promise<number> {
  const { roomLingerMs } = context.config
  const emptySince = room.emptySince === null ? null : Math.max(room.emptySince, graceStart(context))
  const until = emptyUntil({ ...room, emptySince }, roomLingerMs)
  if (until === null || until > context.clock.now()) return until ?? NEVER
  await endRoom(context, { roomId: room.roomId }, (parts, now) => closeIfEmpty(parts, roomLingerMs, now))
  return NEVER
}

/** Resolves to when the first of them has to be looked at again. Users are read once, however many of their devices are in. */
async function checkMembers(context: Context, room: ReadRoom): Promise<number> {
  const members = room.list<Member>(PART.members).map(([, member]) => member)
  const now = context.clock.now()
  const users = [...new Set(members.map(({ user }) => user))]
  const found = await Promise.all(users.map(user => context.store.mailboxes.devices(user, now)))
  const devices = new Map(users.map((user, i) => [user, found[i] ?? []]))
  const looks = members.map(async member => {
    const { user, device, joinedAt: otherwise } = member
    const standing = livenessOf(context, device, { devices: devices.get(user) ?? [], otherwise })
    return checkMember(context, room.roomId, member, standing)
  })
  return Math.min(...(await Promise.all(looks)))
}

/** Resolves to when this member has to be looked at again. */
async function checkMember(context: Context, roomId: string, seen: Member, standing: DeviceLiveness): Promise<number> {
  const { awayAfterMs, roomReconnectMs } = context.config
  if ('liveUntil' in standing) {
    if (seen.awaySince !== null) await changeMember(context, roomId, seen, comeBack)
    return standing.liveUntil
  }
  const since = standing.absentSince
  const now = context.clock.now()
  if (seen.awaySince === null && now < since + awayAfterMs) return since + awayAfterMs
  const lostAt = seen.awaySince === null ? NEVER : Math.max(seen.awaySince, since) + roomReconnectMs
  if (seen.awaySince !== null && now < lostAt) return lostAt
  await changeMember(context, roomId, seen, (member, at, room) => {
    if (member.participantId !== seen.participantId || member.awaySince !== seen.awaySince) return NOTHING
    return member.awaySince === null ? goAway(member, at) : leave(room, member, { reason: 'lost', by: null, now: at })
  })
  if (seen.awaySince === null) return now + roomReconnectMs
  await context.store.memberships.remove(seen, roomId)
  return NEVER
}

type MemberRule = (member: Member, now: number, room: ReadRoom) => RoomDecision

async function changeMember(
  context: Context,
  roomId: string,
  { user, device, payer }: Endpoint & Pick<RoomBasis, 'payer'>,
  decide: MemberRule
): Promise<void> {
  const parts = [PART.member({ user, device }), PART.user(user)]
  await changeOpenRoom(context, { roomId, parts, payer }, (room, now) => {
    const member = room.get<Member>(PART.member({ user, device }))
    return member === null ? NOTHING : decide(member, now, room)
  })
}
