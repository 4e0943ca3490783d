// WHIP and WHEP clients as participants. Each takes part under a device name of its own, so that a user may publish from several encoders
// beside an ordinary device, and so that the name has no mailbox.
import { AppError } from '../../errors.js'
import type { Grant } from '../../schemas/claims.js'
import type { MediaKind } from '../../schemas/sfu-rtp.js'
import { findParticipantRecord, grantsOf, refusedGrant, requireNotBanned } from '../room/access.js'
import { decideJoin, type JoinCommand, leaveRoom } from '../room/participants.js'
import { roomUser } from '../room/room-user.js'
import {
  NO_CHANGE,
  PART,
  type ParticipantRecord,
  type RoomDecision,
  type RoomParts,
  type Settings
} from '../room/state.js'
import type { ViewedProducer, WhipParticipation, WhipTransport } from '../room/whip-client.js'
import { sessionIdIn } from '../sfu/session.js'
import { sentMediaOf } from '../sfu/state.js'

/** WHIP and WHEP clients that a user may have in a room. */
export const WHIP_CLIENTS_MAX = 8

/** How long a client may be in the room before its transport is set up. The node that sets it up may have died. */
export const SETUP_MS = 30_000

const GRANTS = { whip: 'publish', whep: 'subscribe' } as const

/** Begins the device names of these clients. */
export const whipDevicePrefix = (via: WhipParticipation['via']): string => `${via}-`

export interface WhipJoinCommand extends JoinCommand {
  readonly whip: WhipParticipation
  /** What the client sends. A viewer receives what it has a grant for. */
  readonly kinds: readonly MediaKind[]
}

/**
 * Reads partsOfAccess.
 * @throws AppError not_sfu, too_many_media, and what decideJoin throws
 */
export function decideWhipJoin(parts: RoomParts, command: WhipJoinCommand, now: number): RoomDecision {
  const { actor, whip, kinds } = command
  const joined = decideJoin(parts, command, now)
  const settings = (joined.writes[PART.settings] as Settings | undefined) ?? parts.settings
  if (settings?.mode !== 'sfu') throw new AppError('not_sfu')
  const record = (joined.writes[PART.participantOf(actor)] ?? parts.get(PART.participantOf(actor))) as ParticipantRecord
  requireMediaGrant(grantsOf(record.role, requireNotBanned(parts, actor, now)), whip.via, kinds)
  const others = roomUser(parts, actor.user).devices.filter(device => device !== actor.device && isWhipDevice(device))
  if (others.length >= WHIP_CLIENTS_MAX) {
    throw new AppError('too_many_media', { detail: `A user has at most ${WHIP_CLIENTS_MAX} WHIP and WHEP clients` })
  }
  return joined
}

const isWhipDevice = (device: string) =>
  (['whip', 'whep'] as const).some(via => device.startsWith(whipDevicePrefix(via)))

/** A publisher needs the grant for each kind that it sends; a viewer needs one for some kind. @throws AppError not_permitted */
function requireMediaGrant(grants: readonly Grant[], via: WhipParticipation['via'], kinds: readonly MediaKind[]): void {
  const needed = GRANTS[via]
  if (grants.includes(needed)) return
  const allows = (kind: MediaKind) => grants.includes(`${needed}:${kind}`)
  if (via === 'whip' ? kinds.every(allows) : kinds.some(allows)) return
  throw refusedGrant(true, needed)
}

export interface SetUpClient {
  readonly participantId: string
  readonly transport: WhipTransport
  /** Absent: as before. */
  readonly viewed?: readonly ViewedProducer[]
}

/**
 * The transport of the client was set up, or its ICE was restarted. Reads PART.settings, PART.sfu and PART.participant.
 * @throws AppError not_in_room: it has left meanwhile; media_unavailable: the session was lost meanwhile
 */
export function decideTransport(parts: RoomParts, { participantId, ...setUp }: SetUpClient): RoomDecision {
  const record = findParticipantRecord(parts, participantId)
  if (!record?.whip) throw new AppError('not_in_room')
  if (sessionIdIn(parts) !== setUp.transport.sessionId) throw new AppError('media_unavailable', { retryAfterMs: 1000 })
  return { writes: { [PART.participantOf(record)]: { ...record, whip: { ...record.whip, ...setUp } } }, events: [] }
}

/** When the client is lost if nothing changes; Infinity: never. Reads PART.settings, PART.sfu and partsOfViewed. */
export function whipLostAt(parts: RoomParts, { whip, joinedAt }: ParticipantRecord): number {
  if (whip === undefined) return Number.POSITIVE_INFINITY
  if (whip.transport === null) return joinedAt + SETUP_MS
  const { sessionId } = whip.transport
  return sessionId === sessionIdIn(parts) && receivesSomething(parts, whip, sessionId)
    ? Number.POSITIVE_INFINITY
    : joinedAt
}

/** The producers of those whom the client views. */
export const partsOfViewed = ({ whip }: ParticipantRecord): string[] =>
  (whip?.viewed ?? []).map(({ participantId }) => PART.producersOfParticipant(participantId))

/** False: all that a viewer receives has ended. A player cannot tell that from a pause, so its session ends, and it may view again. */
function receivesSomething(parts: RoomParts, { viewed }: WhipParticipation, sessionId: string): boolean {
  return (
    viewed === undefined ||
    viewed.some(publisher =>
      sentMediaOf(parts, publisher, sessionId).producers.some(each => each.producerId === publisher.producerId)
    )
  )
}

/**
 * The client leaves as `lost` if its session is gone or was never set up, or if nothing that it views is left. Reads PART.settings, PART.sfu,
 * PART.participant, PART.user and partsOfViewed.
 */
export function decideLost(parts: RoomParts, participantId: string, now: number): RoomDecision {
  const record = findParticipantRecord(parts, participantId)
  if (record === null || whipLostAt(parts, record) > now) return NO_CHANGE
  return leaveRoom(parts, record, { reason: 'lost', by: null, now })
}

/** The media service has closed the transport of the client. Reads PART.settings, PART.participant and PART.user. */
export function decideTransportClosed(parts: RoomParts, participantId: string, now: number): RoomDecision {
  const record = findParticipantRecord(parts, participantId)
  if (!record?.whip) return NO_CHANGE
  return leaveRoom(parts, record, { reason: 'lost', by: null, now })
}
