// The rules of the room service: how its answer is combined with the claims of a token and with the state of the room.
import type { Actor, Grant } from '../../schemas/claims.js'
import type { Role } from '../../schemas/room.js'
import type { RoomDefinition } from '../../schemas/room-service.js'
import { wantedMode } from '../sfu/mode.js'
import { partsOfRevocation, revokeMedia, sendsRevoked } from '../sfu/revocation.js'
import { grantsOf } from './access.js'
import { updateSettings } from './lifecycle.js'
import { leaveWithDevices, writeParticipant } from './participants.js'
import { roomUser } from './room-user.js'
import {
  mergeDecisions,
  NO_CHANGE,
  PART,
  type ParticipantRecord,
  type RoomDecision,
  type RoomParts,
  type RoomUser,
  type ServiceSettings
} from './state.js'

const SETTINGS = [
  'mode',
  'p2pFallback',
  'callType',
  'locked',
  'record',
  'maxParticipants',
  'defaultRole',
  'metadata'
] as const

/** The settings that the answer names. `maxParticipants` is at most the limit of this server. */
export function settingsOf(room: RoomDefinition, maxParticipants: number): ServiceSettings {
  const named = Object.fromEntries(SETTINGS.filter(name => room[name] !== undefined).map(name => [name, room[name]]))
  if (room.maxParticipants === undefined) return named
  return { ...named, maxParticipants: Math.min(room.maxParticipants, maxParticipants) }
}

/** The role and grants that the service gives a user. Reads own properties only: a user may be called `constructor`. */
function serviceRoleOf({ roles, grants, defaultRole = 'speaker' }: RoomDefinition, user: string) {
  const role = roles !== undefined && Object.hasOwn(roles, user) ? roles[user] : undefined
  const listed = grants !== undefined && Object.hasOwn(grants, user) ? grants[user] : undefined
  const isNamed = role !== undefined || listed !== undefined
  return { isNamed, grants: listed, role: role ?? (defaultRole === 'none' ? null : defaultRole) }
}

/**
 * The actor with the service's answer as their claim, unless the token makes claims about rooms. A user whom the service does not name gets
 * the default role, even as the first to join, and no grants if that is `none`.
 */
export function withServiceClaim(actor: Actor, roomId: string, room: RoomDefinition): Actor {
  if (actor.rooms !== undefined) return actor
  const { isNamed, grants = [] } = serviceRoleOf(room, actor.user)
  const role = admittedRole(room, actor.user)
  // An empty list of grants allows nothing.
  const claim = { ...(role === null ? {} : { role }), ...(grants.length > 0 || role === null ? { grants } : {}) }
  return { ...actor, served: isNamed ? 'named' : 'unnamed', rooms: { [roomId]: claim } }
}

/** Whether the service allows the user anything in the room. */
export const admits = (room: RoomDefinition, user: string): boolean =>
  admittedRole(room, user) !== null || (serviceRoleOf(room, user).grants ?? []).length > 0

/** The role of the user as a participant; null: the service does not let them join. */
function admittedRole(room: RoomDefinition, user: string): Role | null {
  const { grants, role } = serviceRoleOf(room, user)
  if (grants !== undefined) return grants.includes('join') ? (role ?? 'listener') : null
  return role
}

/** Participants that change in one commit. */
const ROLE_CHANGES_MAX = 100

/**
 * The parts of participants whose role or grants the service has changed, for one commit. `whole` has PART.settings, PART.sfu, and all
 * participants and producers.
 */
export function partsOfRoles(whole: RoomParts, room: RoomDefinition): string[] {
  const changing = whole
    .list<ParticipantRecord>(PART.participants)
    .filter(([, participant]) => isOutdated(whole, participant, room))
    .slice(0, ROLE_CHANGES_MAX)
  const users = new Set(changing.map(([, { user }]) => PART.user(user)))
  const revocation = partsOfRevocation(changing.map(([, participant]) => participant))
  return [PART.settings, ...users, ...changing.map(([key]) => PART.participants + key), ...revocation]
}

const isOutdated = (parts: RoomParts, participant: ParticipantRecord, room: RoomDefinition) =>
  hasOutdatedRole(participant, room) ||
  (participant.isFromService === true && sendsRevoked(parts, participant, { grants: grantsIn(room, participant) }))

/** The grants of a participant whose role is current. */
const grantsIn = (room: RoomDefinition, { user, role }: ParticipantRecord): readonly Grant[] => {
  const { grants = [] } = serviceRoleOf(room, user)
  return grants.length > 0 ? grants : grantsOf(role, undefined)
}

const hasOutdatedRole = ({ user, isFromService, claimed }: ParticipantRecord, room: RoomDefinition) =>
  isFromService === true && claimed !== admittedRole(room, user)

/**
 * Gives participants the roles of the service's answer, closes what they may not send any more, and removes those whom it no longer lets in.
 * A new role from the service replaces the one that was assigned in the room. Reads PART.settings and the named parts.
 */
export function adoptRoles(
  parts: RoomParts,
  { room, named }: { room: RoomDefinition; named: readonly string[] },
  now: number
): RoomDecision {
  if (parts.settings === null || parts.settings.closed !== null) return NO_CHANGE
  const participants = named.flatMap(name =>
    name.startsWith(PART.participants) ? (parts.get<ParticipantRecord>(name) ?? []) : []
  )
  const changing = participants.filter(participant => isOutdated(parts, participant, room))
  const decisions = [...new Set(changing.map(({ user }) => user))].map(user => {
    const role = admittedRole(room, user)
    const theirs = changing.filter(participant => participant.user === user)
    if (role === null) return leaveWithDevices(parts, theirs, { reason: 'removed', by: null, now })
    const updates = theirs.map(participant => adoptRole(parts, { participant, role }, room))
    if (!theirs.some(participant => hasOutdatedRole(participant, room))) return mergeDecisions(NO_CHANGE, ...updates)
    const record: RoomUser = { ...roomUser(parts, user), role, assigned: null }
    return mergeDecisions({ writes: { [PART.user(user)]: record }, events: [] }, ...updates)
  })
  return mergeDecisions({ writes: {}, events: [] }, ...decisions)
}

function adoptRole(
  parts: RoomParts,
  { participant, role }: { readonly participant: ParticipantRecord; readonly role: Role },
  room: RoomDefinition
): RoomDecision {
  const isChanged = hasOutdatedRole(participant, room)
  const adopted = isChanged ? { ...participant, role, claimed: role } : participant
  const revoked = revokeMedia(parts, participant, { grants: grantsIn(room, adopted), by: null })
  return isChanged ? mergeDecisions(writeParticipant(adopted, null), revoked) : revoked
}

/**
 * The service has changed settings of the room: participants receive the changes. Reads PART.settings, and PART.participantHeads if the mode
 * becomes p2p.
 */
export function adoptSettings(parts: RoomParts, known: ServiceSettings): RoomDecision {
  const { settings } = parts
  if (settings === null || settings.closed !== null) return NO_CHANGE
  const before: Readonly<Record<string, unknown>> = { ...settings, mode: wantedMode(settings) }
  const changed = Object.entries(known).filter(
    ([name, value]) => JSON.stringify(before[name]) !== JSON.stringify(value)
  )
  if (changed.length === 0) return NO_CHANGE
  return updateSettings(parts, settings, { changes: Object.fromEntries(changed), by: null })
}
