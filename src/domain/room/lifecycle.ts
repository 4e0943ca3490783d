// How a room is made, changed and closed.
import type { Actor } from '../../schemas/claims.js'
import type { Endpoint } from '../../schemas/common.js'
import type { CloseReason, RoomRequest } from '../../schemas/room.js'
import { endpoint } from '../endpoint.js'
import { grantsOf, mustBeAllowed, mustNotBeBanned, refusal } from './access.js'
import { type Making, openOrFresh } from './creation.js'
import { participantOf, tellAll } from './participants.js'
import { NOTHING, PART, type RoomDecision, type RoomParts, type Settings } from './state.js'

/** A room that is made ahead of time is over if no device has joined it within this time. */
export const UNUSED_MS = 3_600_000

/** Makes the room, or changes what the body names; reads partsOfAccess. @throws AppError not_permitted, banned, room_not_found, room_closed */
export function configure(
  parts: RoomParts,
  { actor, body, ...making }: { readonly actor: Actor; readonly body: RoomRequest } & Making,
  now: number
): RoomDecision {
  const claim = mustNotBeBanned(parts, actor, now)
  const before = openOrFresh(parts, { actor, ...making }, now)
  const fresh = before !== parts.settings
  if (!fresh) mustBeAllowed('manage', parts, { actor, now })
  else if (!grantsOf(claim?.role ?? 'host', claim).includes('manage'))
    throw refusal(actor.served !== 'unnamed', 'manage')
  const settings: Settings = { ...before, ...body, ...(fresh ? { isUnused: true } : {}) }
  const by = endpoint(actor)
  return {
    makes: fresh,
    writes: { [PART.settings]: settings, ...(fresh ? { [PART.empty]: now } : {}) },
    events: fresh ? [] : [tellAll('room.updated', { changes: body, by }, participantOf(parts, actor))]
  }
}

/** @throws AppError not_permitted, banned, room_not_found, room_closed */
export function close(parts: RoomParts, actor: Actor, now: number): RoomDecision {
  const { settings } = mustBeAllowed('manage', parts, { actor, now })
  return over(settings, { reason: 'closed', by: endpoint(actor), except: participantOf(parts, actor) })
}

/** When a room that no device is in is over; null for any other room. Reads settings and empty. */
export function emptyUntil({ settings, emptySince, memberCount }: RoomParts, lingerMs: number): number | null {
  if (settings === null || settings.closed !== null || emptySince === null || memberCount > 0) return null
  return emptySince + (settings.isUnused ? UNUSED_MS : lingerMs)
}

/** Reads settings and empty. */
export function closeIfEmpty(parts: RoomParts, lingerMs: number, now: number): RoomDecision {
  const until = emptyUntil(parts, lingerMs)
  return until === null || until > now || parts.settings === null
    ? NOTHING
    : over(parts.settings, { reason: 'empty', by: null })
}

/** The room service knows it no longer. Reads settings. */
export function closeUnknown({ settings }: RoomParts): RoomDecision {
  return settings === null || settings.closed !== null ? NOTHING : over(settings, { reason: 'closed', by: null })
}

/** Reads settings. */
export const expireAgain = ({ settings }: RoomParts): RoomDecision =>
  settings?.closed === null ? NOTHING : { writes: {}, events: [], over: true }

interface Closing {
  readonly reason: CloseReason
  readonly by: Endpoint | null
  /** This participant gets no event of it. */
  readonly except?: string | undefined
}

function over(settings: Settings, { reason, by, except }: Closing): RoomDecision {
  return {
    writes: { [PART.settings]: { ...settings, closed: reason } },
    events: [tellAll('room.closed', { reason, by }, except)],
    over: true
  }
}
