// The rules of producers: who may send what, and what the other participants receive about it. The media service is asked before the commit
// of each decision, so that a repeat of a request finds both as the first one left them.
import { AppError } from '../../errors.js'
import type { Actor } from '../../schemas/claims.js'
import { type CreateProducerRequest, type DataProducer, PRODUCERS_MAX, type Producer } from '../../schemas/sfu.js'
import { endpoint } from '../endpoint.js'
import { findParticipantRecord, requireParticipant } from '../room/access.js'
import { NO_CHANGE, type ParticipantRecord, type RoomDecision, type RoomParts, roomEvent } from '../room/state.js'
import {
  type DataProducerRecord,
  type ProducerRecord,
  requireSession,
  sentMediaOf,
  viewDataProducer,
  viewProducer,
  withPaused,
  writeMedia
} from './state.js'
import { refuseClosing, unsettledMediaOf } from './unsettled.js'

/** What a request of a participant is about. */
export interface MediaCommand {
  readonly actor: Actor
  /** The session that the request was made in. */
  readonly sessionId: string
}

/** The source of a new producer. A screen may have sound. @throws AppError invalid_request */
export function sourceOf({
  kind,
  source = kind
}: Pick<CreateProducerRequest, 'kind' | 'source'>): ProducerRecord['source'] {
  if (source === kind || source === 'screen') return source
  throw new AppError('invalid_request', { detail: `A producer of kind ${kind} cannot have the source ${source}` })
}

interface Added<Item> extends RoomDecision {
  readonly added: Item
  /** False: the participant has this producer already. */
  readonly isNew: boolean
}

/**
 * Reads partsOfAccess, PART.sfu and the part of the participant's producers.
 * @throws AppError media_unavailable, media_conflict, too_many_media and what requireAccess throws
 */
export function decideProduce(
  parts: RoomParts,
  { actor, sessionId, producer }: MediaCommand & { readonly producer: ProducerRecord },
  now: number
): Added<Producer> {
  const { participant } = requireParticipant(`publish:${producer.source}`, parts, { actor, now })
  requireSession(parts, sessionId)
  const media = sentMediaOf(parts, participant, sessionId)
  const known = media.producers.find(({ producerId }) => producerId === producer.producerId)
  if (known) {
    requireSame(known, producer, ['transportId', 'kind', 'source'])
    return { ...NO_CHANGE, added: viewProducer(participant, known), isNew: false }
  }
  const closing = unsettledMediaOf(parts, media).producers
  refuseClosing(closing, producer.producerId)
  requireRoom([...media.producers, ...closing])
  const added = viewProducer(participant, producer)
  return {
    writes: writeMedia({ ...media, producers: [...media.producers, { ...producer, tokenExpiresAt: actor.expiresAt }] }),
    events: [roomEvent('sfu.producer_added', { producer: added }, participant.participantId)],
    added,
    isNew: true
  }
}

/** As decideProduce. Data belongs to no source, so the grant `publish` is required. */
export function decideProduceData(
  parts: RoomParts,
  { actor, sessionId, dataProducer }: MediaCommand & { readonly dataProducer: DataProducerRecord },
  now: number
): Added<DataProducer> {
  const { participant } = requireParticipant('publishData', parts, { actor, now })
  requireSession(parts, sessionId)
  const media = sentMediaOf(parts, participant, sessionId)
  const known = media.dataProducers.find(({ dataProducerId }) => dataProducerId === dataProducer.dataProducerId)
  if (known) {
    requireSame(known, dataProducer, ['transportId', 'label', 'protocol'])
    return { ...NO_CHANGE, added: viewDataProducer(participant, known), isNew: false }
  }
  const closing = unsettledMediaOf(parts, media).dataProducers
  refuseClosing(closing, dataProducer.dataProducerId)
  requireRoom([...media.dataProducers, ...closing])
  const added = viewDataProducer(participant, dataProducer)
  return {
    writes: writeMedia({
      ...media,
      dataProducers: [...media.dataProducers, { ...dataProducer, tokenExpiresAt: actor.expiresAt }]
    }),
    events: [roomEvent('sfu.data_producer_added', { dataProducer: added }, participant.participantId)],
    added,
    isNew: true
  }
}

/** The media service compares the RTP parameters too. @throws AppError media_conflict */
function requireSame<Item>(known: Item, wanted: Item, names: readonly (keyof Item)[]): void {
  const different = names.find(name => known[name] !== wanted[name])
  if (different === undefined) return
  throw new AppError('media_conflict', { detail: `It exists with another ${String(different)}` })
}

/** What is being closed counts: the media service may have it still. @throws AppError too_many_media */
function requireRoom(items: readonly unknown[]): void {
  if (items.length < PRODUCERS_MAX) return
  throw new AppError('too_many_media', { detail: `A participant has at most ${PRODUCERS_MAX} of them` })
}

export interface ProducerCommand extends MediaCommand {
  /** The participant whose producer it is: the actor's own, or another one. */
  readonly participantId: string
  readonly producerId: string
}

/**
 * The participant that sends it, and the participant of the actor. What others send may be paused and closed by a moderator.
 * @throws AppError participant_not_found, media_unavailable and what requireAccess throws
 */
export function requireOwner(
  parts: RoomParts,
  { actor, sessionId, participantId }: MediaCommand & Pick<ProducerCommand, 'participantId'>,
  now: number
): { readonly own: ParticipantRecord; readonly owner: ParticipantRecord } {
  const { participant: own } = requireParticipant('takePart', parts, { actor, now })
  if (own.participantId !== participantId) requireParticipant('moderateMedia', parts, { actor, now })
  requireSession(parts, sessionId)
  const owner = findParticipantRecord(parts, participantId)
  if (owner === null) throw new AppError('participant_not_found')
  return { own, owner }
}

/** Only the sender decides to be seen and heard, and needs the grant for it. @throws AppError not_permitted */
function requireResumption(
  parts: RoomParts,
  { actor, isOwn, source }: { actor: Actor; isOwn: boolean; source: ProducerRecord['source'] },
  now: number
): void {
  if (!isOwn) throw new AppError('not_permitted', { detail: 'Only the participant itself may resume' })
  requireParticipant(`publish:${source}`, parts, { actor, now })
}

export interface PauseCommand extends ProducerCommand {
  /** False: it resumes. */
  readonly paused: boolean
}

interface PauseDecision extends RoomDecision {
  readonly producer: Producer
}

/**
 * Pauses or resumes. Reads as decideProduce, and PART.participant and PART.producersOfParticipant of the owner.
 * @throws AppError participant_not_found, media_not_found, media_unavailable and what requireAccess throws
 */
export function decidePause(parts: RoomParts, { paused, ...command }: PauseCommand, now: number): PauseDecision {
  const { actor, participantId, producerId } = command
  const { own, owner } = requireOwner(parts, command, now)
  const media = sentMediaOf(parts, owner, command.sessionId)
  const before = media.producers.find(each => each.producerId === producerId)
  if (before === undefined) throw new AppError('media_not_found', { detail: 'The participant has no such producer' })
  if (!paused)
    requireResumption(parts, { actor, isOwn: own.participantId === participantId, source: before.source }, now)
  const type = paused ? 'sfu.producer_paused' : 'sfu.producer_resumed'
  const by = endpoint(actor)
  return {
    // Written also if it has no effect: a request that has asked the media service before this one asks again.
    writes: writeMedia(withPaused(media, producerId, paused)),
    events: before.paused === paused ? [] : [roomEvent(type, { participantId, producerId, by }, own.participantId)],
    producer: viewProducer(owner, { ...before, paused })
  }
}
