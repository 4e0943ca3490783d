// May this user do this in this room? The one rule, which every path of a room asks:
//
//   1  a token for other rooms is refused; a banned user is refused, whatever their role or claim
//   2  a user who has no part in the room cannot tell it from one that is not there, unless they ask to join
//   3  some actions take being in the room
//   4  the action's grant comes from the claim, else from the role: in the room, given, claimed, the creator's, the default
import { AppError } from '../../errors.js'
import type { Actor, Grant, RoomClaim } from '../../schemas/claims.js'
import type { Endpoint } from '../../schemas/common.js'
import type { Role } from '../../schemas/room.js'
import {
  type Banned,
  type Invitation,
  PART,
  type ParticipantRecord,
  type RoomParts,
  type RoomUser,
  type Settings
} from './state.js'

const ROLE_GRANTS: Readonly<Record<Role, readonly Grant[]>> = {
  host: ['join', 'signal', 'chat', 'publish', 'moderate', 'manage'],
  moderator: ['join', 'signal', 'chat', 'publish', 'moderate'],
  speaker: ['join', 'signal', 'chat', 'publish'],
  listener: ['join', 'signal', 'chat']
}

interface ActionRule {
  /** Null: nothing beyond having a part in the room. */
  readonly grant: Grant | null
  readonly from: 'anywhere' | 'known' | 'inside'
}

const ACTIONS = {
  join: { grant: 'join', from: 'anywhere' },
  accept: { grant: 'join', from: 'known' },
  read: { grant: 'join', from: 'known' },
  readChat: { grant: 'chat', from: 'known' },
  moderate: { grant: 'moderate', from: 'known' },
  manage: { grant: 'manage', from: 'known' },
  know: { grant: null, from: 'known' },
  takePart: { grant: null, from: 'inside' },
  chat: { grant: 'chat', from: 'inside' },
  signal: { grant: 'signal', from: 'inside' },
  /** To all others at once; takes `signal` too. A listener signals to one at a time. */
  broadcast: { grant: 'publish', from: 'inside' },
  invite: { grant: 'join', from: 'inside' },
  /** An invitation passes the lock. */
  inviteToLocked: { grant: 'moderate', from: 'inside' }
} as const satisfies Record<string, ActionRule>

export type RoomAction = keyof typeof ACTIONS

export interface Access {
  readonly settings: Settings
  /** Null: this device is not in. */
  readonly participant: ParticipantRecord | null
  /** As which it acts, or would join. */
  readonly role: Role
  readonly claim: RoomClaim | undefined
  /** A lock does not keep them out. */
  readonly passesLock: boolean
}

interface Requester {
  readonly actor: Actor
  readonly now: number
}

/** What the rule reads. */
export const partsOfAccess = ({ user, device }: Endpoint): string[] => [
  ...[PART.settings, PART.participantOf({ user, device }), PART.user(user), PART.ban(user), PART.invitation(user)]
]

/** @throws AppError not_permitted, banned, room_not_found, room_closed, not_in_room */
export function requireAccess(action: RoomAction, parts: RoomParts, { actor, now }: Requester): Access {
  const rule: ActionRule = ACTIONS[action]
  const claim = requireNotBanned(parts, actor, now)
  const part = relationOf(parts, actor, claim)
  if (rule.from !== 'anywhere' && !part.isKnown) throw new AppError('room_not_found')
  const settings = requireOpenRoom(parts)
  if (rule.from === 'inside' && part.participant === null) throw new AppError('not_in_room')
  const fromOutside = rule.grant === 'moderate' || rule.grant === 'manage' ? part.ownRole : part.role
  const grants = grantsOf(part.participant?.role ?? fromOutside, claim)
  if (rule.grant !== null && !grants.includes(rule.grant)) throw refusedGrant(part.isKnown, rule.grant)
  const passesLock = part.isInvited || grants.includes('moderate')
  const isReader = action === 'read' || action === 'readChat'
  if (isReader && settings.locked && !part.isIn && !passesLock) throw new AppError('room_not_found')
  // Grants without a role come from a claim; they count, and the role is only shown.
  return {
    settings,
    participant: part.participant,
    role: part.participant?.role ?? part.role ?? 'listener',
    claim,
    passesLock
  }
}

/** For actions that take being in the room. @throws AppError as requireAccess */
export function requireParticipant(
  action: RoomAction,
  parts: RoomParts,
  asking: Requester
): Access & { participant: ParticipantRecord } {
  const access = requireAccess(action, parts, asking)
  if (access.participant === null) throw new AppError('not_in_room')
  return { ...access, participant: access.participant }
}

/** A user who has no part in the room is not told that it is there. */
export const refusedGrant = (isKnown: boolean, grant: Grant): AppError =>
  isKnown ? new AppError('not_permitted', { detail: `It takes the grant ${grant}` }) : new AppError('room_not_found')

export const grantsOf = (role: Role | null, claim: RoomClaim | undefined): readonly Grant[] =>
  claim?.grants ?? (role === null ? [] : ROLE_GRANTS[role])

/** The claim of the actor on this room, if there is one. @throws AppError not_permitted, banned */
export function requireNotBanned(parts: RoomParts, actor: Actor, now: number): RoomClaim | undefined {
  const claim = claimFor(actor, parts.roomId)
  const ban = parts.get<Banned>(PART.ban(actor.user))
  if (ban && isInForce(ban, now)) throw new AppError('banned')
  return claim
}

export const isInForce = ({ until }: Banned, now: number): boolean => until === null || until > now

/** The settings of a room that is there. @throws AppError room_not_found, room_closed */
export function requireOpenRoom({ settings }: RoomParts): Settings {
  if (settings === null) throw new AppError('room_not_found')
  if (settings.closed === null) return settings
  throw new AppError(settings.closed === 'empty' ? 'room_not_found' : 'room_closed')
}

/** What the token says of this room; undefined when it says nothing of rooms at all. @throws AppError not_permitted */
function claimFor({ rooms }: Actor, roomId: string): RoomClaim | undefined {
  if (rooms === undefined) return undefined
  const claim = ownClaim(rooms, roomId) ?? ownClaim(rooms, '*')
  if (claim === undefined) throw new AppError('not_permitted', { detail: 'The token is for other rooms' })
  return claim
}

/** Its own properties: a room may be called `constructor`. */
const ownClaim = (rooms: NonNullable<Actor['rooms']>, name: string) =>
  Object.hasOwn(rooms, name) ? rooms[name] : undefined

/** A claim counts as explicit if it names the room, or gives something in every room. */
function isExplicit(actor: Actor, roomId: string, claim: RoomClaim | undefined): boolean {
  if (claim === undefined || actor.served !== undefined) return actor.served === 'named'
  const namesRoom = actor.rooms !== undefined && Object.hasOwn(actor.rooms, roomId)
  return namesRoom || claim.role !== undefined || (claim.grants ?? []).length > 0
}

interface Relation {
  readonly participant: ParticipantRecord | null
  /** With this device or another one. */
  readonly isIn: boolean
  readonly isInvited: boolean
  /** Has a part in the room: is in, made it, was asked in, or has an explicit claim. */
  readonly isKnown: boolean
  /** Given, claimed, the creator's, or that of another device which is in. */
  readonly ownRole: Role | null
  /** The same, else what the room gives to everybody, or an invitation does. */
  readonly role: Role | null
}

function relationOf(parts: RoomParts, actor: Actor, claim: RoomClaim | undefined): Relation {
  const participant = parts.get<ParticipantRecord>(PART.participantOf(actor))
  const { devices, given, role: roleHere } = roomUser(parts, actor.user)
  const isIn = participant !== null || devices.length > 0
  const isInvited = hasInvitation(parts, actor.user)
  const isOwner = isCreator(parts, actor.user) && actor.served === undefined && (given?.role ?? 'host') === 'host'
  const claimed = claim?.role ?? null
  const stands = given !== null && (claimed === null || claimed === given.over)
  const ownRole = stands ? given.role : (claimed ?? (isOwner ? 'host' : isIn ? roleHere : null))
  const { defaultRole = 'none' } = parts.settings ?? {}
  const role = ownRole ?? (defaultRole === 'none' ? (isInvited ? 'speaker' : null) : defaultRole)
  const isKnown = isIn || isOwner || isInvited || isExplicit(actor, parts.roomId, claim)
  return { participant, isIn, isInvited, isKnown, ownRole, role }
}

export const isCreator = ({ settings }: RoomParts, user: string): boolean =>
  settings?.createdBy === user && settings.closed !== 'empty'

/** What the room keeps of a user; what an earlier room of this id kept says nothing. */
export function roomUser(parts: RoomParts, user: string): RoomUser {
  const roomSince = parts.settings?.createdAt ?? 0
  const kept = parts.get<RoomUser>(PART.user(user))
  return kept?.roomSince === roomSince ? kept : { roomSince, devices: [], role: null, given: null, left: [] }
}

/** Null when it has left, also if its device has joined again since. Reads PART.participant. */
export function findParticipantRecord(parts: RoomParts, participantId: string): ParticipantRecord | null {
  const participant = parts.get<ParticipantRecord>(PART.participant(participantId))
  return participant?.participantId === participantId ? participant : null
}

/** It rings, or was accepted since the room began. */
function hasInvitation(parts: RoomParts, user: string): boolean {
  const invitation = parts.get<Invitation>(PART.invitation(user))
  if (invitation === null || invitation.ended === null) return invitation !== null
  return invitation.ended.reason === 'accepted' && invitation.ended.at >= (parts.settings?.createdAt ?? 0)
}
