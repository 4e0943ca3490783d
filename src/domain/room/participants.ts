// The rules of a room, as pure functions: what was read of it, a command, now → what is written and which events it makes, or an
// AppError that changes nothing. Every part a rule looks at must have been read: the commit holds only if none of them changed.
import { AppError } from '../../errors.js'
import type { Actor } from '../../schemas/claims.js'
import type { Endpoint } from '../../schemas/common.js'
import type { LeaveReason, Role, UpdateParticipantRequest } from '../../schemas/room.js'
import { endpoint } from '../endpoint.js'
import { type Access, mustBeAllowed, mustNotBeBanned, openRoom, userIn } from './access.js'
import { type Making, openOrFresh } from './creation.js'
import {
  type Member,
  NOTHING,
  PART,
  type Participation,
  type RoomDecision,
  type RoomEvent,
  type RoomParts,
  type RoomUser,
  together,
  viewMember
} from './state.js'

export interface Join extends Making {
  readonly actor: Actor
  readonly participantId: string
  readonly metadata: Member['metadata']
  readonly replace: boolean
}

/**
 * Reads partsOfAccess. The first to join makes the room and is its host.
 * @throws AppError not_permitted, banned, room_not_found, room_closed, room_locked
 */
export function join(read: RoomParts, command: Join, now: number): RoomDecision {
  const { actor, participantId, replace } = command
  mustNotBeBanned(read, actor, now)
  const settings = openOrFresh(read, command, now)
  const parts = { ...read, settings }
  const access = mustBeAllowed('join', parts, { actor, now })
  const before = access.member
  if (before && !replace) return comeBack(before)
  if (settings.locked && !access.passesLock) throw new AppError('room_locked')
  const member = newMember(command, access, now)
  const replaced = before
    ? leave(parts, before, { reason: 'replaced', by: endpoint(actor), now, except: participantId })
    : NOTHING
  const makes = settings !== read.settings
  const { isUnused, ...used } = settings
  return {
    makes,
    writes: {
      ...(makes || isUnused ? { [PART.settings]: used } : {}),
      ...replaced.writes,
      [PART.member(actor)]: member,
      [PART.user(actor.user)]: withDevice(parts, member, replaced),
      [PART.empty]: null
    },
    membersMax: settings.maxParticipants,
    events: [
      ...replaced.events.filter(({ to }) => 'all' in to),
      tellAll('room.participant_joined', { participant: viewMember(member) }, participantId),
      {
        to: { user: actor.user, except: [actor.device] },
        type: 'room.joined',
        data: { participant: viewMember(member) }
      }
    ]
  }
}

const newMember = ({ actor, participantId, metadata }: Join, { claim, role }: Access, now: number): Member => ({
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
function withDevice(parts: RoomParts, { user, device, role }: Member, replaced: RoomDecision): RoomUser {
  const known = userIn(parts, user)
  const { left } = (replaced.writes[PART.user(user)] as RoomUser | undefined) ?? known
  const devices = [...known.devices.filter(each => each !== device), device]
  return { ...known, devices, role, given: known.given?.role === role ? known.given : null, left }
}

export interface Leaving {
  readonly reason: LeaveReason
  readonly by: Endpoint | null
  readonly now: number
  /** This participant gets no event of it. */
  readonly except?: string | undefined
}

/** One device leaves; reads settings and the user's part. */
export const leave = (parts: RoomParts, member: Member, leaving: Leaving): RoomDecision =>
  leaveAll(parts, [member], leaving)

/** How many of a user's ended participations are remembered: a moderator may name one that has just left. */
const LEFT_MAX = 4

/** These devices, of one user, leave together. Reads settings and the user's part. */
export function leaveAll(
  parts: RoomParts,
  members: readonly Member[],
  { reason, by, now, except }: Leaving
): RoomDecision {
  const [first] = members
  if (first === undefined) return NOTHING
  const { user } = first
  const known = userIn(parts, user)
  const devices = known.devices.filter(each => !members.some(({ device }) => device === each))
  const left = [...known.left, ...members.map(({ participantId }) => ({ participantId, at: now }))].slice(-LEFT_MAX)
  const record: RoomUser = { ...known, devices, role: devices.length > 0 ? known.role : null, left }
  const gone = members.flatMap(member => [
    [PART.member(member), null],
    [PART.broadcast(member.participantId), null]
  ])
  return {
    writes: { ...Object.fromEntries(gone), [PART.user(user)]: record, [PART.empty]: now },
    events: members.flatMap(member => hasLeft(member, { reason, by, except }))
  }
}

function hasLeft(
  { participantId, user, device }: Participation,
  { reason, by, except }: Omit<Leaving, 'now'>
): RoomEvent[] {
  const data = { participantId, user, reason, by }
  const type = 'room.participant_left'
  // A device that leaves knows it from the reply; one that is put out has to receive it.
  const own: RoomEvent[] = reason === 'left' ? [] : [{ to: { user, device }, type, data }]
  return [tellAll(type, data, except), ...own]
}

/** The room does not know of this participation any more, which it had announced: a failover forgot it. */
export const announceForgotten = (participation: Participation): RoomDecision => ({
  writes: {},
  events: hasLeft(participation, { reason: 'lost', by: null })
})

/** The stream of a member's device has gone, or it shows no sign of life. */
export function goAway(member: Member, since: number): RoomDecision {
  return member.awaySince === null ? update({ ...member, awaySince: since }, null, member.participantId) : NOTHING
}

export function comeBack(member: Member): RoomDecision {
  return member.awaySince === null ? NOTHING : update({ ...member, awaySince: null }, null, member.participantId)
}

/** The devices of a user that are in, as they were read. */
export const membersOf = (parts: RoomParts, user: string): Member[] =>
  userIn(parts, user).devices.flatMap(device => parts.get<Member>(PART.member({ user, device })) ?? [])

interface Change {
  readonly actor: Actor
  readonly target: Member
  readonly body: UpdateParticipantRequest
}

/**
 * A role is the user's: all their devices get it. Reads what access does, and the target user's part and members.
 * @throws AppError not_permitted and what access throws
 */
export function change(parts: RoomParts, { actor, target, body }: Change, now: number): RoomDecision {
  const own = actor.user === target.user && actor.device === target.device
  const { role, metadata, mute } = body
  mustBeAllowed(own && role === undefined ? 'takePart' : 'moderate', parts, { actor, now })
  const isHost = target.role === 'host' || membersOf(parts, target.user).some(member => member.role === 'host')
  if (role !== undefined && (role === 'host' || isHost)) mustBeAllowed('manage', parts, { actor, now })
  if (metadata !== undefined && !own) throw new AppError('not_permitted', { detail: 'Metadata is its owner’s' })
  const by = endpoint(actor)
  const except = participantOf(parts, actor)
  const described: Member = metadata === undefined ? target : { ...target, metadata }
  const decision =
    role !== undefined
      ? giveRole(parts, described, { role, by, except })
      : metadata === undefined
        ? NOTHING
        : update(described, by, except)
  if (mute === undefined) return decision
  const asked: RoomEvent = {
    to: { user: target.user, device: target.device },
    type: 'room.mute_requested',
    data: { participantId: target.participantId, mute, by }
  }
  return { ...decision, events: [...decision.events, asked] }
}

interface Giving {
  readonly role: Role
  readonly by: Endpoint
  readonly except: string | undefined
}

function giveRole(parts: RoomParts, target: Member, { role, by, except }: Giving): RoomDecision {
  const { user, device, claimed } = target
  const others = membersOf(parts, user).filter(each => each.device !== device)
  const decisions = [target, ...others].map(member => update({ ...member, role }, by, except))
  const record: RoomUser = { ...userIn(parts, user), role, given: { role, over: claimed } }
  return together({ writes: { [PART.user(user)]: record }, events: [] }, ...decisions)
}

/** @throws AppError not_permitted, also for a host that another user wants out, and what access throws */
export function remove(
  parts: RoomParts,
  { actor, target }: { actor: Actor; target: Member },
  now: number
): RoomDecision {
  const by = endpoint(actor)
  const except = participantOf(parts, actor)
  if (actor.user !== target.user) {
    mustBeAllowed(target.role === 'host' ? 'manage' : 'moderate', parts, { actor, now })
    return leave(parts, target, { reason: 'removed', by, now, except })
  }
  // One's own devices may go, whatever their grants.
  openRoom(parts)
  if (actor.device === target.device) return leave(parts, target, { reason: 'left', by, now })
  return leave(parts, target, { reason: 'removed', by, now, except })
}

/** The acting device gets no event: its reply says it all. */
export const participantOf = (parts: RoomParts, endpoint: Endpoint) =>
  parts.get<Member>(PART.member(endpoint))?.participantId

export function update(member: Member, by: Endpoint | null, except?: string): RoomDecision {
  return {
    writes: { [PART.member(member)]: member },
    events: [tellAll('room.participant_updated', { participant: viewMember(member), by }, except)]
  }
}

export const tellAll = (type: string, data: RoomEvent['data'], except?: string): RoomEvent => ({
  to: { all: true, ...(except === undefined ? {} : { except }) },
  type,
  data
})
