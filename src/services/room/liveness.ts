// Who is still in a room. A device whose stream breaks is away at once; if it is not back in time it has left.

import { partsReadForEnd } from '../../domain/room/invitation.js'
import { EARLY_CANCELS } from '../../domain/room/invitation-cancel.js'
import { closesAt, decideCloseEmpty, restartExpiry } from '../../domain/room/lifecycle.js'
import { leaveRoom, markAway, markBack } from '../../domain/room/participants.js'
import { NO_CHANGE, PART, type ParticipantRecord, type RoomDecision } from '../../domain/room/state.js'
import { AppError } from '../../errors.js'
import type { Actor } from '../../schemas/claims.js'
import type { Endpoint } from '../../schemas/common.js'
import { resumeChatDelivery } from '../chat/deliver-to-service.js'
import type { Context } from '../context.js'
import { type DeviceLiveness, deviceAbsentSince, graceStart, livenessOf } from '../device/liveness.js'
import { endRoom } from './end-room.js'
import { removeFormerUsers } from './former-users.js'
import { currentParticipations } from './memberships.js'
import { type ReadRoom, readRoom } from './parts.js'
import { checkInvitations } from './ringing-invitations.js'
import { compareWithService } from './room-service.js'
import { changeOpenRoom, changeRoom, type RoomScope, startFanout } from './update-room.js'

/** The device has a stream again, or polls: the other participants of its rooms see that it is back. */
export async function markBackInRooms(context: Context, actor: Actor): Promise<void> {
  const found = await currentParticipations(context, actor)
  const away = found.filter(({ participant }) => participant.awaySince !== null)
  await Promise.all(away.map(({ roomId }) => publishLiveness(context, participantAt(roomId, actor), markBack)))
}

/** Its stream or poll is over. One that polls still counts as there; it is looked at when it would no longer. */
export async function markAwayInRooms(context: Context, actor: Actor): Promise<void> {
  const rooms = await currentParticipations(context, actor)
  if (rooms.length === 0) return
  const since = await deviceAbsentSince(context, actor, context.clock.now())
  const { awayAfterMs, roomReconnectMs } = context.config
  await Promise.all(
    rooms.map(async ({ roomId }) => {
      if (since === null) return context.store.rooms.bringForward(roomId, context.clock.now() + awayAfterMs)
      await publishLiveness(context, participantAt(roomId, actor), (participant, now) => ({
        ...markAway(participant, now),
        deadlineAt: now + roomReconnectMs
      }))
    })
  )
}

/**
 * Everybody in the room gets it, and the user is charged for it: a device may come and go many times a second. When the budget is spent
 * the room's check announces what has lasted.
 */
async function publishLiveness(context: Context, target: DeviceInRoom, decide: ParticipantRule): Promise<void> {
  await changeParticipant(context, { ...target, payer: target.user }, decide).catch(async error => {
    if (!(error instanceof AppError && error.code === 'rate_limited')) throw error
    await context.store.rooms.bringForward(target.roomId, context.clock.now() + context.config.awayAfterMs)
  })
}

/**
 * The room's time has come, and was claimed: who is away, back or lost, and whether anybody is left. Then it rests until something
 * can be true that nobody would notice. That is looked up, not kept: whoever comes or goes hastens the room.
 */
export async function checkRoom(context: Context, roomId: string, claimedUntil: number): Promise<void> {
  const room = await readRoom(context, roomId, [...partsReadForEnd, PART.participants, PART.users, EARLY_CANCELS])
  // Its expiry has begun with its end; a commit that crossed the end may have stopped it.
  if (room.settings?.closed !== null) {
    await changeRoom(context, { roomId, parts: [PART.settings] }, restartExpiry)
    return
  }
  if (room.publishedVersion < room.version) startFanout(context, roomId)
  resumeChatDelivery(context, roomId)
  compareWithService(context, roomId)
  await removeFormerUsers(context, room)
  const [participants, invitations] = await Promise.all([
    checkParticipants(context, room),
    checkInvitations(context, room)
  ])
  const end = room.participantCount > 0 ? NEVER : await endIfEmpty(context, room)
  // A room in which nothing can happen by itself is looked at now and then all the same.
  const atLast = context.clock.now() + context.config.retentionMs
  await context.store.rooms.settleClaim(roomId, { claimedUntil, at: Math.min(participants, invitations, end, atLast) })
}

const NEVER = Number.POSITIVE_INFINITY

/** Resolves to when the room will have been empty for long enough. */
async function endIfEmpty(context: Context, room: ReadRoom): Promise<number> {
  const { roomLingerMs } = context.config
  const emptySince = room.emptySince === null ? null : Math.max(room.emptySince, graceStart(context))
  const until = closesAt({ ...room, emptySince }, roomLingerMs)
  if (until === null || until > context.clock.now()) return until ?? NEVER
  await endRoom(context, { roomId: room.roomId }, (parts, now) => decideCloseEmpty(parts, roomLingerMs, now))
  return NEVER
}

/** Resolves to when the first of them has to be looked at again. Users are read once, however many of their devices are in. */
async function checkParticipants(context: Context, room: ReadRoom): Promise<number> {
  const participants = room.list<ParticipantRecord>(PART.participants).map(([, participant]) => participant)
  const now = context.clock.now()
  const users = [...new Set(participants.map(({ user }) => user))]
  const found = await Promise.all(users.map(user => context.store.mailboxes.devices(user, now)))
  const devices = new Map(users.map((user, i) => [user, found[i] ?? []]))
  const looks = participants.map(async participant => {
    const { user, device, joinedAt: otherwise } = participant
    const liveness = livenessOf(context, device, { devices: devices.get(user) ?? [], otherwise })
    return checkParticipant(context, room.roomId, { seen: participant, liveness })
  })
  return Math.min(...(await Promise.all(looks)))
}

interface SeenParticipant {
  /** As it was read. */
  readonly seen: ParticipantRecord
  /** Of its device. */
  readonly liveness: DeviceLiveness
}

/** Resolves to when this participant has to be looked at again. */
async function checkParticipant(
  context: Context,
  roomId: string,
  { seen, liveness }: SeenParticipant
): Promise<number> {
  const { awayAfterMs, roomReconnectMs } = context.config
  const target = participantAt(roomId, seen)
  if ('liveUntil' in liveness) {
    if (seen.awaySince !== null) await changeParticipant(context, target, markBack)
    return liveness.liveUntil
  }
  const since = liveness.absentSince
  const now = context.clock.now()
  if (seen.awaySince === null && now < since + awayAfterMs) return since + awayAfterMs
  const lostAt = seen.awaySince === null ? NEVER : Math.max(seen.awaySince, since) + roomReconnectMs
  if (seen.awaySince !== null && now < lostAt) return lostAt
  await changeParticipant(context, target, (participant, at, room) => {
    if (participant.participantId !== seen.participantId || participant.awaySince !== seen.awaySince) return NO_CHANGE
    return participant.awaySince === null
      ? markAway(participant, at)
      : leaveRoom(room, participant, { reason: 'lost', by: null, now: at })
  })
  if (seen.awaySince === null) return now + roomReconnectMs
  await context.store.memberships.remove(seen, roomId)
  return NEVER
}

type ParticipantRule = (participant: ParticipantRecord, now: number, room: ReadRoom) => RoomDecision

interface DeviceInRoom extends Endpoint, Pick<RoomScope, 'roomId' | 'payer'> {}

const participantAt = (roomId: string, { user, device }: Endpoint): DeviceInRoom => ({ roomId, user, device })

async function changeParticipant(
  context: Context,
  { roomId, user, device, payer }: DeviceInRoom,
  decide: ParticipantRule
): Promise<void> {
  const parts = [PART.participantOf({ user, device }), PART.user(user)]
  await changeOpenRoom(context, { roomId, parts, payer }, (room, now) => {
    const participant = room.get<ParticipantRecord>(PART.participantOf({ user, device }))
    return participant === null ? NO_CHANGE : decide(participant, now, room)
  })
}
