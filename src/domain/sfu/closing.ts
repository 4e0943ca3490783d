// Media that a participant stops to send, or that a moderator, a lost grant or the media service ends. The room commits first, and records what
// the service has yet to close: a node that dies between the two leaves nothing in the room that does not exist at the service.
import type { Endpoint } from '../../schemas/common.js'
import { endpoint } from '../endpoint.js'
import { findParticipantRecord } from '../room/access.js'
import { NO_CHANGE, type RoomDecision, type RoomEvent, type RoomParts, roomEvent } from '../room/state.js'
import { type MediaCommand, requireOwner } from './producers.js'
import { sessionIdIn } from './session.js'
import { type DataProducerRecord, type ProducerRecord, type SentMedia, sentMediaOf, writeMedia } from './state.js'
import { addClosing, closingOf, type MediaSender, type UnsettledMedia } from './unsettled.js'

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

interface UndoDecision extends RoomDecision {
  /** Null: the room has it, from another request with the same id. */
  readonly closing: UnsettledMedia | null
}

/**
 * The media service has created something for a commit that was refused: it is to be closed, unless the room has it. Reads PART.settings,
 * PART.sfu, and PART.participant, PART.producersOfParticipant and PART.unsettledMediaOfParticipant of the sender.
 * @throws AppError media_unavailable
 */
export function decideUndo(
  parts: RoomParts,
  { created, ...sender }: MediaSender & { readonly created: Parameters<typeof closingOf>[1] }
): UndoDecision {
  const media = sentMediaOf(parts, sender, sender.sessionId)
  const { producers = [], dataProducers = [] } = created
  const isKept =
    media.producers.some(({ producerId }) => producers.includes(producerId)) ||
    media.dataProducers.some(({ dataProducerId }) => dataProducers.includes(dataProducerId))
  if (isKept) return { ...NO_CHANGE, closing: null }
  const { writes } = closeMedia(media, { by: null }, () => false)
  const closing = closingOf(sender, { ...created, closings: closingsAfter(media) })
  // What a former participant has is closed with it, and what a former session has with that. A commit would stop the expiry of a closed room.
  const isOpen = parts.settings?.closed === null
  const isCurrent = isOpen && findParticipantRecord(parts, sender.participantId) !== null
  if (!isCurrent || sessionIdIn(parts) !== sender.sessionId) return { ...NO_CHANGE, closing }
  return { writes: { ...writes, ...addClosing(parts, closing).writes }, events: [], closing }
}

/** What closeMedia closes, for the media service. */
export const closedIn = (
  media: SentMedia,
  isClosed: (item: ProducerRecord | DataProducerRecord) => boolean
): UnsettledMedia =>
  closingOf(media, {
    closings: closingsAfter(media),
    producers: media.producers.filter(isClosed).map(({ producerId }) => producerId),
    dataProducers: media.dataProducers.filter(isClosed).map(({ dataProducerId }) => dataProducerId)
  })

const closingsAfter = ({ closings }: SentMedia) => closings + 1

interface Closing {
  /** Null: the media service. */
  readonly by: Endpoint | null
  /** The participant that gets no event. */
  readonly except?: string
}

/** Counts also if nothing is closed: a request may be creating it. */
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
  const left = {
    ...media,
    closings: closingsAfter(media),
    producers: media.producers.filter(each => !producers.includes(each)),
    dataProducers: media.dataProducers.filter(each => !dataProducers.includes(each))
  }
  return { writes: writeMedia(left), events }
}
