// Creating, joining, changing and leaving a room. Each function reads the parts that its rule needs, decides, and commits if none of them
// has changed.
import { endpoint } from '../../domain/endpoint.js'
import { findParticipantRecord, partsOfAccess, requireAccess } from '../../domain/room/access.js'
import { mayBeHidden } from '../../domain/room/hidden.js'
import { acceptOnJoin } from '../../domain/room/invitation.js'
import { withdrawInvitation } from '../../domain/room/invitation-end.js'
import { decideClose, decideSettings } from '../../domain/room/lifecycle.js'
import { decideUpdate } from '../../domain/room/participant-update.js'
import * as rules from '../../domain/room/participants.js'
import { roomUser } from '../../domain/room/room-user.js'
import {
  PART,
  type ParticipantRecord,
  participantIdOf,
  type RoomParts,
  type Settings
} from '../../domain/room/state.js'
import { viewParticipant, viewRoom } from '../../domain/room/view.js'
import { partsOfRevocation } from '../../domain/sfu/revocation.js'
import { viewRoomMedia } from '../../domain/sfu/state.js'
import { AppError } from '../../errors.js'
import type { Actor } from '../../schemas/claims.js'
import type { Endpoint } from '../../schemas/common.js'
import type {
  JoinedRoom,
  JoinRoomReply,
  JoinRoomRequest,
  Participant,
  RemoveQuery,
  RoomAndParticipants,
  RoomReply,
  RoomRequest,
  UpdateParticipantRequest
} from '../../schemas/room.js'
import { formatCursor } from '../../store/cursor.js'
import type { Context } from '../context.js'
import { recordKeepalive, registerDevice } from '../device/keepalive.js'
import { checkMetadata } from '../metadata-bounds.js'
import { requireMediaService } from '../sfu/media-services.js'
import { followModeChange, partsOfMode } from '../sfu/mode-change.js'
import { runUnlimited } from '../unlimited-action.js'
import { banParticipant } from './bans.js'
import { chargeCreate } from './create-charge.js'
import { describeRoom } from './describe-room.js'
import { endRoom } from './end-room.js'
import { joinAsHidden, leaveAsHidden } from './hidden.js'
import { addMembership, commitJoin, currentParticipations, removeMemberships } from './memberships.js'
import { type ReadRoom, readRoom } from './parts.js'
import type { ParticipantPath, RoomPath } from './paths.js'
import { withJoinPolicy, withRoomPolicy } from './room-policy.js'
import { readServiceSettings } from './room-service.js'
import { changeRoom } from './update-room.js'

/**
 * Creates the room if it does not exist. A device that is in the room keeps its participation, unless it asks to `replace` it.
 * @throws AppError not_permitted, banned, room_not_found, room_closed, room_locked, room_full, too_many_rooms, rate_limited,
 *   no_media_service, policy_denied, policy_unavailable, room_service_unavailable, store_unavailable
 */
export async function joinRoom(
  context: Context,
  actor: Actor,
  { roomId, metadata = {}, replace = false }: RoomPath & JoinRoomRequest
): Promise<JoinRoomReply & { readonly isNew: boolean }> {
  checkMetadata(metadata)
  if (mayBeHidden(actor, roomId)) return joinAsHidden(context, actor, { roomId, metadata, replace })
  const participantId = participantIdOf(actor, context.ids.tag() + context.ids.tag())
  const { roomMaxParticipants: maxParticipants, awayAfterMs } = context.config
  const serviceSettings = await readServiceSettings(context, actor, roomId)
  const command = { participantId, metadata, replace, maxParticipants, serviceSettings }
  const decide = withJoinPolicy(context, { actor, roomId }, actor => (before: ReadRoom, now) => {
    const joined = acceptOnJoin(before, rules.decideJoin(before, { ...command, actor }, now), { actor, now })
    // The room is checked then, because a device that never opens a stream is away from then on.
    return { ...joined, deadlineAt: now + awayAfterMs }
  })
  // Decided once before anything is written or charged, so that a refusal leaves nothing behind.
  const first = await readRoom(context, roomId, partsOfAccess(actor))
  await chargeCreate(context, actor, await decide(first, context.clock.now()))
  const cursor = await registerDevice(context, actor)
  const participation = { user: actor.user, device: actor.device, participantId }
  const isNew = replace || first.get<ParticipantRecord>(PART.participantOf(actor)) === null
  const described = await commitJoin(context, { roomId, participation, isNew }, async () => {
    await changeRoom(context, { roomId, parts: partsOfAccess(actor), payer: actor.user }, decide)
    return describeRoom(context, roomId)
  })
  const own = described.participants.find(each => each.user === actor.user && each.device === actor.device)
  if (!own) throw new AppError('not_in_room', { detail: 'Removed while joining' })
  // False if the device was in the room already, or another request of it has joined in between: then this is the same participation.
  const hasJoined = own.participantId === participantId
  if (!hasJoined) await addMembership(context, own, roomId)
  return { ...described, participantId: own.participantId, cursor: formatCursor(cursor), isNew: hasJoined }
}

/** @throws AppError not_permitted, banned, room_not_found, room_closed */
export async function getRoom(context: Context, actor: Actor, { roomId }: RoomPath): Promise<RoomAndParticipants> {
  requireAccess('read', await readRoom(context, roomId, partsOfAccess(actor)), { actor, now: context.clock.now() })
  return describeRoom(context, roomId)
}

/**
 * Creates the room, or changes the settings that the request names.
 * @throws AppError not_permitted, banned, room_not_found, room_closed, rate_limited, no_media_service, policy_denied, policy_unavailable
 */
export async function createOrUpdateRoom(
  context: Context,
  actor: Actor,
  { roomId, ...body }: RoomPath & RoomRequest
): Promise<RoomReply & { readonly isNew: boolean }> {
  checkMetadata(body.metadata)
  requireMediaService(context, body.mode)
  const { roomMaxParticipants: maxParticipants } = context.config
  if ((body.maxParticipants ?? 0) > maxParticipants) {
    throw new AppError('invalid_request', { detail: `This server allows ${maxParticipants} participants in a room` })
  }
  const command = { actor, body, maxParticipants, serviceSettings: await readServiceSettings(context, actor, roomId) }
  const parts = [...partsOfAccess(actor), PART.empty, ...(changesMedia(body) ? [PART.sfu] : [])]
  const read = [...parts, ...partsOfMode(body.mode)]
  const decide = withRoomPolicy(context, { actor, roomId }, (before: ReadRoom, now) =>
    decideSettings(before, command, now)
  )
  await chargeCreate(context, actor, await decide(await readRoom(context, roomId, read), context.clock.now()))
  const { decision, room, version } = await changeRoom(context, { roomId, read, parts, payer: actor.user }, decide)
  followModeChange(context, room, decision)
  const settings = decision.writes[PART.settings] as Settings
  const { offerOrder, createsRoom = false } = decision
  return { room: viewRoom({ ...room, version }, settings), ...(offerOrder && { offerOrder }), isNew: createsRoom }
}

const changesMedia = ({ mode, record }: RoomRequest) => mode !== undefined || record !== undefined

/** @throws AppError not_permitted, banned, room_not_found, room_closed */
export async function closeRoom(context: Context, actor: Actor, { roomId }: RoomPath): Promise<void> {
  await endRoom(context, { roomId, actor }, (room, now) => decideClose(room, actor, now))
}

/** @throws AppError not_permitted, banned, room_not_found, room_closed, participant_not_found */
export async function updateParticipant(
  context: Context,
  actor: Actor,
  { roomId, participantId, ...body }: ParticipantPath & UpdateParticipantRequest
): Promise<Participant> {
  checkMetadata(body.metadata)
  const { user } = await findParticipant(context, actor, { roomId, participantId })
  const basis = { ...partsOfUser(actor, { user, isRole: body.role !== undefined }), roomId, payer: actor.user }
  const { decision, room } = await changeRoom(context, basis, (before, now) =>
    decideUpdate(before, { actor, target: requireRecord(before, participantId), body }, now)
  )
  recordKeepalive(context, actor)
  const written = decision.writes[PART.participant(participantId)] as ParticipantRecord | undefined
  return viewParticipant(written ?? requireRecord(room, participantId))
}

/** What access reads, and the parts of a user with all devices; of a user whose role changes, also those of what the devices send. */
const partsOfUser = (actor: Actor, { user, isRole }: { readonly user: string; readonly isRole: boolean }) => ({
  read: [...partsOfAccess(actor), PART.user(user)],
  parts(room: RoomParts) {
    const devices = roomUser(room, user).devices.map(device => ({ user, device }))
    return [
      ...partsOfAccess(actor),
      PART.user(user),
      ...devices.map(PART.participantOf),
      ...(isRole ? partsOfRevocation(devices) : [])
    ]
  }
})

/**
 * Leaves the room, or removes another participant: neither is rate limited, because each takes a join. With `ban` the user is banned.
 * @throws AppError not_permitted, banned, room_not_found, room_closed, participant_not_found, too_many_bans, rate_limited
 */
export async function removeParticipant(
  context: Context,
  actor: Actor,
  { ban, ...request }: ParticipantPath & RemoveQuery
): Promise<void> {
  if (ban === true) return banParticipant(context, actor, request)
  await runUnlimited(context, actor, async () => ({
    result: await removeFromRoom(context, actor, request),
    isRepeat: false
  }))
}

async function removeFromRoom(
  context: Context,
  actor: Actor,
  { roomId, participantId }: ParticipantPath
): Promise<void> {
  if (await leaveAsHidden(context, actor, { roomId, participantId })) return
  const { user, device } = await findParticipant(context, actor, { roomId, participantId })
  const parts = [...partsOfAccess(actor), PART.participant(participantId), PART.user(user), PART.invitation(user)]
  const by = endpoint(actor)
  await changeRoom(context, { roomId, parts }, (room, now) => {
    const removed = rules.decideRemoval(room, { actor, target: requireRecord(room, participantId) }, now)
    return user === actor.user ? removed : withdrawInvitation(room, removed, { user, by, now })
  })
  await removeMemberships(context, roomId, [{ user, device, participantId }])
}

/** The rooms that the device is in. */
export async function listRooms(context: Context, actor: Actor): Promise<JoinedRoom[]> {
  const found = await currentParticipations(context, actor)
  const rooms = found.map(async ({ room, participant: { participantId, device } }) => {
    if (room.settings === null) return []
    return [{ room: viewRoom(room, room.settings), participantId, device, ...(await describeMedia(context, room)) }]
  })
  return (await Promise.all(rooms)).flat()
}

/** Reads again only for a room in mode sfu. */
async function describeMedia(context: Context, room: ReadRoom): Promise<ReturnType<typeof viewRoomMedia>> {
  if (room.settings?.mode !== 'sfu') return viewRoomMedia(room, [])
  const parts = await readRoom(context, room.roomId, [PART.settings, PART.participants, PART.sfu, PART.producers])
  return viewRoomMedia(
    parts,
    parts.list<ParticipantRecord>(PART.participants).map(([, participant]) => participant)
  )
}

/** @throws AppError participant_not_found, and room_not_found for a user who is not related to the room */
async function findParticipant(
  context: Context,
  actor: Actor,
  { roomId, participantId }: ParticipantPath
): Promise<Endpoint> {
  const room = await readRoom(context, roomId, [...partsOfAccess(actor), PART.participant(participantId)])
  const participant = findParticipantRecord(room, participantId)
  if (participant !== null && room.settings?.closed === null) return participant
  requireAccess('know', room, { actor, now: context.clock.now() })
  throw new AppError('participant_not_found')
}

function requireRecord(room: RoomParts, participantId: string): ParticipantRecord {
  const participant = findParticipantRecord(room, participantId)
  if (participant === null) throw new AppError('participant_not_found')
  return participant
}
