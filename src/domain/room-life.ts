// How a room is made, changed and closed.
import type { Actor } from '../schemas/claims.js'
import type { Endpoint } from '../schemas/common.js'
import type { CloseReason, RoomBody } from '../schemas/room.js'
import { claimFor, mustBeGranted } from './grants.js'
import { mustBeAllowed, mustNotBeBanned, openRoom, participantOf, tellAll } from './room.js'
import { type Making, openOrFresh } from './room-making.js'
import { NOTHING, PART, type RoomDecision, type RoomParts, type Settings } from './room-state.js'

/** How long a room waits for its first participant. */
const UNUSED_MS = 86_400_000

/** Makes the room, or changes what the body names; reads what `join` does. @throws AppError not_permitted, banned, room_closed */
export function configure(
  parts: RoomParts,
  { actor, body, ...making }: { actor: Actor; body: RoomBody } & Making,
  now: number
): RoomDecision {
  const before = openOrFresh(parts, actor, making, now)
  const claim = claimFor(actor, parts.roomId)
  const fresh = before !== parts.settings
  if (fresh) mustBeGranted('manage', claim?.role ?? 'host', claim)
  else mustBeAllowed('manage', parts, actor, now)
  // Bans outlive a room that was left empty.
  if (fresh) mustNotBeBanned(parts, actor, now)
  const settings: Settings = { ...before, ...body }
  const by = { user: actor.user, device: actor.device }
  return {
    writes: { [PART.settings]: settings },
    // A room that is made ahead of time is no empty one.
    ...(parts.seats === 0 && parts.emptySince === null ? { waitsMs: UNUSED_MS } : {}),
    events: fresh ? [] : [tellAll('room.updated', { changes: body, by }, participantOf(parts, actor))]
  }
}

/** @throws AppError not_permitted, banned, room_not_found, room_closed */
export function close(parts: RoomParts, actor: Actor, now: number): RoomDecision {
  const settings = openRoom(parts)
  mustBeAllowed('manage', parts, actor, now)
  return over(settings, 'closed', { user: actor.user, device: actor.device }, participantOf(parts, actor))
}

/** The last one has been gone for the linger. Reads settings and empty. */
export function closeIfEmpty(parts: RoomParts, lingerMs: number, now: number): RoomDecision {
  const { settings, emptySince, seats } = parts
  if (settings === null || settings.closed !== null || seats > 0 || emptySince === null) return NOTHING
  return now - emptySince < lingerMs ? NOTHING : over(settings, 'empty', null)
}

function over(settings: Settings, reason: CloseReason, by: Endpoint | null, except?: string): RoomDecision {
  return {
    writes: { [PART.settings]: { ...settings, closed: reason } },
    events: [tellAll('room.closed', { reason, by }, except)],
    over: true
  }
}
