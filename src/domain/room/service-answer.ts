// What a room service says of a room, next to what the token says and what stands in the room.
import type { Actor } from '../../schemas/claims.js'
import type { Role } from '../../schemas/room.js'
import type { RoomDefinition } from '../../schemas/room-service.js'
import { roomUser } from './access.js'
import { leaveWithDevices, updateParticipant } from './participants.js'
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

const SETTINGS = ['mode', 'callType', 'locked', 'maxParticipants', 'defaultRole', 'metadata'] as const

/** The settings it names; no more people than this server allows. */
export function settingsOf(room: RoomDefinition, maxParticipants: number): ServiceSettings {
  const named = Object.fromEntries(SETTINGS.filter(name => room[name] !== undefined).map(name => [name, room[name]]))
  if (room.maxParticipants === undefined) return named
  return { ...named, maxParticipants: Math.min(room.maxParticipants, maxParticipants) }
}

/** What the service says of a user: their own properties of its maps, and no other's. */
function serviceRoleOf({ roles, grants, defaultRole = 'speaker' }: RoomDefinition, user: string) {
  const role = roles !== undefined && Object.hasOwn(roles, user) ? roles[user] : undefined
  const exactly = grants !== undefined && Object.hasOwn(grants, user) ? grants[user] : undefined
  const isNamed = role !== undefined || exactly !== undefined
  return { isNamed, grants: exactly, role: role ?? (defaultRole === 'none' ? null : defaultRole) }
}

/**
 * A token's own claim on rooms comes first. A user whom the service does not name has the default role, also the first to join;
 * in a room for participants only they have nothing.
 */
export function withServiceClaim(actor: Actor, roomId: string, room: RoomDefinition): Actor {
  if (actor.rooms !== undefined) return actor
  const { isNamed, grants = [] } = serviceRoleOf(room, actor.user)
  const role = admittedRole(room, actor.user)
  // Without a role and without grants there is nothing they may do.
  const claim = { ...(role === null ? {} : { role }), ...(grants.length > 0 || role === null ? { grants } : {}) }
  return { ...actor, served: isNamed ? 'named' : 'unnamed', rooms: { [roomId]: claim } }
}

/** False: there is nothing they may do in the room. */
export const admits = (room: RoomDefinition, user: string): boolean =>
  admittedRole(room, user) !== null || (serviceRoleOf(room, user).grants ?? []).length > 0

/** The role of a participant; null: the service does not let them in. */
function admittedRole(room: RoomDefinition, user: string): Role | null {
  const { grants, role } = serviceRoleOf(room, user)
  if (grants !== undefined) return grants.includes('join') ? (role ?? 'listener') : null
  return role
}

/** The most participants that change in one commit. */
const ROLE_CHANGES_MAX = 100

/** Those in the room of whom the service says something else than it did, as many as change at once. */
export function partsOfRoles(whole: RoomParts, room: RoomDefinition): string[] {
  const others = whole
    .list<ParticipantRecord>(PART.participants)
    .filter(([, participant]) => hasOutdatedRole(participant, room))
  const changing = others.slice(0, ROLE_CHANGES_MAX)
  const users = new Set(changing.map(([, { user }]) => PART.user(user)))
  return [PART.settings, ...users, ...changing.map(([place]) => PART.participants + place)]
}

const hasOutdatedRole = ({ user, isServed, claimed }: ParticipantRecord, room: RoomDefinition) =>
  isServed === true && claimed !== admittedRole(room, user)

/**
 * Their roles follow the service; those it does not let in any more are put out. A role that was given in the room stands until the
 * service says something new of its owner. Reads settings, and the parts named of users and participants.
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
  const others = participants.filter(participant => hasOutdatedRole(participant, room))
  const decisions = [...new Set(others.map(({ user }) => user))].map(user => {
    const role = admittedRole(room, user)
    const theirs = others.filter(participant => participant.user === user)
    if (role === null) return leaveWithDevices(parts, theirs, { reason: 'removed', by: null, now })
    const record: RoomUser = { ...roomUser(parts, user), role, given: null }
    const updates = theirs.map(participant => updateParticipant({ ...participant, role, claimed: role }, null))
    return mergeDecisions({ writes: { [PART.user(user)]: record }, events: [] }, ...updates)
  })
  return mergeDecisions({ writes: {}, events: [] }, ...decisions)
}

/** The service has changed the room: those in it hear what is new. Reads settings. */
export function adoptSettings({ settings }: RoomParts, known: ServiceSettings): RoomDecision {
  if (settings === null || settings.closed !== null) return NO_CHANGE
  const before: Readonly<Record<string, unknown>> = { ...settings }
  const changed = Object.entries(known).filter(
    ([name, value]) => JSON.stringify(before[name]) !== JSON.stringify(value)
  )
  if (changed.length === 0) return NO_CHANGE
  const changes = Object.fromEntries(changed)
  return {
    writes: { [PART.settings]: { ...settings, ...changes } },
    events: [{ to: { all: true }, type: 'room.updated', data: { changes, by: null } }]
  }
}
