// The rules of participants, as pure functions: (parts of the room, command, now) → writes and events, or an AppError. The commit is
// conditional on the parts that the service has named for the rule, so a rule must use no others.
import { AppError } from '../../errors.js'
import type { Actor } from '../../schemas/claims.js'
import type { Endpoint } from '../../schemas/common.js'
import type { LeaveReason } from '../../schemas/room.js'
import { endpoint } from '../endpoint.js'
import { type Access, requireAccess, requireNotBanned, requireOpenRoom } from './access.js'
import { existingOrNewRoom, type NewRoom } from './creation.js'
import { joinHidden, refuseHidden, refuseVisible } from './hidden.js'
import { roomUser } from './room-user.js'
import {
  NO_CHANGE,
  PART,
  type ParticipantRecord,
  type ParticipantRef,
  type RoomDecision,
  type RoomEvent,
  type RoomParts,
  type RoomUser,
  roomEvent
} from './state.js'
import { viewParticipant } from './view.js'
import type { WhipParticipation } from './whip-client.js'

export interface JoinCommand extends NewRoom {
  readonly actor: Actor
  readonly participantId: string
  readonly metadata: ParticipantRecord['metadata']
  readonly replace: boolean
  readonly whip?: WhipParticipation
}

/**
 * Reads partsOfAccess. The first device that joins creates the room, and its user is the host.
 * @throws AppError not_permitted, banned, room_not_found, room_closed, room_locked
 */
export function decideJoin(read: RoomParts, command: JoinCommand, now: number): RoomDecision {
  const { actor, participantId, replace } = command
  const claim = requireNotBanned(read, actor, now)
  const settings = existingOrNewRoom(read, { ...command, claim }, now)
  const parts = { ...read, settings }
  const access = requireAccess('join', parts, { actor, now })
  refuseHidden(parts, actor)
  const before = access.participant
  if (before && !replace) return markReturned(before)
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
    ...(replaced.endsMedia ? { endsMedia: true } : {}),
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

/**
 * As a hidden participant, in a room that exists. Reads partsOfAccess and partsOfHiddenJoin.
 * @throws AppError room_not_found, room_closed, banned, not_permitted, room_full
 */
export function decideHiddenJoin(
  parts: RoomParts,
  command: Omit<JoinCommand, 'whip' | keyof NewRoom>,
  now: number
): RoomDecision {
  const access = requireAccess('join', parts, { actor: command.actor, now })
  refuseVisible(parts, command.actor)
  const participant = { ...newParticipant(command, access, now), hidden: true as const }
  return joinHidden(parts, { participant, replace: command.replace }, now)
}

const newParticipant = (
  { actor, participantId, metadata, whip }: Omit<JoinCommand, keyof NewRoom>,
  { claim, role }: Access,
  now: number
): ParticipantRecord => ({
  participantId,
  user: actor.user,
  device: actor.device,
  since: null,
  role,
  claimed: claim?.role ?? null,
  ...(actor.served === undefined ? {} : { isFromService: true as const }),
  awaySince: null,
  joinedAt: now,
  metadata,
  ...(whip === undefined ? {} : { whip })
})

/** The user's part with the joining device, after the participation that it replaces has left. */
function addDevice(parts: RoomParts, { user, device, role }: ParticipantRecord, replaced: RoomDecision): RoomUser {
  const known = roomUser(parts, user)
  const { left } = (replaced.writes[PART.user(user)] as RoomUser | undefined) ?? known
  const devices = [...known.devices.filter(each => each !== device), device]
  return { ...known, devices, role, assigned: known.assigned?.role === role ? known.assigned : null, left }
}

export interface LeaveOptions {
  readonly reason: LeaveReason
  readonly by: Endpoint | null
  readonly now: number
  /** The participant who gets no event. */
  readonly except?: string | undefined
}

/** One device leaves. Reads PART.settings and PART.user. */
export const leaveRoom = (parts: RoomParts, participant: ParticipantRecord, leaving: LeaveOptions): RoomDecision =>
  leaveWithDevices(parts, [participant], leaving)

/** Ended participations that are kept for a user, so that a moderator can ban one that has just left. */
const FORMER_PARTICIPATIONS_MAX = 4

/** These devices of one user leave together. Reads PART.settings and PART.user. */
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
    [PART.producersOf(participant), null],
    [PART.unsettledMediaOf(participant), null],
    [PART.broadcast(participant.participantId), null]
  ])
  return {
    writes: { ...Object.fromEntries(gone), [PART.user(user)]: record, [PART.empty]: now },
    events: participants.flatMap(participant => leftEvents(participant, { reason, by, except })),
    ...(parts.settings?.mode === 'sfu' ? { endsMedia: true } : {})
  }
}

function leftEvents(
  { participantId, user, device }: ParticipantRef,
  { reason, by, except }: Omit<LeaveOptions, 'now'>
): RoomEvent[] {
  const data = { participantId, user, reason, by }
  const type = 'room.participant_left'
  // A device that leaves by itself has the reply. One that is removed gets the event, although it is no recipient of the room any more.
  const own: RoomEvent[] = reason === 'left' ? [] : [{ to: { user, device }, type, data }]
  return [roomEvent(type, data, except), ...own]
}

/** A failover has lost this participation, which the room had announced: announces that it has left. */
export const announceForgotten = (participation: ParticipantRef): RoomDecision => ({
  writes: {},
  events: leftEvents(participation, { reason: 'lost', by: null }),
  endsMedia: true
})

/** The participant's device has disconnected or is not live. */
export function markAway(participant: ParticipantRecord, since: number): RoomDecision {
  return participant.awaySince === null
    ? writeParticipant({ ...participant, awaySince: since }, null, participant.participantId)
    : NO_CHANGE
}

export function markReturned(participant: ParticipantRecord): RoomDecision {
  return participant.awaySince === null
    ? NO_CHANGE
    : writeParticipant({ ...participant, awaySince: null }, null, participant.participantId)
}

/** The participants of a user, as far as their parts were read. */
export const participantsOf = (parts: RoomParts, user: string): ParticipantRecord[] =>
  roomUser(parts, user).devices.flatMap(
    device => parts.get<ParticipantRecord>(PART.participantOf({ user, device })) ?? []
  )

/** Removing a host requires `manage`. @throws AppError not_permitted and what requireAccess throws */
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
  // Users may always remove their own devices.
  requireOpenRoom(parts)
  if (actor.device === target.device) return leaveRoom(parts, target, { reason: 'left', by, now })
  return leaveRoom(parts, target, { reason: 'removed', by, now, except })
}

/** The participant that gets no event: the acting device has the reply. */
export const ownParticipantId = (parts: RoomParts, endpoint: Endpoint) =>
  parts.get<ParticipantRecord>(PART.participantOf(endpoint))?.participantId

export function writeParticipant(participant: ParticipantRecord, by: Endpoint | null, except?: string): RoomDecision {
  return {
    writes: { [PART.participantOf(participant)]: participant },
    events: [roomEvent('room.participant_updated', { participant: viewParticipant(participant), by }, except)]
  }
}
