// The rules of creating, changing and closing a room.
import { AppError } from '../../errors.js'
import type { Actor } from '../../schemas/claims.js'
import type { Endpoint } from '../../schemas/common.js'
import type { CloseReason, RoomReply, RoomRequest } from '../../schemas/room.js'
import { endpoint } from '../endpoint.js'
import { changeMode, wantedMode, withMode } from '../sfu/mode.js'
import { offerOrder, sessionIn } from '../sfu/session.js'
import { grantsOf, refusedGrant, requireAccess, requireNotBanned } from './access.js'
import { existingOrNewRoom, type NewRoom } from './creation.js'
import { ownParticipantId } from './participants.js'
import { NO_CHANGE, PART, type RoomDecision, type RoomParts, roomEvent, type Settings } from './state.js'

/** A room that was created without joining it closes if no device joins within this time. */
export const UNUSED_ROOM_MS = 3_600_000

/** `offerOrder` is for the reply: the acting participant gets no event. Given also if the mode is p2p already: it may be a retry. */
export type SettingsDecision = RoomDecision & Pick<RoomReply, 'offerOrder'>

/**
 * Creates the room, or changes the settings that the body names. Reads partsOfAccess, and PART.participantHeads if the body asks for p2p.
 * @throws AppError not_permitted, banned, room_not_found, room_closed
 */
export function decideSettings(
  parts: RoomParts,
  { actor, body, ...defaults }: { readonly actor: Actor; readonly body: RoomRequest } & NewRoom,
  now: number
): SettingsDecision {
  const claim = requireNotBanned(parts, actor, now)
  const before = existingOrNewRoom(parts, { actor, claim, ...defaults }, now)
  const isNew = before !== parts.settings
  if (!isNew) requireAccess('manage', parts, { actor, now })
  else if (!grantsOf(claim?.role ?? 'host', claim).includes('manage'))
    throw refusedGrant(actor.served !== 'unnamed', 'manage')
  const by = endpoint(actor)
  refuseRecordingWithoutSfu(before, body)
  if (isNew) return createRoom(parts, { settings: { ...before, ...body, isUnused: true }, by }, now)
  const update = updateSettings(parts, before, { changes: body, by, except: ownParticipantId(parts, actor) })
  return body.mode === 'p2p' ? { ...update, offerOrder: offerOrder(parts) } : update
}

const createRoom = (
  parts: RoomParts,
  { settings, by }: { readonly settings: Settings; readonly by: Endpoint },
  now: number
): RoomDecision => ({
  createsRoom: true,
  writes: { [PART.settings]: settings, [PART.empty]: now },
  events: [],
  ...requestRecording(parts, { before: null, settings, by })
})

/** Only the media of a room in mode sfu can be recorded. @throws AppError not_sfu */
function refuseRecordingWithoutSfu(before: Settings, { mode, record }: RoomRequest): void {
  const names = mode !== undefined || record !== undefined
  if (names && (record ?? before.record) && (mode ?? wantedMode(before)) !== 'sfu')
    throw new AppError('not_sfu', { detail: 'A room with record: true is in mode sfu' })
}

/** The operator's recorder is asked when a room becomes one to record. Reads PART.sfu, if that may exist. */
function requestRecording(
  parts: RoomParts,
  { before, settings, by }: { before: Settings | null; settings: Settings; by: Endpoint | null }
): Pick<RoomDecision, 'operatorEvents'> {
  const isRecorded = (each: Settings | null) => each?.record === true && each.mode === 'sfu'
  if (!isRecorded(settings) || isRecorded(before)) return {}
  const session = sessionIn(parts)
  const placement = session === null || session.state === 'unavailable' ? null : session
  const data = { by, sessionId: placement?.sessionId ?? null, mediaService: placement?.service ?? null }
  return { operatorEvents: [{ type: 'call.recording_requested', data }] }
}

interface SettingsUpdate {
  readonly changes: RoomRequest
  /** Null: the room service. */
  readonly by: Endpoint | null
  readonly except?: string | undefined
}

/** Reads PART.settings, and PART.participantHeads if the mode becomes p2p. */
export function updateSettings(
  parts: RoomParts,
  before: Settings,
  { changes, by, except }: SettingsUpdate
): RoomDecision {
  const mode = changeMode(parts, before, changes.mode)
  const settings = withMode({ ...before, ...changes }, mode)
  const shown = changes.mode === undefined ? changes : { ...changes, mode: settings.mode }
  return {
    writes: { [PART.settings]: settings, ...mode.writes },
    ...requestRecording(parts, { before, settings, by }),
    events: [roomEvent('room.updated', { changes: shown, by, ...mode.told }, except)]
  }
}

/** @throws AppError not_permitted, banned, room_not_found, room_closed */
export function decideClose(parts: RoomParts, actor: Actor, now: number): RoomDecision {
  const { settings } = requireAccess('manage', parts, { actor, now })
  return endRoom(parts, settings, { reason: 'closed', by: endpoint(actor), except: ownParticipantId(parts, actor) })
}

/** When an empty room closes; null: it is not empty. Reads PART.settings and PART.empty. */
export function closesAt({ settings, emptySince, participantCount }: RoomParts, lingerMs: number): number | null {
  if (settings === null || settings.closed !== null || emptySince === null || participantCount > 0) return null
  return emptySince + (settings.isUnused ? UNUSED_ROOM_MS : lingerMs)
}

/** Closes the room if it was empty for long enough. Reads partsReadForEnd. */
export function decideCloseEmpty(parts: RoomParts, lingerMs: number, now: number): RoomDecision {
  const until = closesAt(parts, lingerMs)
  return until === null || until > now || parts.settings === null
    ? NO_CHANGE
    : endRoom(parts, parts.settings, { reason: 'empty', by: null })
}

/** The room service does not know the room any more, or an operator closes it. Reads partsReadForEnd. */
export function decideCloseByServer(parts: RoomParts): RoomDecision {
  const { settings } = parts
  return settings === null || settings.closed !== null
    ? NO_CHANGE
    : endRoom(parts, settings, { reason: 'closed', by: null })
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

/** A later room with this id has another media session. Reads PART.sfu. */
function endRoom(parts: RoomParts, settings: Settings, { reason, by, except }: Closing): RoomDecision {
  const session = parts.get(PART.sfu) === null ? {} : { [PART.sfu]: null }
  return {
    writes: { [PART.settings]: { ...settings, closed: reason }, ...session },
    events: [roomEvent('room.closed', { reason, by }, except)],
    endsRoom: true
  }
}
