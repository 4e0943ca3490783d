// The rules of consumers: who may receive what. The room keeps no consumers; the media service does.
import { AppError } from '../../errors.js'
import { findParticipantRecord, requireParticipant } from '../room/access.js'
import type { RoomParts } from '../room/state.js'
import type { MediaCommand, ProducerCommand } from './producers.js'
import { type SentMedia, sentMediaOf } from './state.js'

/**
 * The grant depends on the source of the producer. Reads partsOfAccess, and PART.participant and PART.producersOfParticipant of the
 * participant that sends it.
 * @throws AppError participant_not_found, media_not_found and what requireAccess throws
 */
export function requireConsumable(parts: RoomParts, { producerId, ...command }: ProducerCommand, now: number): void {
  const { producers } = requireSender(parts, command)
  const producer = producers.find(each => each.producerId === producerId)
  if (producer === undefined) throw new AppError('media_not_found', { detail: 'The participant has no such producer' })
  requireParticipant(`subscribe:${producer.source}`, parts, { actor: command.actor, now })
}

interface DataProducerCommand extends MediaCommand {
  readonly participantId: string
  readonly dataProducerId: string
}

/** As requireConsumable. Data belongs to no source, so the grant `subscribe` is required. */
export function requireConsumableData(
  parts: RoomParts,
  { dataProducerId, ...command }: DataProducerCommand,
  now: number
): void {
  requireParticipant('subscribeData', parts, { actor: command.actor, now })
  const { dataProducers } = requireSender(parts, command)
  if (dataProducers.some(each => each.dataProducerId === dataProducerId)) return
  throw new AppError('media_not_found', { detail: 'The participant has no such data producer' })
}

/** @throws AppError participant_not_found */
function requireSender(
  parts: RoomParts,
  { sessionId, participantId }: Pick<ProducerCommand, 'sessionId' | 'participantId'>
): SentMedia {
  const sender = findParticipantRecord(parts, participantId)
  if (sender === null) throw new AppError('participant_not_found')
  return sentMediaOf(parts, sender, sessionId)
}
