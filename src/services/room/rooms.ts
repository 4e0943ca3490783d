// What people do in a room. Each reads the parts of the room its rule looks at, decides, and commits if none of them changed.

import { endpoint } from '../../domain/endpoint.js'
import {
  findParticipantRecord,
  partsOfAccess,
  requireAccess,
  requireOpenRoom,
  roomUser
} from '../../domain/room/access.js'
import { acceptOnJoin, withdrawInvitation } from '../../domain/room/invitation.js'
import { decideClose, decideSettings } from '../../domain/room/lifecycle.js'
import * as rules from '../../domain/room/participants.js'
import {
  PART,
  type ParticipantRecord,
  participantIdOf,
  type RoomDecision,
  type RoomParts,
  type RoomUser,
  type Settings,
  viewParticipant,
  viewRoom
} from '../../domain/room/state.js'
import { AppError } from '../../errors.js'
import type { Actor } from '../../schemas/claims.js'
import type { Endpoint } from '../../schemas/common.js'
import type {
  JoinedRoom,
  JoinRoomRequest,
  JoinRoomResponse,
  Participant,
  RemoveQuery,
  Room,
  RoomAndParticipants,
  RoomRequest,
  UpdateParticipantRequest
} from '../../schemas/room.js'
import { formatCursor } from '../../store/cursor.js'
import type { Context } from '../context.js'
import { recordKeepalive, registerDevice } from '../device/keepalive.js'
import { checkMetadata } from '../metadata-bounds.js'
import { runUnlimited } from '../unlimited-action.js'
import { banUser } from './bans.js'
import { endRoom } from './end-room.js'
import { addMembership, currentParticipations, removeMemberships, restoreMembership } from './memberships.js'
import { type ReadRoom, readRoom } from './parts.js'
import { readServiceSettings } from './room-service.js'
import { changeRoom } from './update-room.js'

/**
 * Makes the room if need be. A device that is in already gets its old participation.
 * @throws AppError not_permitted, banned, room_not_found, room_closed, room_locked, room_full, too_many_rooms, rate_limited,
 *   room_service_unavailable, store_unavailable
 */
export async function joinRoom(
  context: Context,
  actor: Actor,
  roomId: string,
  body: JoinRoomRequest
): Promise<JoinRoomResponse & { readonly joined: boolean }> {
  checkMetadata(body.metadata)
  const participantId = participantIdOf(actor, context.ids.tag() + context.ids.tag())
  const serviceSettings = await readServiceSettings(context, actor, roomId)
  const command = {
    actor,
    participantId,
    metadata: body.metadata ?? {},
    replace: body.replace === true,
    maxParticipants: context.config.roomMaxParticipants,
    serviceSettings
  }
  const decide = (room: ReadRoom, now: number) => {
    // A device that never opens a stream is away after this.
    const deadlineAt = now + context.config.awayAfterMs
    return { ...acceptOnJoin(room, rules.decideJoin(room, command, now), { actor, now }), deadlineAt }
  }
  // A refusal comes before anything is kept or charged.
  const first = await readRoom(context, roomId, partsOfAccess(actor))
  await chargeCreate(context, actor, decide(first, context.clock.now()))
  const cursor = await registerDevice(context, actor)
  const basis = { roomId, parts: partsOfAccess(actor), payer: actor.user }
  const participation = { user: actor.user, device: actor.device, participantId }
  // Before the commit: an entry too many, left by a crash in between, is found; one too few would not be.
  const isIn = first.get<ParticipantRecord>(PART.participantOf(actor)) !== null
  if (!isIn || command.replace) await addMembership(context, participation, roomId)
  const { room, participants } = await changeRoom(context, basis, decide)
    .then(() => describeRoom(context, roomId))
    .catch(async error => {
      await restoreMembership(context, participation, roomId)
      throw error
    })
  const own = participants.find(each => each.user === actor.user && each.device === actor.device)
  if (!own) throw new AppError('not_in_room', { detail: 'Removed in the moment of joining' })
  // It is in already, or another request of the same device came in between: they are one participation.
  const joined = own.participantId === participantId
  if (!joined) await addMembership(context, own, roomId)
  return { room, participants, participantId: own.participantId, cursor: formatCursor(cursor), joined }
}

/** A room that is made is charged to its maker. @throws AppError rate_limited */
async function chargeCreate(context: Context, actor: Actor, { createsRoom }: RoomDecision): Promise<void> {
  if (createsRoom) await context.budgets.spend(actor.user, 'rooms')
}

/** @throws AppError not_permitted, banned, room_not_found, room_closed */
export async function getRoom(context: Context, actor: Actor, roomId: string): Promise<RoomAndParticipants> {
  requireAccess('read', await readRoom(context, roomId, partsOfAccess(actor)), { actor, now: context.clock.now() })
  return describeRoom(context, roomId)
}

/** Makes it, or changes what the body names. @throws AppError not_permitted, banned, room_not_found, room_closed, rate_limited */
export async function createOrUpdateRoom(
  context: Context,
  actor: Actor,
  roomId: string,
  body: RoomRequest
): Promise<{ room: Room; created: boolean }> {
  checkMetadata(body.metadata)
  const { roomMaxParticipants: maxParticipants } = context.config
  if ((body.maxParticipants ?? 0) > maxParticipants) {
    throw new AppError('invalid_request', { detail: `This server allows ${maxParticipants} participants in a room` })
  }
  const command = { actor, body, maxParticipants, serviceSettings: await readServiceSettings(context, actor, roomId) }
  const parts = [...partsOfAccess(actor), PART.empty]
  const decide = (before: ReadRoom, now: number) => decideSettings(before, command, now)
  await chargeCreate(context, actor, decide(await readRoom(context, roomId, parts), context.clock.now()))
  const { decision, room, version } = await changeRoom(context, { roomId, parts, payer: actor.user }, decide)
  const settings = decision.writes[PART.settings] as Settings
  return { room: viewRoom({ ...room, version }, settings), created: decision.createsRoom === true }
}

/** @throws AppError not_permitted, banned, room_not_found, room_closed */
export async function closeRoom(context: Context, actor: Actor, roomId: string): Promise<void> {
  await endRoom(context, { roomId, actor }, (room, now) => decideClose(room, actor, now))
}

/** @throws AppError not_permitted, banned, room_not_found, room_closed, participant_not_found */
export async function updateParticipant(
  context: Context,
  actor: Actor,
  where: ParticipantPath,
  body: UpdateParticipantRequest
): Promise<Participant> {
  checkMetadata(body.metadata)
  const { user } = await findParticipant(context, actor, where)
  const basis = { ...partsOfUser(actor, user), roomId: where.roomId, payer: actor.user }
  const { decision, room } = await changeRoom(context, basis, (before, now) =>
    rules.decideChange(before, { actor, target: requireRecord(before, where), body }, now)
  )
  recordKeepalive(context, actor)
  const written = decision.writes[PART.participant(where.participantId)] as ParticipantRecord | undefined
  return viewParticipant(written ?? requireRecord(room, where))
}

/** What access reads, and all of a user in the room. */
const partsOfUser = (actor: Actor, user: string) => ({
  read: [...partsOfAccess(actor), PART.user(user)],
  parts: (room: RoomParts) => [
    ...partsOfAccess(actor),
    PART.user(user),
    ...roomUser(room, user).devices.map(device => PART.participantOf({ user, device }))
  ]
})

/** Leaves, or puts a participant out: free, as each takes a joining. With `ban`, the user, also if this participant has just left. */
export async function removeParticipant(context: Context, actor: Actor, where: ParticipantPath, query: RemoveQuery) {
  if (query.ban === true) return banParticipant(context, actor, where, query)
  await runUnlimited(context, actor, async () => ({
    result: await removeFromRoom(context, actor, where),
    isRepeat: false
  }))
}

async function banParticipant(
  context: Context,
  actor: Actor,
  where: ParticipantPath,
  { banForMs }: RemoveQuery
): Promise<void> {
  await context.budgets.spend(actor.user, 'signals')
  const { user } = await findParticipant(context, actor, where, { orLeft: true })
  await banUser(context, where.roomId, { actor, user, forMs: banForMs ?? null })
}

async function removeFromRoom(context: Context, actor: Actor, where: ParticipantPath): Promise<void> {
  const { roomId, participantId } = where
  const { user, device } = await findParticipant(context, actor, where)
  const parts = [...partsOfAccess(actor), PART.participant(participantId), PART.user(user), PART.invitation(user)]
  const by = endpoint(actor)
  await changeRoom(context, { roomId, parts }, (room, now) => {
    const removed = rules.decideRemoval(room, { actor, target: requireRecord(room, where) }, now)
    return user === actor.user ? removed : withdrawInvitation(room, removed, { user, by, now })
  })
  await removeMemberships(context, roomId, [{ user, device, participantId }])
}

async function describeRoom(context: Context, roomId: string): Promise<RoomAndParticipants> {
  const parts = await readRoom(context, roomId, [PART.settings, PART.participants])
  const settings = requireOpenRoom(parts)
  const participants = parts
    .list<ParticipantRecord>(PART.participants)
    .map(([, participant]) => participant)
    .sort((a, b) => (a.since ?? 0) - (b.since ?? 0))
    .map(viewParticipant)
  return { room: viewRoom(parts, settings), participants }
}

/** The rooms that the device is in. */
export async function listRooms(context: Context, actor: Actor): Promise<JoinedRoom[]> {
  const found = await currentParticipations(context, actor)
  return found.flatMap(({ room, participant: { participantId, device } }) => {
    if (room.settings === null) return []
    return [{ room: viewRoom(room, room.settings), participantId, device }]
  })
}

interface ParticipantPath {
  readonly roomId: string
  readonly participantId: string
}

/**
 * Who a participant is; with `orLeft` also one that left a short while ago.
 * @throws AppError participant_not_found, and room_not_found for a user who has no part in the room
 */
async function findParticipant(
  context: Context,
  actor: Actor,
  { roomId, participantId }: ParticipantPath,
  { orLeft = false } = {}
): Promise<Endpoint> {
  const parts = await readRoom(context, roomId, [...partsOfAccess(actor), PART.participant(participantId)])
  const participant = findParticipantRecord(parts, participantId)
  if (participant !== null && parts.settings?.closed === null) return participant
  requireAccess(orLeft ? 'moderate' : 'know', parts, { actor, now: context.clock.now() })
  const { list } = await readRoom(context, roomId, orLeft ? [PART.users] : [])
  const left = list<RoomUser>(PART.users).find(([, { left: ended }]) =>
    ended.some(each => each.participantId === participantId)
  )
  if (left === undefined) throw new AppError('participant_not_found')
  return { user: left[0], device: '' }
}

function requireRecord(parts: RoomParts, { participantId }: ParticipantPath): ParticipantRecord {
  const participant = findParticipantRecord(parts, participantId)
  if (participant === null) throw new AppError('participant_not_found')
  return participant
}
