// What a room keeps of the media that its participants send: for each participant one part, with its producers and data producers. A part
// belongs to one participation and one session of the media service. A part of another participation or session counts as absent, so a
// reset of the session and a device that joins anew delete nothing.
import { AppError } from '../../errors.js'
import type { DataProducer, Producer, RoomSfu } from '../../schemas/sfu.js'
import {
  PART,
  type ParticipantRecord,
  type ParticipantRef,
  participantRef,
  type RoomDecision,
  type RoomParts
} from '../room/state.js'
import { sessionIdIn, sessionIn } from './session.js'

/** What producers and data producers have in common. */
interface SentItem {
  /** Of the request that created it. Null: never; absent: not known. */
  readonly tokenExpiresAt?: number | null
}

export interface ProducerRecord
  extends SentItem,
    Pick<Producer, 'producerId' | 'kind' | 'source' | 'type' | 'paused' | 'appData'> {
  /** The transport of the participant that carries it. When that closes, the producer closes. */
  readonly transportId: string
  /** How often it was paused or resumed, also without effect. Absent: never. */
  readonly pauses?: number
}

export interface DataProducerRecord
  extends SentItem,
    Pick<DataProducer, 'dataProducerId' | 'label' | 'protocol' | 'appData'> {
  readonly transportId: string
}

export interface SentMedia {
  readonly participantId: string
  readonly sessionId: string
  /** How often something of it was closed, or was to be closed and did not exist. */
  readonly closings: number
  readonly producers: readonly ProducerRecord[]
  readonly dataProducers: readonly DataProducerRecord[]
}

interface RoomMedia {
  readonly sfu: RoomSfu | null
  readonly producers: Producer[]
  readonly dataProducers: DataProducer[]
}

/** What the participant sends in the session. Reads its PART.producersOf. */
export function sentMediaOf(
  parts: RoomParts,
  { participantId }: Pick<ParticipantRef, 'participantId'>,
  sessionId: string
): SentMedia {
  const kept = parts.get<SentMedia>(PART.producersOfParticipant(participantId))
  const isCurrent = kept?.participantId === participantId && kept.sessionId === sessionId
  return isCurrent ? kept : { participantId, sessionId, closings: 0, producers: [], dataProducers: [] }
}

/** What the participant sends after a request has paused or resumed the producer. Concurrent ones find that `pauses` has changed. */
export const withPaused = (media: SentMedia, producerId: string, paused: boolean): SentMedia => ({
  ...media,
  producers: media.producers.map(each =>
    each.producerId === producerId ? { ...each, paused, pauses: (each.pauses ?? 0) + 1 } : each
  )
})

export const writeMedia = (media: SentMedia): RoomDecision['writes'] => ({
  [PART.producersOfParticipant(media.participantId)]: media
})

/**
 * Changes whenever the media service may have closed something of the participant, or, if a producer is named, may have paused or resumed it.
 * Reads its PART.producersOf.
 */
export function askedStateOf(
  parts: RoomParts,
  { participantId, sessionId }: Pick<SentMedia, 'participantId' | 'sessionId'>,
  pausedId?: string
): string {
  const { closings, producers } = sentMediaOf(parts, { participantId }, sessionId)
  const { pauses = 0 } = producers.find(({ producerId }) => producerId === pausedId) ?? {}
  return `${closings}.${pauses}`
}

/** The session was lost after the request had found it. @throws AppError media_unavailable */
export function requireSession(parts: RoomParts, sessionId: string): void {
  if (sessionIdIn(parts) === sessionId) return
  throw new AppError('media_unavailable', { detail: 'The media session was replaced', retryAfterMs: 1000 })
}

export function viewProducer(participant: ParticipantRef, record: ProducerRecord): Producer {
  const { transportId: _, pauses: __, tokenExpiresAt: ___, producerId, ...rest } = record
  return { producerId, ...participantRef(participant), ...rest }
}

export function viewDataProducer(participant: ParticipantRef, record: DataProducerRecord): DataProducer {
  const { transportId: _, tokenExpiresAt: __, dataProducerId, ...rest } = record
  return { dataProducerId, ...participantRef(participant), ...rest }
}

/** What a device learns of the media of the room. Reads PART.settings, PART.sfu and PART.producers. */
export function viewRoomMedia(parts: RoomParts, participants: readonly ParticipantRecord[]): RoomMedia {
  const isSfu = parts.settings?.mode === 'sfu'
  const sessionId = sessionIdIn(parts)
  const sfu = isSfu ? { sessionId, available: sessionIn(parts)?.state !== 'unavailable' } : null
  return { sfu, ...viewSentMedia(parts, participants, sessionId) }
}

/** What all these participants send. Reads PART.producers. */
export function viewSentMedia(
  parts: RoomParts,
  participants: readonly ParticipantRecord[],
  sessionId: string | null
): Omit<RoomMedia, 'sfu'> {
  if (sessionId === null) return { producers: [], dataProducers: [] }
  const sent = participants.map(participant => ({ participant, media: sentMediaOf(parts, participant, sessionId) }))
  return {
    producers: sent.flatMap(({ participant, media }) => media.producers.map(each => viewProducer(participant, each))),
    dataProducers: sent.flatMap(({ participant, media }) =>
      media.dataProducers.map(each => viewDataProducer(participant, each))
    )
  }
}
