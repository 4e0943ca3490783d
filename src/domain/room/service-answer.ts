// What a room service says of a room, next to what the token says and what stands in the room.
import type { Actor } from '../../schemas/claims.js'
import type { Role } from '../../schemas/room.js'
import type { RoomDefinition } from '../../schemas/room-service.js'
import { userIn } from './access.js'
import { leaveAll, update } from './participants.js'
import {
  type Known,
  type Member,
  NOTHING,
  PART,
  type RoomDecision,
  type RoomParts,
  type RoomUser,
  together
} from './state.js'

const SETTINGS = ['mode', 'callType', 'locked', 'maxParticipants', 'defaultRole', 'metadata'] as const

/** The settings it names; no more people than this server allows. */
export function settingsOf(room: RoomDefinition, maxParticipants: number): Known {
  const named = Object.fromEntries(SETTINGS.filter(name => room[name] !== undefined).map(name => [name, room[name]]))
  if (room.maxParticipants === undefined) return named
  return { ...named, maxParticipants: Math.min(room.maxParticipants, maxParticipants) }
}

/** What the service says of a user: their own properties of its maps, and no other's. */
function wordOn({ roles, grants, defaultRole = 'speaker' }: RoomDefinition, user: string) {
  const role = roles !== undefined && Object.hasOwn(roles, user) ? roles[user] : undefined
  const exactly = grants !== undefined && Object.hasOwn(grants, user) ? grants[user] : undefined
  const isNamed = role !== undefined || exactly !== undefined
  return { isNamed, grants: exactly, role: role ?? (defaultRole === 'none' ? null : defaultRole) }
}

/**
 * A token's own claim on rooms comes first. A user whom the service does not name has the default role, also the first to join;
 * in a room for members only they have nothing.
 */
export function withRoles(actor: Actor, roomId: string, room: RoomDefinition): Actor {
  if (actor.rooms !== undefined) return actor
  const { isNamed, grants = [] } = wordOn(room, actor.user)
  const role = roleIn(room, actor.user)
  // Without a role and without grants there is nothing they may do.
  const claim = { ...(role === null ? {} : { role }), ...(grants.length > 0 || role === null ? { grants } : {}) }
  return { ...actor, served: isNamed ? 'named' : 'unnamed', rooms: { [roomId]: claim } }
}

/** False: there is nothing they may do in the room. */
export const letsIn = (room: RoomDefinition, user: string): boolean =>
  roleIn(room, user) !== null || (wordOn(room, user).grants ?? []).length > 0

/** The role of a participant; null: the service does not let them in. */
function roleIn(room: RoomDefinition, user: string): Role | null {
  const { grants, role } = wordOn(room, user)
  if (grants !== undefined) return grants.includes('join') ? (role ?? 'listener') : null
  return role
}

/** The most participants that change in one commit. */
const ROLES_MAX = 100

/** Those in the room of whom the service says something else than it did, as many as change at once. */
export function partsOfRoles(whole: RoomParts, room: RoomDefinition): string[] {
  const others = whole.list<Member>(PART.members).filter(([, member]) => isOther(member, room))
  const changing = others.slice(0, ROLES_MAX)
  const users = new Set(changing.map(([, { user }]) => PART.user(user)))
  return [PART.settings, ...users, ...changing.map(([place]) => PART.members + place)]
}

const isOther = ({ user, isServed, claimed }: Member, room: RoomDefinition) =>
  isServed === true && claimed !== roleIn(room, user)

/**
 * Their roles follow the service; those it does not let in any more are put out. A role that was given in the room stands until the
 * service says something new of its owner. Reads settings, and the parts named of users and members.
 */
export function adoptRoles(
  parts: RoomParts,
  { room, named }: { room: RoomDefinition; named: readonly string[] },
  now: number
): RoomDecision {
  if (parts.settings === null || parts.settings.closed !== null) return NOTHING
  const members = named.flatMap(name => (name.startsWith(PART.members) ? (parts.get<Member>(name) ?? []) : []))
  const others = members.filter(member => isOther(member, room))
  const decisions = [...new Set(others.map(({ user }) => user))].map(user => {
    const role = roleIn(room, user)
    const theirs = others.filter(member => member.user === user)
    if (role === null) return leaveAll(parts, theirs, { reason: 'removed', by: null, now })
    const record: RoomUser = { ...userIn(parts, user), role, given: null }
    const updates = theirs.map(member => update({ ...member, role, claimed: role }, null))
    return together({ writes: { [PART.user(user)]: record }, events: [] }, ...updates)
  })
  return together({ writes: {}, events: [] }, ...decisions)
}

/** The service has changed the room: those in it hear what is new. Reads settings. */
export function adopt({ settings }: RoomParts, known: Known): RoomDecision {
  if (settings === null || settings.closed !== null) return NOTHING
  const before: Readonly<Record<string, unknown>> = { ...settings }
  const changed = Object.entries(known).filter(
    ([name, value]) => JSON.stringify(before[name]) !== JSON.stringify(value)
  )
  if (changed.length === 0) return NOTHING
  const changes = Object.fromEntries(changed)
  return {
    writes: { [PART.settings]: { ...settings, ...changes } },
    events: [{ to: { all: true }, type: 'room.updated', data: { changes, by: null } }]
  }
}
