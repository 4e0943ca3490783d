// The rules of creating, changing and closing a room.
import type { Actor } from '../../schemas/claims.js'
import type { Endpoint } from '../../schemas/common.js'
import type { CloseReason, RoomRequest } from '../../schemas/room.js'
import { endpoint } from '../endpoint.js'
import { grantsOf, refusedGrant, requireAccess, requireNotBanned } from './access.js'
import { existingOrNewRoom, type NewRoom } from './creation.js'
import { ownParticipantId } from './participants.js'
import { NO_CHANGE, PART, type RoomDecision, type RoomParts, roomEvent, type Settings } from './state.js'

/** A room that was created without joining it closes if no device joins within this time. */
export const UNUSED_ROOM_MS = 3_600_000

/**
 * Creates the room, or changes the settings that the body names. Reads partsOfAccess.
 * @throws AppError not_permitted, banned, room_not_found, room_closed
 */
export function decideSettings(
  parts: RoomParts,
  { actor, body, ...defaults }: { readonly actor: Actor; readonly body: RoomRequest } & NewRoom,
  now: number
): RoomDecision {
  const claim = requireNotBanned(parts, actor, now)
  const before = existingOrNewRoom(parts, { actor, ...defaults }, now)
  const isNew = before !== parts.settings
  if (!isNew) requireAccess('manage', parts, { actor, now })
  else if (!grantsOf(claim?.role ?? 'host', claim).includes('manage'))
    throw refusedGrant(actor.served !== 'unnamed', 'manage')
  const settings: Settings = { ...before, ...body, ...(isNew ? { isUnused: true } : {}) }
  const by = endpoint(actor)
  return {
    createsRoom: isNew,
    writes: { [PART.settings]: settings, ...(isNew ? { [PART.empty]: now } : {}) },
    events: isNew ? [] : [roomEvent('room.updated', { changes: body, by }, ownParticipantId(parts, actor))]
  }
}

/** @throws AppError not_permitted, banned, room_not_found, room_closed */
export function decideClose(parts: RoomParts, actor: Actor, now: number): RoomDecision {
  const { settings } = requireAccess('manage', parts, { actor, now })
  return endRoom(settings, { reason: 'closed', by: endpoint(actor), except: ownParticipantId(parts, actor) })
}

/** When an empty room closes; null: it is not empty. Reads PART.settings and PART.empty. */
export function closesAt({ settings, emptySince, participantCount }: RoomParts, lingerMs: number): number | null {
  if (settings === null || settings.closed !== null || emptySince === null || participantCount > 0) return null
  return emptySince + (settings.isUnused ? UNUSED_ROOM_MS : lingerMs)
}

/** Closes the room if it was empty for long enough. Reads PART.settings and PART.empty. */
export function decideCloseEmpty(parts: RoomParts, lingerMs: number, now: number): RoomDecision {
  const until = closesAt(parts, lingerMs)
  return until === null || until > now || parts.settings === null
    ? NO_CHANGE
    : endRoom(parts.settings, { reason: 'empty', by: null })
}

/** The room service does not know the room any more. Reads PART.settings. */
export function decideCloseUnknown({ settings }: RoomParts): RoomDecision {
  return settings === null || settings.closed !== null ? NO_CHANGE : endRoom(settings, { reason: 'closed', by: null })
}

/** The commit of this decision starts the expiry of a room that is over. Reads PART.settings. */
export const restartExpiry = ({ settings }: RoomParts): RoomDecision =>
  settings?.closed === null ? NO_CHANGE : { writes: {}, events: [], endsRoom: true }

interface Closing {
  readonly reason: CloseReason
  readonly by: Endpoint | null
  /** The participant who gets no event. */
  readonly except?: string | undefined
}

function endRoom(settings: Settings, { reason, by, except }: Closing): RoomDecision {
  return {
    writes: { [PART.settings]: { ...settings, closed: reason } },
    events: [roomEvent('room.closed', { reason, by }, except)],
    endsRoom: true
  }
}
