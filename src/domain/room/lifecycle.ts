// How a room is made, changed and closed.
import type { Actor } from '../../schemas/claims.js'
import type { Endpoint } from '../../schemas/common.js'
import type { CloseReason, RoomRequest } from '../../schemas/room.js'
import { endpoint } from '../endpoint.js'
import { grantsOf, refusedGrant, requireAccess, requireNotBanned } from './access.js'
import { existingOrNewRoom, type NewRoom } from './creation.js'
import { ownParticipantId } from './participants.js'
import { NO_CHANGE, PART, type RoomDecision, type RoomParts, roomEvent, type Settings } from './state.js'

/** A room that is made ahead of time is over if no device has joined it within this time. */
export const UNUSED_ROOM_MS = 3_600_000

/** Makes the room, or changes what the body names; reads partsOfAccess. @throws AppError not_permitted, banned, room_not_found, room_closed */
export function decideSettings(
  parts: RoomParts,
  { actor, body, ...making }: { readonly actor: Actor; readonly body: RoomRequest } & NewRoom,
  now: number
): RoomDecision {
  const claim = requireNotBanned(parts, actor, now)
  const before = existingOrNewRoom(parts, { actor, ...making }, now)
  const fresh = before !== parts.settings
  if (!fresh) requireAccess('manage', parts, { actor, now })
  else if (!grantsOf(claim?.role ?? 'host', claim).includes('manage'))
    throw refusedGrant(actor.served !== 'unnamed', 'manage')
  const settings: Settings = { ...before, ...body, ...(fresh ? { isUnused: true } : {}) }
  const by = endpoint(actor)
  return {
    createsRoom: fresh,
    writes: { [PART.settings]: settings, ...(fresh ? { [PART.empty]: now } : {}) },
    events: fresh ? [] : [roomEvent('room.updated', { changes: body, by }, ownParticipantId(parts, actor))]
  }
}

/** @throws AppError not_permitted, banned, room_not_found, room_closed */
export function decideClose(parts: RoomParts, actor: Actor, now: number): RoomDecision {
  const { settings } = requireAccess('manage', parts, { actor, now })
  return endRoom(settings, { reason: 'closed', by: endpoint(actor), except: ownParticipantId(parts, actor) })
}

/** When a room that no device is in is over; null for any other room. Reads settings and empty. */
export function closesAt({ settings, emptySince, participantCount }: RoomParts, lingerMs: number): number | null {
  if (settings === null || settings.closed !== null || emptySince === null || participantCount > 0) return null
  return emptySince + (settings.isUnused ? UNUSED_ROOM_MS : lingerMs)
}

/** Reads settings and empty. */
export function decideCloseEmpty(parts: RoomParts, lingerMs: number, now: number): RoomDecision {
  const until = closesAt(parts, lingerMs)
  return until === null || until > now || parts.settings === null
    ? NO_CHANGE
    : endRoom(parts.settings, { reason: 'empty', by: null })
}

/** The room service knows it no longer. Reads settings. */
export function decideCloseUnknown({ settings }: RoomParts): RoomDecision {
  return settings === null || settings.closed !== null ? NO_CHANGE : endRoom(settings, { reason: 'closed', by: null })
}

/** Reads settings. */
export const restartExpiry = ({ settings }: RoomParts): RoomDecision =>
  settings?.closed === null ? NO_CHANGE : { writes: {}, events: [], endsRoom: true }

interface Closing {
  readonly reason: CloseReason
  readonly by: Endpoint | null
  /** This participant gets no event of it. */
  readonly except?: string | undefined
}

function endRoom(settings: Settings, { reason, by, except }: Closing): RoomDecision {
  return {
    writes: { [PART.settings]: { ...settings, closed: reason } },
    events: [roomEvent('room.closed', { reason, by }, except)],
    endsRoom: true
  }
}
