// The rules for participants as pure functions: (parts of the room, command, now) → writes and events, or an AppError. The commit
// succeeds only if no part that was read has changed, so a rule must use no part that was not read.
import { AppError } from '../../errors.js'
import type { Actor } from '../../schemas/claims.js'
import type { Endpoint } from '../../schemas/common.js'
import type { LeaveReason, Role, UpdateParticipantRequest } from '../../schemas/room.js'
import { endpoint } from '../endpoint.js'
import { type Access, requireAccess, requireNotBanned, requireOpenRoom, roomUser } from './access.js'
import { existingOrNewRoom, type NewRoom } from './creation.js'
import {
  mergeDecisions,
  NO_CHANGE,
  PART,
  type ParticipantRecord,
  type ParticipantRef,
  type RoomDecision,
  type RoomEvent,
  type RoomParts,
  type RoomUser,
  roomEvent,
  viewParticipant
} from './state.js'

export interface JoinCommand extends NewRoom {
  readonly actor: Actor
  readonly participantId: string
  readonly metadata: ParticipantRecord['metadata']
  readonly replace: boolean
}

/**
 * Reads partsOfAccess. The first to join makes the room and is its host.
 * @throws AppError not_permitted, banned, room_not_found, room_closed, room_locked
 */
export function decideJoin(read: RoomParts, command: JoinCommand, now: number): RoomDecision {
  const { actor, participantId, replace } = command
  requireNotBanned(read, actor, now)
  const settings = existingOrNewRoom(read, command, now)
  const parts = { ...read, settings }
  const access = requireAccess('join', parts, { actor, now })
  const before = access.participant
  if (before && !replace) return markBack(before)
  if (settings.locked && !access.passesLock) throw new AppError('room_locked')
  const participant = newParticipant(command, access, now)
  const replaced = before
    ? leaveRoom(parts, before, { reason: 'replaced', by: endpoint(actor), now, except: participantId })
    : NO_CHANGE
  const createsRoom = settings !== read.settings
  const { isUnused, ...used } = settings
  return {
    createsRoom,
    writes: {
      ...(createsRoom || isUnused ? { [PART.settings]: used } : {}),
      ...replaced.writes,
      [PART.participantOf(actor)]: participant,
      [PART.user(actor.user)]: addDevice(parts, participant, replaced),
      [PART.empty]: null
    },
    participantsMax: settings.maxParticipants,
    events: [
      ...replaced.events.filter(({ to }) => 'all' in to),
      roomEvent('room.participant_joined', { participant: viewParticipant(participant) }, participantId),
      {
        to: { user: actor.user, except: [actor.device] },
        type: 'room.joined',
        data: { participant: viewParticipant(participant) }
      }
    ]
  }
}

const newParticipant = (
  { actor, participantId, metadata }: JoinCommand,
  { claim, role }: Access,
  now: number
): ParticipantRecord => ({
  participantId,
  user: actor.user,
  device: actor.device,
  since: null,
  role,
  claimed: claim?.role ?? null,
  ...(actor.served === undefined ? {} : { isServed: true as const }),
  awaySince: null,
  joinedAt: now,
  metadata
})

/** What the room keeps of the user, with the device that comes in and after what it replaces. */
function addDevice(parts: RoomParts, { user, device, role }: ParticipantRecord, replaced: RoomDecision): RoomUser {
  const known = roomUser(parts, user)
  const { left } = (replaced.writes[PART.user(user)] as RoomUser | undefined) ?? known
  const devices = [...known.devices.filter(each => each !== device), device]
  return { ...known, devices, role, given: known.given?.role === role ? known.given : null, left }
}

export interface LeaveOptions {
  readonly reason: LeaveReason
  readonly by: Endpoint | null
  readonly now: number
  /** This participant gets no event of it. */
  readonly except?: string | undefined
}

/** One device leaves; reads settings and the user's part. */
export const leaveRoom = (parts: RoomParts, participant: ParticipantRecord, leaving: LeaveOptions): RoomDecision =>
  leaveWithDevices(parts, [participant], leaving)

/** How many of a user's ended participations are remembered: a moderator may name one that has just left. */
const FORMER_PARTICIPATIONS_MAX = 4

/** These devices, of one user, leave together. Reads settings and the user's part. */
export function leaveWithDevices(
  parts: RoomParts,
  participants: readonly ParticipantRecord[],
  { reason, by, now, except }: LeaveOptions
): RoomDecision {
  const [first] = participants
  if (first === undefined) return NO_CHANGE
  const { user } = first
  const known = roomUser(parts, user)
  const devices = known.devices.filter(each => !participants.some(({ device }) => device === each))
  const left = [...known.left, ...participants.map(({ participantId }) => ({ participantId, at: now }))].slice(
    -FORMER_PARTICIPATIONS_MAX
  )
  const record: RoomUser = { ...known, devices, role: devices.length > 0 ? known.role : null, left }
  const gone = participants.flatMap(participant => [
    [PART.participantOf(participant), null],
    [PART.broadcast(participant.participantId), null]
  ])
  return {
    writes: { ...Object.fromEntries(gone), [PART.user(user)]: record, [PART.empty]: now },
    events: participants.flatMap(participant => leftEvents(participant, { reason, by, except }))
  }
}

function leftEvents(
  { participantId, user, device }: ParticipantRef,
  { reason, by, except }: Omit<LeaveOptions, 'now'>
): RoomEvent[] {
  const data = { participantId, user, reason, by }
  const type = 'room.participant_left'
  // A device that leaves knows it from the reply; one that is put out has to receive it.
  const own: RoomEvent[] = reason === 'left' ? [] : [{ to: { user, device }, type, data }]
  return [roomEvent(type, data, except), ...own]
}

/** The room does not know of this participation any more, which it had announced: a failover forgot it. */
export const announceForgotten = (participation: ParticipantRef): RoomDecision => ({
  writes: {},
  events: leftEvents(participation, { reason: 'lost', by: null })
})

/** The stream of a participant's device has gone, or it shows no sign of life. */
export function markAway(participant: ParticipantRecord, since: number): RoomDecision {
  return participant.awaySince === null
    ? updateParticipant({ ...participant, awaySince: since }, null, participant.participantId)
    : NO_CHANGE
}

export function markBack(participant: ParticipantRecord): RoomDecision {
  return participant.awaySince === null
    ? NO_CHANGE
    : updateParticipant({ ...participant, awaySince: null }, null, participant.participantId)
}

/** The devices of a user that are in, as they were read. */
export const participantsOf = (parts: RoomParts, user: string): ParticipantRecord[] =>
  roomUser(parts, user).devices.flatMap(
    device => parts.get<ParticipantRecord>(PART.participantOf({ user, device })) ?? []
  )

interface ChangeParticipant {
  readonly actor: Actor
  readonly target: ParticipantRecord
  readonly body: UpdateParticipantRequest
}

/**
 * A role is the user's: all their devices get it. Reads what access does, and the target user's part and participants.
 * @throws AppError not_permitted and what access throws
 */
export function decideChange(parts: RoomParts, { actor, target, body }: ChangeParticipant, now: number): RoomDecision {
  const own = actor.user === target.user && actor.device === target.device
  const { role, metadata, mute } = body
  requireAccess(own && role === undefined ? 'takePart' : 'moderate', parts, { actor, now })
  const isHost =
    target.role === 'host' || participantsOf(parts, target.user).some(participant => participant.role === 'host')
  if (role !== undefined && (role === 'host' || isHost)) requireAccess('manage', parts, { actor, now })
  if (metadata !== undefined && !own) throw new AppError('not_permitted', { detail: 'Metadata is its owner’s' })
  const by = endpoint(actor)
  const except = ownParticipantId(parts, actor)
  const described: ParticipantRecord = metadata === undefined ? target : { ...target, metadata }
  const decision =
    role !== undefined
      ? assignRole(parts, described, { role, by, except })
      : metadata === undefined
        ? NO_CHANGE
        : updateParticipant(described, by, except)
  if (mute === undefined) return decision
  const asked: RoomEvent = {
    to: { user: target.user, device: target.device },
    type: 'room.mute_requested',
    data: { participantId: target.participantId, mute, by }
  }
  return { ...decision, events: [...decision.events, asked] }
}

interface RoleChange {
  readonly role: Role
  readonly by: Endpoint
  readonly except: string | undefined
}

function assignRole(parts: RoomParts, target: ParticipantRecord, { role, by, except }: RoleChange): RoomDecision {
  const { user, device, claimed } = target
  const others = participantsOf(parts, user).filter(each => each.device !== device)
  const decisions = [target, ...others].map(participant => updateParticipant({ ...participant, role }, by, except))
  const record: RoomUser = { ...roomUser(parts, user), role, given: { role, over: claimed } }
  return mergeDecisions({ writes: { [PART.user(user)]: record }, events: [] }, ...decisions)
}

/** @throws AppError not_permitted, also for a host that another user wants out, and what access throws */
export function decideRemoval(
  parts: RoomParts,
  { actor, target }: { actor: Actor; target: ParticipantRecord },
  now: number
): RoomDecision {
  const by = endpoint(actor)
  const except = ownParticipantId(parts, actor)
  if (actor.user !== target.user) {
    requireAccess(target.role === 'host' ? 'manage' : 'moderate', parts, { actor, now })
    return leaveRoom(parts, target, { reason: 'removed', by, now, except })
  }
  // One's own devices may go, whatever their grants.
  requireOpenRoom(parts)
  if (actor.device === target.device) return leaveRoom(parts, target, { reason: 'left', by, now })
  return leaveRoom(parts, target, { reason: 'removed', by, now, except })
}

/** The acting device gets no event: its reply says it all. */
export const ownParticipantId = (parts: RoomParts, endpoint: Endpoint) =>
  parts.get<ParticipantRecord>(PART.participantOf(endpoint))?.participantId

export function updateParticipant(participant: ParticipantRecord, by: Endpoint | null, except?: string): RoomDecision {
  return {
    writes: { [PART.participantOf(participant)]: participant },
    events: [roomEvent('room.participant_updated', { participant: viewParticipant(participant), by }, except)]
  }
}
