// Which devices are still in a room. A device whose stream closes is away at once, and leaves the room as `lost` after ROOM_RECONNECT_MS.
import { EARLY_CANCELS } from '../../domain/room/invitation-cancel.js'
import { partsReadForEnd } from '../../domain/room/invitation-end.js'
import { closesAt, decideCloseEmpty, restartExpiry } from '../../domain/room/lifecycle.js'
import { leaveRoom, markAway, markReturned } from '../../domain/room/participants.js'
import { NO_CHANGE, PART, type ParticipantRecord, type RoomDecision } from '../../domain/room/state.js'
import { AppError } from '../../errors.js'
import type { Actor } from '../../schemas/claims.js'
import type { Endpoint } from '../../schemas/common.js'
import { resumeChatDelivery } from '../chat/deliver-to-service.js'
import type { Context } from '../context.js'
import { absenceCountsFrom, type DeviceLiveness, deviceAbsentSince, livenessOf } from '../device/liveness.js'
import { checkMedia } from '../sfu/reconcile.js'
import { checkWhipClients } from '../whip/lost-clients.js'
import { endRoom } from './end-room.js'
import { removeFormerUsers } from './former-users.js'
import { checkHidden } from './lost-hidden.js'
import { currentParticipations } from './memberships.js'
import { type ReadRoom, readRoom } from './parts.js'
import { checkInvitations } from './ringing-invitations.js'
import { compareWithService } from './room-service.js'
import { changeOpenRoom, changeRoom, type RoomScope, startRoomFanout } from './update-room.js'

/** The device has connected: it is no longer away in its rooms. */
export async function markReturnedInRooms(context: Context, actor: Actor): Promise<void> {
  const found = await currentParticipations(context, actor)
  const away = found.filter(({ participant }) => participant.awaySince !== null)
  await Promise.all(away.map(({ roomId }) => publishLiveness(context, participantAt(roomId, actor), markReturned)))
}

/**
 * The stream or poll of the device has ended. If it still counts as live, as between two polls, its rooms are checked
 * when that ends.
 */
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
 * The user is charged for the event that all participants receive, because a device may connect and disconnect many times a second. When
 * the budget is spent, the next check of the room publishes the state that the device has then.
 */
async function publishLiveness(context: Context, target: DeviceInRoom, decide: ParticipantRule): Promise<void> {
  await changeParticipant(context, { ...target, payer: target.user }, decide).catch(async error => {
    if (!(error instanceof AppError && error.code === 'rate_limited')) throw error
    await context.store.rooms.bringForward(target.roomId, context.clock.now() + context.config.awayAfterMs)
  })
}

/**
 * The room's deadline has come, and this node has claimed it. Finds devices that are away, back or lost, and closes a room that was empty
 * for long enough. The next deadline is the earliest time at which one of these can change without a request; whatever changes them by a
 * request brings the deadline forward.
 */
export async function checkRoom(context: Context, roomId: string, claimedUntil: number): Promise<void> {
  const room = await readRoom(context, roomId, [
    ...partsReadForEnd,
    PART.participants,
    PART.hiddenParticipants,
    PART.users,
    EARLY_CANCELS
  ])
  // A room expires from its end on. A commit that was decided before the end and written after it has stopped the expiry.
  if (room.settings?.closed !== null) {
    await changeRoom(context, { roomId, parts: [PART.settings] }, restartExpiry)
    return
  }
  if (room.publishedVersion < room.version) startRoomFanout(context, roomId)
  resumeChatDelivery(context, roomId)
  compareWithService(context, roomId)
  await removeFormerUsers(context, room)
  const participants = room.list<ParticipantRecord>(PART.participants).map(([, participant]) => participant)
  const hidden = room.list<ParticipantRecord>(PART.hiddenParticipants).map(([, participant]) => participant)
  const isWhip = ({ whip }: ParticipantRecord) => whip !== undefined
  const devices = participants.filter(participant => !isWhip(participant))
  const checks = await Promise.all([
    checkParticipants(context, room.roomId, devices),
    checkWhipClients(context, room, participants.filter(isWhip)),
    checkInvitations(context, room),
    checkMedia(context, room, [...participants, ...hidden]),
    checkHidden(context, room, hidden)
  ])
  const end = room.participantCount > 0 ? NEVER : await endIfEmpty(context, room)
  // Also a room in which nothing is due is checked once in RETENTION_MS.
  const latest = context.clock.now() + context.config.retentionMs
  await context.store.rooms.settleClaim(roomId, { claimedUntil, at: Math.min(...checks, end, latest) })
}

const NEVER = Number.POSITIVE_INFINITY

/** Closes the room if it was empty for long enough. Resolves to when it will have been, or to NEVER. */
async function endIfEmpty(context: Context, room: ReadRoom): Promise<number> {
  const { roomLingerMs } = context.config
  const emptySince = room.emptySince === null ? null : Math.max(room.emptySince, absenceCountsFrom(context))
  const until = closesAt({ ...room, emptySince }, roomLingerMs)
  if (until === null || until > context.clock.now()) return until ?? NEVER
  await endRoom(context, { roomId: room.roomId }, (parts, now) => decideCloseEmpty(parts, roomLingerMs, now))
  return NEVER
}

/** Resolves to when the first participant has to be checked again. Each user is read once, with all devices. */
async function checkParticipants(
  context: Context,
  roomId: string,
  participants: readonly ParticipantRecord[]
): Promise<number> {
  const now = context.clock.now()
  const users = [...new Set(participants.map(({ user }) => user))]
  const found = await Promise.all(users.map(user => context.store.mailboxes.devices(user, now)))
  const devices = new Map(users.map((user, i) => [user, found[i] ?? []]))
  const checks = participants.map(async participant => {
    const { user, device, joinedAt: otherwise } = participant
    const liveness = livenessOf(context, device, { devices: devices.get(user) ?? [], otherwise })
    return checkParticipant(context, roomId, { seen: participant, liveness })
  })
  return Math.min(...(await Promise.all(checks)))
}

interface SeenParticipant {
  /** The record as it was read. */
  readonly seen: ParticipantRecord
  /** The liveness of its device. */
  readonly liveness: DeviceLiveness
}

/** Resolves to when this participant has to be checked again. */
async function checkParticipant(
  context: Context,
  roomId: string,
  { seen, liveness }: SeenParticipant
): Promise<number> {
  const { awayAfterMs, roomReconnectMs } = context.config
  const target = participantAt(roomId, seen)
  if ('liveUntil' in liveness) {
    if (seen.awaySince !== null) await changeParticipant(context, target, markReturned)
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
