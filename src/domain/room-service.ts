// What a room service says of a room, next to what the token says and what stands in the room.
import type { Actor } from '../schemas/claims.js'
import type { ServiceRoom } from '../schemas/room-service.js'
import { type Known, NOTHING, PART, type RoomDecision, type RoomParts } from './room-state.js'

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
  const role = room.roles?.[actor.user] ?? room.defaultRole ?? 'speaker'
  const grants = room.grants?.[actor.user]
  return { ...actor, rooms: { [roomId]: { role, ...(grants ? { grants } : {}) } } }
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
