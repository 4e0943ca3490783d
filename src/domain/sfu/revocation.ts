// A participant that loses a grant to publish: the commit that takes the grant also closes what the participant may not send any more.
import type { Actor, Grant } from '../../schemas/claims.js'
import type { Endpoint } from '../../schemas/common.js'
import { grantsOfToken, maySend } from '../room/access.js'
import {
  NO_CHANGE,
  PART,
  type ParticipantRecord,
  type ParticipantRef,
  type RoomDecision,
  type RoomParts
} from '../room/state.js'
import { closedIn, closeMedia } from './closing.js'
import { sessionIdIn } from './session.js'
import { type DataProducerRecord, type ProducerRecord, sentMediaOf } from './state.js'
import { addUnsettled } from './unsettled.js'

interface Revocation {
  /** All grants that the participant has from now on. */
  readonly grants: readonly Grant[]
  readonly by: Endpoint | null
  /** The grants are those of a token: what was created with one that expires later stays. */
  readonly tokenExpiresAt?: number | null
}

const isRevoked =
  ({ grants, tokenExpiresAt }: Omit<Revocation, 'by'>) =>
  (item: ProducerRecord | DataProducerRecord) =>
    !(maySend(grants, 'producerId' in item ? item.source : null) || isLater(item.tokenExpiresAt, tokenExpiresAt))

/** Null: never. Absent: not known. */
const isLater = (one: number | null | undefined, other: number | null | undefined) =>
  one !== undefined && other !== undefined && (one ?? Number.POSITIVE_INFINITY) > (other ?? Number.POSITIVE_INFINITY)

/** The parts that revokeMedia reads, besides PART.settings. */
export const partsOfRevocation = (participants: readonly Endpoint[]): string[] => [
  PART.sfu,
  ...participants.flatMap(each => [PART.producersOf(each), PART.unsettledMediaOf(each)])
]

/** Whether the participant sends what these grants do not allow. Reads PART.settings, PART.sfu and its PART.producersOf. */
export function sendsRevoked(
  parts: RoomParts,
  participant: ParticipantRef,
  revocation: Omit<Revocation, 'by'>
): boolean {
  const sessionId = sessionIdIn(parts)
  if (sessionId === null) return false
  const { producers, dataProducers } = sentMediaOf(parts, participant, sessionId)
  return [...producers, ...dataProducers].some(isRevoked(revocation))
}

/** Closes what the participant may not send any more. The actor too receives the events: its reply does not list the producers. Reads partsOfRevocation. */
export function revokeMedia(parts: RoomParts, participant: ParticipantRef, revocation: Revocation): RoomDecision {
  if (!sendsRevoked(parts, participant, revocation)) return NO_CHANGE
  const isClosed = isRevoked(revocation)
  const media = sentMediaOf(parts, participant, sessionIdIn(parts) ?? '')
  const { writes, events } = closeMedia(media, { by: revocation.by }, isClosed)
  const closing = addUnsettled(parts, closedIn(media, isClosed))
  return { writes: { ...writes, ...closing.writes }, events, endsMedia: true }
}

/**
 * The device uses a token that expires later than its last one: closes what this token does not allow. Without claims about rooms the role
 * decides, or the room service. Reads its PART.participantOf and partsOfRevocation.
 */
export function adoptToken(parts: RoomParts, actor: Actor): RoomDecision {
  const participant = parts.get<ParticipantRecord>(PART.participantOf(actor))
  if (participant === null || (actor.rooms === undefined && participant.isFromService)) return NO_CHANGE
  const grants = grantsOfToken(actor, parts.roomId, participant.role)
  return revokeMedia(parts, participant, { grants, by: null, tokenExpiresAt: actor.expiresAt })
}
