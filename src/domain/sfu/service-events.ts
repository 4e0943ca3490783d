// What the events of a media service change in the room. They report what no request has caused: a producer whose transport failed, a
// consumer that gets other layers. Producers are parts of the room, so all participants receive their end; consumers and transports are not,
// so only the participant that has them receives an event.
import type { MediaEvent } from '../../schemas/media-service.js'
import { findParticipantRecord } from '../room/access.js'
import {
  mergeDecisions,
  NO_CHANGE,
  PART,
  type ParticipantRecord,
  type RoomDecision,
  type RoomParts,
  roomEvent
} from '../room/state.js'
import { closeMedia } from './closing.js'
import { type SentMedia, sentMediaOf, withPaused, writeMedia } from './state.js'

/**
 * Applies the events in their order. An event of a participant that has left changes nothing. Reads PART.participant and
 * PART.producersOfParticipant of all participants that the events name.
 */
export function applyMediaEvents(parts: RoomParts, sessionId: string, events: readonly MediaEvent[]): RoomDecision {
  let room = parts
  const decisions = events.map(event => {
    const decision = applyMediaEvent(room, sessionId, event)
    room = withWrites(room, decision.writes)
    return decision
  })
  return mergeDecisions(NO_CHANGE, ...decisions)
}

/** The room after these writes. */
const withWrites = (parts: RoomParts, writes: RoomDecision['writes']): RoomParts => ({
  ...parts,
  get: <T>(part: string) => (Object.hasOwn(writes, part) ? (writes[part] as T | null) : parts.get<T>(part))
})

function applyMediaEvent(parts: RoomParts, sessionId: string, event: MediaEvent): RoomDecision {
  const owner = 'participantId' in event ? findOwner(parts, event.participantId) : null
  if (owner === null) return NO_CHANGE
  const media = sentMediaOf(parts, owner, sessionId)
  switch (event.type) {
    case 'producer_closed':
      return closeMedia(media, { by: null }, item => 'producerId' in item && item.producerId === event.producerId)
    case 'data_producer_closed':
      return closeMedia(
        media,
        { by: null },
        item => 'dataProducerId' in item && item.dataProducerId === event.dataProducerId
      )
    case 'producer_paused':
      return setPaused(media, event.producerId, true)
    case 'producer_resumed':
      return setPaused(media, event.producerId, false)
    case 'transport_closed':
      return mergeDecisions(
        closeMedia(media, { by: null }, ({ transportId }) => transportId === event.transportId),
        toOwner(owner, event)
      )
    default:
      return toOwner(owner, event)
  }
}

/** A hidden participant has consumers too. */
function findOwner(parts: RoomParts, participantId: string): ParticipantRecord | null {
  const hidden = parts.get<ParticipantRecord>(PART.hidden(participantId))
  return hidden?.participantId === participantId ? hidden : findParticipantRecord(parts, participantId)
}

function setPaused(media: SentMedia, producerId: string, paused: boolean): RoomDecision {
  const { participantId } = media
  const producer = media.producers.find(each => each.producerId === producerId)
  if (producer === undefined || producer.paused === paused) return NO_CHANGE
  const type = paused ? 'sfu.producer_paused' : 'sfu.producer_resumed'
  return {
    writes: writeMedia(withPaused(media, producerId, paused)),
    events: [roomEvent(type, { participantId, producerId, by: null })]
  }
}

type OwnersEvent = Exclude<MediaEvent, { type: 'session_lost' }>

function toOwner({ user, device, participantId }: ParticipantRecord, event: MediaEvent): RoomDecision {
  const data = dataOf(event as OwnersEvent)
  return { writes: {}, events: [{ to: { user, device }, type: `sfu.${event.type}`, data: { participantId, ...data } }] }
}

/** The known members only: a newer service may send others. */
function dataOf(event: OwnersEvent): object {
  if (event.type === 'transport_closed') return { transportId: event.transportId, reason: event.reason }
  if ('dataConsumerId' in event) return { dataConsumerId: event.dataConsumerId }
  if (!('consumerId' in event)) return {}
  if (event.type !== 'consumer_layers_changed') return { consumerId: event.consumerId }
  const { consumerId, layers } = event
  return { consumerId, layers: layers === null ? null : layersOf(layers) }
}

const layersOf = ({ spatialLayer, temporalLayer }: { spatialLayer: number; temporalLayer?: number }) => ({
  spatialLayer,
  ...(temporalLayer === undefined ? {} : { temporalLayer })
})
