// What a room service says of a room, next to what the token says and what stands in the room.
import type { Actor } from '../schemas/claims.js'
import type { Role } from '../schemas/room.js'
import type { ServiceRoom } from '../schemas/room-service.js'
import type { ListedRoom } from './invitations-kept.js'
import { update } from './room.js'
import { type Known, type Member, NOTHING, PART, type RoomDecision, type RoomParts } from './room-state.js'

const SETTINGS = ['mode', 'callType', 'locked', 'maxParticipants', 'defaultRole', 'metadata'] as const

/** The settings it names; no more people than this server allows. */
export function settingsOf(room: ServiceRoom, maxParticipants: number): Known {
  const named = Object.fromEntries(SETTINGS.filter(name => room[name] !== undefined).map(name => [name, room[name]]))
  if (room.maxParticipants === undefined) return named
  return { ...named, maxParticipants: Math.min(room.maxParticipants, maxParticipants) }
}

/** The token's own word on rooms comes first. Whoever the service does not name has the default role, also the first to join. */
export function withRoles(actor: Actor, roomId: string, room: ServiceRoom): Actor {
  if (actor.rooms !== undefined) return actor
  const role = roleIn(room, actor.user)
  const grants = room.grants?.[actor.user]
  return { ...actor, isServed: true, rooms: { [roomId]: { role, ...(grants ? { grants } : {}) } } }
}

const roleIn = ({ roles, defaultRole = 'speaker' }: ServiceRoom, user: string): Role =>
  (roles && Object.hasOwn(roles, user) ? roles[user] : undefined) ?? defaultRole

/** So many roles change in one commit. */
const ROLES_MAX = 100

/** Those in the room of whom the service says something else than it did, as many as change at once. */
export function partsOfRoles(whole: Whole, room: ServiceRoom): string[] {
  const others = whole.list<Member>(PART.members).filter(([, member]) => isOther(member, room))
  return [PART.settings, ...others.slice(0, ROLES_MAX).map(([place]) => PART.members + place)]
}

type Whole = RoomParts & Pick<ListedRoom, 'list'>

const isOther = ({ user, serviceRole }: Member, room: ServiceRoom) =>
  serviceRole !== undefined && serviceRole !== roleIn(room, user)

/**
 * Their roles follow the service, and everybody hears of it. A role that somebody in the room has given stands until the service
 * says something new of its owner. Reads settings and the members named.
 */
export function adoptRoles(parts: RoomParts, room: ServiceRoom, named: readonly string[]): RoomDecision {
  if (parts.settings === null || parts.settings.closed !== null) return NOTHING
  const members = named.flatMap(name => (name.startsWith(PART.members) ? (parts.get<Member>(name) ?? []) : []))
  const decisions = members
    .filter(member => isOther(member, room))
    .map(({ serviceRole: _, ...member }) => {
      const role = roleIn(room, member.user)
      return update({ ...member, role, serviceRole: role }, null)
    })
  return {
    writes: Object.assign({}, ...decisions.map(({ writes }) => writes)),
    events: decisions.flatMap(({ events }) => events)
  }
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
