// What the room has closed and the media service has yet to close. The room keeps a record of it until the service has: the node may die
// after the commit, or the service not answer.
import { AppError } from '../../errors.js'
import {
  NO_CHANGE,
  PART,
  type ParticipantRef,
  participantRef,
  type RoomDecision,
  type RoomParts
} from '../room/state.js'

/** Of one participant. It has no effect in a later session. */
export interface ClosingMedia extends ParticipantRef {
  readonly sessionId: string
  readonly producers: readonly string[]
  readonly dataProducers: readonly string[]
}

const isOf = (
  kept: ClosingMedia | null,
  { participantId, sessionId }: Pick<ClosingMedia, 'participantId' | 'sessionId'>
) => kept?.participantId === participantId && kept.sessionId === sessionId

/** Reads its PART.closingMediaOf. */
export function closingMediaOf(parts: RoomParts, participant: ParticipantRef, sessionId: string): ClosingMedia {
  const kept = parts.get<ClosingMedia>(PART.closingMediaOf(participant))
  if (kept !== null && isOf(kept, { participantId: participant.participantId, sessionId })) return kept
  return { ...participantRef(participant), sessionId, producers: [], dataProducers: [] }
}

/** The media service has closed all of `closed`. Reads its PART.closingMediaOf. */
export function finishClosing(parts: RoomParts, closed: ClosingMedia): RoomDecision {
  const part = PART.closingMediaOf(closed)
  const kept = parts.get<ClosingMedia>(part)
  if (kept === null || !isOf(kept, closed)) return NO_CHANGE
  const producers = kept.producers.filter(id => !closed.producers.includes(id))
  const dataProducers = kept.dataProducers.filter(id => !closed.dataProducers.includes(id))
  const isDone = producers.length + dataProducers.length === 0
  return { writes: { [part]: isDone ? null : { ...kept, producers, dataProducers } }, events: [] }
}

/** A producer with the id of one that the media service has yet to close would be closed with it. @throws AppError media_unavailable */
export function refuseClosing(ids: readonly string[], id: string): void {
  if (!ids.includes(id)) return
  throw new AppError('media_unavailable', { detail: 'The media service is closing it', retryAfterMs: 1000 })
}
