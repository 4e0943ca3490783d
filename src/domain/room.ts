// The rules of a room, as pure functions: what was read of it, a command, now → what is written and who hears of it, or an
// AppError that changes nothing. Every part a rule looks at must have been read: the commit holds only if none of them changed.
import { AppError } from '../errors.js'
import type { Actor, Grant } from '../schemas/claims.js'
import type { Endpoint } from '../schemas/common.js'
import type { LeaveReason, ParticipantBody, Role } from '../schemas/room.js'
import { claimFor, isAskedIn, isGranted, mustBeGranted } from './grants.js'
import { type Making, openOrFresh } from './room-making.js'
import {
  type Banned,
  type Member,
  NOTHING,
  PART,
  type RoomDecision,
  type RoomEvent,
  type RoomParts,
  type Settings,
  viewMember
} from './room-state.js'

export interface Join extends Making {
  readonly actor: Actor
  readonly participantId: string
  readonly metadata: Member['metadata']
  readonly replace: boolean
}

/** The settings of a room that is there. @throws AppError room_not_found, room_closed */
export function openRoom({ settings }: RoomParts): Settings {
  if (settings === null) throw new AppError('room_not_found')
  if (settings.closed === null) return settings
  throw new AppError(settings.closed === 'empty' ? 'room_not_found' : 'room_closed')
}

export function mustNotBeBanned(parts: RoomParts, { user }: Endpoint, now: number): void {
  const ban = parts.get<Banned>(PART.ban(user))
  if (ban && isInForce(ban, now)) throw new AppError('banned')
}

export const isInForce = ({ until }: Banned, now: number): boolean => until === null || until > now

/** Reads settings, the actor's member, ban and invitation. The first to join makes the room and is its host. */
export function join(parts: RoomParts, command: Join, now: number): RoomDecision {
  const { actor, participantId, metadata, replace } = command
  const settings = openOrFresh(parts, actor, command, now)
  const claim = claimFor(actor, parts.roomId)
  const role: Role = claim?.role ?? (settings.createdBy === actor.user ? 'host' : settings.defaultRole)
  mustBeGranted('join', role, claim)
  mustNotBeBanned(parts, actor, now)
  const before = parts.get<Member>(PART.member(actor.user, actor.device))
  if (before && !replace) return comeBack(before)
  const passesLock = isGranted('moderate', role, claim) || isAskedIn(parts, actor.user)
  if (settings.locked && !passesLock) throw new AppError('room_locked')

  const { user, device } = actor
  const known = actor.isServed ? { serviceRole: role } : {}
  const member: Member = { participantId, user, device, role, ...known, awaySince: null, joinedAt: now, metadata }
  const replaced = before ? leave(before, 'replaced', { user, device }, now, participantId) : NOTHING
  const others = replaced.events.filter(({ to }) => 'all' in to)
  return {
    writes: {
      ...(settings === parts.settings ? {} : { [PART.settings]: settings }),
      ...replaced.writes,
      [PART.member(user, device)]: member,
      [PART.at(participantId)]: { user, device },
      [PART.empty]: null
    },
    moves: [{ user, device, from: before?.participantId ?? null, to: participantId }],
    seatsMax: settings.maxParticipants,
    events: [
      ...others,
      tellAll('room.participant_joined', { participant: viewMember(member) }, participantId),
      { to: { user, except: [device] }, type: 'room.joined', data: { participant: viewMember(member) } }
    ]
  }
}

/** The member goes, `except` hears nothing of it; reads nothing but the member. */
export function leave(
  member: Member,
  reason: LeaveReason,
  by: Endpoint | null,
  now: number,
  except?: string
): RoomDecision {
  const { participantId, user, device } = member
  const data = { participantId, user, reason, by }
  const gone: RoomEvent[] = [tellAll('room.participant_left', data, except)]
  // Who leaves knows it from the reply; who is put out has to hear it.
  if (reason !== 'left') gone.push({ to: { user, device }, type: 'room.participant_left', data })
  return {
    writes: { [PART.member(user, device)]: null, [PART.at(participantId)]: null, [PART.empty]: now },
    moves: [{ user, device, from: participantId, to: null }],
    events: gone
  }
}

/** The stream of a member's device has gone, or it shows no sign of life. */
export function goAway(member: Member, since: number): RoomDecision {
  return member.awaySince === null ? update({ ...member, awaySince: since }, null, member.participantId) : NOTHING
}

export function comeBack(member: Member): RoomDecision {
  return member.awaySince === null ? NOTHING : update({ ...member, awaySince: null }, null, member.participantId)
}

/** @throws AppError not_permitted */
export function change(
  parts: RoomParts,
  { actor, target, body }: { actor: Actor; target: Member; body: ParticipantBody },
  now: number
): RoomDecision {
  openRoom(parts)
  const own = actor.user === target.user && actor.device === target.device
  if (!own || body.role !== undefined) mustBeAllowed('moderate', parts, actor, now)
  const concernsHost = body.role === 'host' || target.role === 'host'
  if (body.role !== undefined && concernsHost) mustBeAllowed('manage', parts, actor, now)
  if (body.metadata !== undefined && !own) throw new AppError('not_permitted', { detail: 'Metadata is its owner’s' })
  const by = { user: actor.user, device: actor.device }
  const next = { ...target, role: body.role ?? target.role, metadata: body.metadata ?? target.metadata }
  const changed = body.role !== undefined || body.metadata !== undefined
  const decision = changed ? update(next, by, participantOf(parts, actor)) : NOTHING
  if (body.mute === undefined) return decision
  const asked: RoomEvent = {
    to: { user: target.user, device: target.device },
    type: 'room.mute_requested',
    data: { participantId: target.participantId, mute: body.mute, by }
  }
  return { ...decision, events: [...decision.events, asked] }
}

/** @throws AppError not_permitted, also for a host that somebody else wants out */
export function remove(
  parts: RoomParts,
  { actor, target }: { actor: Actor; target: Member },
  now: number
): RoomDecision {
  openRoom(parts)
  const by = { user: actor.user, device: actor.device }
  if (actor.user === target.user && actor.device === target.device) return leave(target, 'left', by, now)
  if (actor.user === target.user) return leave(target, 'removed', by, now, participantOf(parts, actor))
  mustBeAllowed(target.role === 'host' ? 'manage' : 'moderate', parts, actor, now)
  return leave(target, 'removed', by, now, participantOf(parts, actor))
}

/** @throws AppError not_permitted, banned, room_not_found, room_closed */
export function mayModerate(parts: RoomParts, actor: Actor, now: number): void {
  openRoom(parts)
  mustBeAllowed('moderate', parts, actor, now)
}

/**
 * Reads the actor's member and ban. A ban takes away what somebody may do by their role, also as the one who made the room, or they
 * would lift it. Whoever has `manage` from their token or the room service stands above the room's bans. @throws AppError
 */
export function mustBeAllowed(grant: Grant, parts: RoomParts, actor: Actor, now: number): void {
  const claim = claimFor(actor, parts.roomId)
  mustBeGranted(grant, roleOf(parts, actor), claim)
  if (claim === undefined || !isGranted('manage', claim.role ?? null, claim)) mustNotBeBanned(parts, actor, now)
}

/**
 * Holds for the user, who is in with these devices, or with none. A host is as safe from it as from being put out, and so is
 * whoever made the room while they are out. @throws AppError not_permitted, banned
 */
export function ban(
  parts: RoomParts,
  { actor, user, devices, forMs }: { actor: Actor; user: string; devices: readonly string[]; forMs: number | null },
  now: number
): RoomDecision {
  const { createdBy } = openRoom(parts)
  const members = devices.flatMap(device => parts.get<Member>(PART.member(user, device)) ?? [])
  const isHost = members.length === 0 ? createdBy === user : members.some(({ role }) => role === 'host')
  mustBeAllowed(isHost ? 'manage' : 'moderate', parts, actor, now)
  const by = { user: actor.user, device: actor.device }
  const banned: Banned = { by, at: now, until: forMs === null ? null : now + forMs }
  return { writes: { [PART.ban(user)]: banned }, events: [] }
}

/** @throws AppError not_permitted, banned */
export function unban(parts: RoomParts, { actor, user }: { actor: Actor; user: string }, now: number): RoomDecision {
  mayModerate(parts, actor, now)
  return parts.get(PART.ban(user)) === null ? NOTHING : { writes: { [PART.ban(user)]: null }, events: [] }
}

/** The role that somebody has in the room now; the creator's, when it is its own and it stands outside. */
export function roleOf(parts: RoomParts, actor: Actor): Role | null {
  const member = parts.get<Member>(PART.member(actor.user, actor.device))
  if (member) return member.role
  return claimFor(actor, parts.roomId)?.role ?? (parts.settings?.createdBy === actor.user ? 'host' : null)
}

/** The acting device gets no echo: its reply says it all. */
export const participantOf = (parts: RoomParts, { user, device }: Endpoint) =>
  parts.get<Member>(PART.member(user, device))?.participantId

export function update(member: Member, by: Endpoint | null, except?: string): RoomDecision {
  return {
    writes: { [PART.member(member.user, member.device)]: member },
    events: [tellAll('room.participant_updated', { participant: viewMember(member), by }, except)]
  }
}

export const tellAll = (type: string, data: RoomEvent['data'], except?: string): RoomEvent => ({
  to: { all: true, ...(except === undefined ? {} : { except }) },
  type,
  data
})
