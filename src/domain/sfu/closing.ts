// Media that a participant stops to send, or that a moderator, a lost grant or the media service ends. The room commits first, and records what
// the service has yet to close: a node that dies between the two leaves nothing in the room that does not exist at the service.
import type { Endpoint } from '../../schemas/common.js'
import { endpoint } from '../endpoint.js'
import { NO_CHANGE, type RoomDecision, type RoomEvent, type RoomParts, roomEvent } from '../room/state.js'
import { type MediaCommand, requireOwner } from './producers.js'
import { type DataProducerRecord, type ProducerRecord, type SentMedia, sentMediaOf, writeMedia } from './state.js'
import { addClosing, closingOf, type UnsettledMedia } from './unsettled.js'

interface CloseCommand extends MediaCommand {
  readonly participantId: string
  /** What the transport, the producer or the data producer carries that is closed. */
  readonly isClosed: (item: ProducerRecord | DataProducerRecord) => boolean
  /** Is closed at the media service also if the room does not have it: a node may have died while it was created. */
  readonly named?: Parameters<typeof closingOf>[1]
}

interface CloseDecision extends RoomDecision {
  readonly closing: UnsettledMedia
}

/**
 * What does not exist is closed already. Reads as decidePause, and PART.unsettledMediaOfParticipant of the owner.
 * @throws AppError participant_not_found, media_unavailable and what requireAccess throws
 */
export function decideClose(
  parts: RoomParts,
  { isClosed, named = {}, ...command }: CloseCommand,
  now: number
): CloseDecision {
  const { own, owner } = requireOwner(parts, command, now)
  const media = sentMediaOf(parts, owner, command.sessionId)
  const { writes, events } = closeMedia(media, { by: endpoint(command.actor), except: own.participantId }, isClosed)
  const closing = { ...closedIn(media, isClosed), ...named }
  return { writes: { ...writes, ...addClosing(parts, closing).writes }, events, closing }
}

/** Which of the media is closed. */
export const closedIn = (
  media: SentMedia,
  isClosed: (item: ProducerRecord | DataProducerRecord) => boolean
): UnsettledMedia =>
  closingOf(media, {
    producers: media.producers.filter(isClosed).map(({ producerId }) => producerId),
    dataProducers: media.dataProducers.filter(isClosed).map(({ dataProducerId }) => dataProducerId)
  })

interface Closing {
  /** Null: the media service. */
  readonly by: Endpoint | null
  /** The participant that gets no event. */
  readonly except?: string
}

export function closeMedia(
  media: SentMedia,
  { by, except }: Closing,
  isClosed: (item: ProducerRecord | DataProducerRecord) => boolean
): RoomDecision {
  const { participantId } = media
  const producers = media.producers.filter(isClosed)
  const dataProducers = media.dataProducers.filter(isClosed)
  const events: RoomEvent[] = [
    ...producers.map(({ producerId }) => roomEvent('sfu.producer_closed', { participantId, producerId, by }, except)),
    ...dataProducers.map(({ dataProducerId }) =>
      roomEvent('sfu.data_producer_closed', { participantId, dataProducerId, by }, except)
    )
  ]
  if (events.length === 0) return NO_CHANGE
  const left = {
    ...media,
    producers: media.producers.filter(each => !producers.includes(each)),
    dataProducers: media.dataProducers.filter(each => !dataProducers.includes(each))
  }
  return { writes: writeMedia(left), events }
}
