// Whether a user may do something in a room. Every operation on a room asks this rule:
//
//   1  A token for other rooms is refused. A banned user is refused, whatever their role or claim.
//   2  For a user who is not related to the room it looks like a room that does not exist, except when they join.
//   3  Some actions require that the device is in the room.
//   4  The grant for the action comes from the claim if that lists grants, else from the role: the role of the participant, or for a device that
//      is not in the room the assigned role, the claimed one, `host` for the creator, the role of the user's other devices, the default role.
import { AppError } from '../../errors.js'
import type { Actor, Grant, RoomClaim } from '../../schemas/claims.js'
import type { Endpoint } from '../../schemas/common.js'
import type { Role } from '../../schemas/room.js'
import type { ProducerSource } from '../../schemas/sfu.js'
import { hiddenParticipantOf, requireHiddenAction } from './hidden.js'
import { roomUser } from './room-user.js'
import {
  type BanRecord,
  type Invitation,
  PART,
  type ParticipantRecord,
  type RoomParts,
  type Settings
} from './state.js'

const LISTENER_GRANTS = ['join', 'signal', 'chat', 'subscribe'] as const
const ROLE_GRANTS: Readonly<Record<Role, readonly Grant[]>> = {
  host: [...LISTENER_GRANTS, 'publish', 'moderate', 'manage'],
  moderator: [...LISTENER_GRANTS, 'publish', 'moderate'],
  speaker: [...LISTENER_GRANTS, 'publish'],
  listener: LISTENER_GRANTS
}

/** For some source at least. */
const PUBLISH = ['publish', 'publish:audio', 'publish:video', 'publish:screen'] as const
const SUBSCRIBE = ['subscribe', 'subscribe:audio', 'subscribe:video', 'subscribe:screen'] as const

interface ActionRule {
  /** One of these suffices. Null: none is required. */
  readonly grant: Grant | readonly [Grant, ...Grant[]] | null
  /** `inside`: the device is in the room. `related`: the user is related to it, see Relation. */
  readonly from: 'anywhere' | 'related' | 'inside'
}

const ACTIONS = {
  join: { grant: 'join', from: 'anywhere' },
  accept: { grant: 'join', from: 'related' },
  read: { grant: 'join', from: 'related' },
  readChat: { grant: 'chat', from: 'related' },
  moderate: { grant: 'moderate', from: 'related' },
  manage: { grant: 'manage', from: 'related' },
  know: { grant: null, from: 'related' },
  takePart: { grant: null, from: 'inside' },
  chat: { grant: 'chat', from: 'inside' },
  signal: { grant: 'signal', from: 'inside' },
  /** Candidates for all others at once. Requires `signal` too. A listener may only signal to one participant at a time. */
  broadcast: { grant: PUBLISH, from: 'inside' },
  /** Transports, and what belongs to no source. */
  useMedia: { grant: [...PUBLISH, ...SUBSCRIBE], from: 'inside' },
  'publish:audio': { grant: ['publish', 'publish:audio'], from: 'inside' },
  'publish:video': { grant: ['publish', 'publish:video'], from: 'inside' },
  'publish:screen': { grant: ['publish', 'publish:screen'], from: 'inside' },
  publishData: { grant: 'publish', from: 'inside' },
  subscribe: { grant: SUBSCRIBE, from: 'inside' },
  'subscribe:audio': { grant: ['subscribe', 'subscribe:audio'], from: 'inside' },
  'subscribe:video': { grant: ['subscribe', 'subscribe:video'], from: 'inside' },
  'subscribe:screen': { grant: ['subscribe', 'subscribe:screen'], from: 'inside' },
  subscribeData: { grant: 'subscribe', from: 'inside' },
  /** Pausing and closing what others send. */
  moderateMedia: { grant: 'moderate', from: 'inside' },
  invite: { grant: 'join', from: 'inside' },
  /** An invitation lets its user join a locked room. */
  inviteToLocked: { grant: 'moderate', from: 'inside' }
} as const satisfies Record<string, ActionRule>

export type RoomAction = keyof typeof ACTIONS

export interface Access {
  readonly settings: Settings
  /** Null: this device is not in the room. */
  readonly participant: ParticipantRecord | null
  /** The role of the participant, or the one that the device would join with. */
  readonly role: Role
  readonly claim: RoomClaim | undefined
  /** The user may join while the room is locked. */
  readonly passesLock: boolean
}

interface Requester {
  readonly actor: Actor
  readonly now: number
}

/** The parts that requireAccess reads. */
export const partsOfAccess = ({ user, device }: Endpoint): string[] => [
  ...[PART.settings, PART.participantOf({ user, device }), PART.hiddenOf({ user, device })],
  ...[PART.user(user), PART.ban(user), PART.invitation(user)]
]

/** @throws AppError not_permitted, banned, room_not_found, room_closed, not_in_room */
export function requireAccess(action: RoomAction, parts: RoomParts, { actor, now }: Requester): Access {
  const rule: ActionRule = ACTIONS[action]
  const claim = requireNotBanned(parts, actor, now)
  const relation = relationOf(parts, actor, claim)
  if (rule.from !== 'anywhere' && !relation.isRelated) throw new AppError('room_not_found')
  const settings = requireOpenRoom(parts)
  if (rule.from === 'inside' && relation.participant === null) throw new AppError('not_in_room')
  if (relation.participant?.hidden) requireHiddenAction(action)
  // Outside the room its default role allows neither to moderate nor to manage.
  const outsideRole = rule.grant === 'moderate' || rule.grant === 'manage' ? relation.ownRole : relation.role
  const grants = grantsOf(relation.participant?.role ?? outsideRole, claim)
  const needed = rule.grant === null ? [] : [rule.grant].flat()
  const [first] = needed
  if (first !== undefined && !needed.some(grant => grants.includes(grant)))
    throw refusedGrant(relation.isRelated, first)
  const passesLock = relation.isInvited || grants.includes('moderate') || grants.includes('hidden')
  const isReader = action === 'read' || action === 'readChat'
  if (isReader && settings.locked && !relation.isIn && !passesLock) throw new AppError('room_not_found')
  // A claim may list grants without a role. Then the grants decide, and the role is only shown to others.
  return {
    settings,
    participant: relation.participant,
    role: relation.participant?.role ?? relation.role ?? 'listener',
    claim,
    passesLock
  }
}

/** For actions of participants. @throws AppError as requireAccess */
export function requireParticipant(
  action: RoomAction,
  parts: RoomParts,
  requester: Requester
): Access & { participant: ParticipantRecord } {
  const access = requireAccess(action, parts, requester)
  if (access.participant === null) throw new AppError('not_in_room')
  return { ...access, participant: access.participant }
}

/** To a user who is not related to the room the error does not show that the room exists. */
export const refusedGrant = (isRelated: boolean, grant: Grant): AppError =>
  isRelated ? new AppError('not_permitted', { detail: `Requires the grant ${grant}` }) : new AppError('room_not_found')

export const grantsOf = (role: Role | null, claim: RoomClaim | undefined): readonly Grant[] =>
  claim?.grants ?? (role === null ? [] : ROLE_GRANTS[role])

/** What the token allows a participant with this role; nothing if it is for other rooms. */
export function grantsOfToken({ rooms }: Actor, roomId: string, role: Role): readonly Grant[] {
  const claim = rooms && claimIn(rooms, roomId)
  return rooms !== undefined && claim === undefined ? [] : grantsOf(role, claim)
}

/** `source` null: data channels, which belong to no source. */
export function maySend(grants: readonly Grant[], source: ProducerSource | null): boolean {
  const needed: readonly Grant[] = [
    ACTIONS[source === null ? 'publishData' : (`publish:${source}` as const)].grant
  ].flat()
  return needed.some(grant => grants.includes(grant))
}

/** Returns the actor's claim for this room, if there is one. @throws AppError not_permitted, banned */
export function requireNotBanned(parts: RoomParts, actor: Actor, now: number): RoomClaim | undefined {
  const claim = claimFor(actor, parts.roomId)
  const ban = parts.get<BanRecord>(PART.ban(actor.user))
  if (ban && isInForce(ban, now)) throw new AppError('banned')
  return claim
}

export const isInForce = ({ until }: BanRecord, now: number): boolean => until === null || until > now

/** The settings of an open room. @throws AppError room_not_found, room_closed */
export function requireOpenRoom({ settings }: RoomParts): Settings {
  if (settings === null) throw new AppError('room_not_found')
  if (settings.closed === null) return settings
  throw new AppError(settings.closed === 'empty' ? 'room_not_found' : 'room_closed')
}

/**
 * Undefined: neither the token nor the room service makes claims about rooms.
 * @throws AppError not_permitted if they claim other rooms only
 */
function claimFor({ rooms }: Actor, roomId: string): RoomClaim | undefined {
  if (rooms === undefined) return undefined
  const claim = claimIn(rooms, roomId)
  if (claim === undefined) throw new AppError('not_permitted', { detail: 'The token is for other rooms' })
  return claim
}

const claimIn = (rooms: NonNullable<Actor['rooms']>, roomId: string) => ownClaim(rooms, roomId) ?? ownClaim(rooms, '*')

/** Reads own properties only: a room may be called `constructor`. */
const ownClaim = (rooms: NonNullable<Actor['rooms']>, name: string) =>
  Object.hasOwn(rooms, name) ? rooms[name] : undefined

/** Whether a claim relates the user to the room: it names the room, or gives a role or grants in every room. */
function isExplicit(actor: Actor, roomId: string, claim: RoomClaim | undefined): boolean {
  if (claim === undefined || actor.served !== undefined) return actor.served === 'named'
  const namesRoom = actor.rooms !== undefined && Object.hasOwn(actor.rooms, roomId)
  return namesRoom || claim.role !== undefined || (claim.grants ?? []).length > 0
}

interface Relation {
  readonly participant: ParticipantRecord | null
  /** This device or another one of the user is in the room. */
  readonly isIn: boolean
  readonly isInvited: boolean
  /** The user is in the room, created it, is invited, or has an explicit claim. */
  readonly isRelated: boolean
  /** Assigned, claimed, the creator's, or that of another device in the room. */
  readonly ownRole: Role | null
  /** `ownRole`, else the default role of the room; in a room for members only, `speaker` for an invited user. */
  readonly role: Role | null
}

function relationOf(parts: RoomParts, actor: Actor, claim: RoomClaim | undefined): Relation {
  const participant = parts.get<ParticipantRecord>(PART.participantOf(actor)) ?? hiddenParticipantOf(parts, actor)
  const { devices, assigned, role: roleInRoom } = roomUser(parts, actor.user)
  const isIn = participant !== null || devices.length > 0
  const isInvited = hasInvitation(parts, actor.user)
  const isOwner = isCreator(parts, actor.user) && actor.served === undefined && (assigned?.role ?? 'host') === 'host'
  const claimed = claim?.role ?? null
  const isAssigned = assigned !== null && (claimed === null || claimed === assigned.claimed)
  const ownRole = isAssigned ? assigned.role : (claimed ?? (isOwner ? 'host' : isIn ? roleInRoom : null))
  const { defaultRole = 'none' } = parts.settings ?? {}
  const role = ownRole ?? (defaultRole === 'none' ? (isInvited ? 'speaker' : null) : defaultRole)
  const isRelated = isIn || isOwner || isInvited || isExplicit(actor, parts.roomId, claim)
  return { participant, isIn, isInvited, isRelated, ownRole, role }
}

export const isCreator = ({ settings }: RoomParts, user: string): boolean =>
  settings?.createdBy === user && settings.closed !== 'empty'

/** Null: the participant has left, also if its device has joined again. Reads PART.participant. */
export function findParticipantRecord(parts: RoomParts, participantId: string): ParticipantRecord | null {
  const participant = parts.get<ParticipantRecord>(PART.participant(participantId))
  return participant?.participantId === participantId ? participant : null
}

/** The user's invitation is ringing, or was accepted since the room was created. */
function hasInvitation(parts: RoomParts, user: string): boolean {
  const invitation = parts.get<Invitation>(PART.invitation(user))
  if (invitation === null || invitation.ended === null) return invitation !== null
  return invitation.ended.reason === 'accepted' && invitation.ended.at >= (parts.settings?.createdAt ?? 0)
}
