// In what the media service may differ from the room: what the room has closed, and producers that were to be paused or resumed. The room keeps
// a record of it until the service was told what the room says: the node may die between the service and the commit, or the service not answer.
import { AppError } from '../../errors.js'
import { PRODUCERS_MAX } from '../../schemas/sfu.js'
import { NO_CHANGE, PART, type RoomDecision, type RoomParts } from '../room/state.js'
import { type ProducerRecord, sentMediaOf, withPaused, writeMedia } from './state.js'

/** Of one participant. It has no effect in a later session. */
export interface UnsettledMedia extends MediaSender {
  /** Producers to be closed. */
  readonly producers: readonly string[]
  /** Data producers to be closed. */
  readonly dataProducers: readonly string[]
  /** Producers that were to be paused or resumed. */
  readonly pausing: readonly string[]
  /** SentMedia.closings after the last of them was closed: what was created later has the same number, and stays. */
  readonly closings: number
}

export interface MediaSender {
  readonly participantId: string
  readonly sessionId: string
}

const partOf = ({ participantId }: MediaSender) => PART.unsettledMediaOfParticipant(participantId)

const nothingOf = ({ participantId, sessionId }: MediaSender): UnsettledMedia => ({
  participantId,
  sessionId,
  producers: [],
  dataProducers: [],
  pausing: [],
  closings: 0
})

/** What the room has closed and the service has yet to close. */
export const closingOf = (
  sender: MediaSender,
  closed: Partial<Pick<UnsettledMedia, 'producers' | 'dataProducers' | 'closings'>>
): UnsettledMedia => ({ ...nothingOf(sender), ...closed })

export const pausingOf = (sender: MediaSender, producerId: string): UnsettledMedia => ({
  ...nothingOf(sender),
  pausing: [producerId]
})

/** Reads its PART.unsettledMediaOf. */
export function unsettledMediaOf(parts: RoomParts, sender: MediaSender): UnsettledMedia {
  const kept = parts.get<UnsettledMedia>(partOf(sender))
  const isCurrent = kept?.participantId === sender.participantId && kept.sessionId === sender.sessionId
  return isCurrent ? kept : nothingOf(sender)
}

/** Before the media service is asked to pause or resume: the two may differ until that is settled. Reads PART.unsettledMediaOf of the sender. */
export const beginPause = (
  parts: RoomParts,
  { producerId, ...sender }: MediaSender & { readonly producerId: string }
) => addUnsettled(parts, pausingOf(sender, producerId))

/** Reads its PART.unsettledMediaOf. */
export function addUnsettled(parts: RoomParts, added: UnsettledMedia): RoomDecision {
  const kept = unsettledMediaOf(parts, added)
  const all: UnsettledMedia = {
    ...kept,
    producers: union(kept.producers, added.producers),
    dataProducers: union(kept.dataProducers, added.dataProducers),
    pausing: union(kept.pausing, added.pausing),
    closings: Math.max(kept.closings, added.closings)
  }
  const isKept = countOf(all) === countOf(kept) && all.closings === kept.closings
  return isKept ? NO_CHANGE : { writes: { [partOf(added)]: all }, events: [] }
}

/** @throws AppError media_unavailable: more is to be closed than a participant may have */
export function addClosing(parts: RoomParts, closing: UnsettledMedia): RoomDecision {
  const kept = unsettledMediaOf(parts, closing)
  const total =
    union(kept.producers, closing.producers).length + union(kept.dataProducers, closing.dataProducers).length
  if (total > CLOSING_MAX && total > kept.producers.length + kept.dataProducers.length) throw stillClosing()
  return addUnsettled(parts, closing)
}

/** Also ids that the participant does not have may be named. */
const CLOSING_MAX = 4 * PRODUCERS_MAX

const stillClosing = () =>
  new AppError('media_unavailable', { detail: 'The media service is closing it', retryAfterMs: 1000 })

const union = (one: readonly string[], other: readonly string[]) => [...new Set([...one, ...other])]

const countOf = ({ producers, dataProducers, pausing }: UnsettledMedia) =>
  producers.length + dataProducers.length + pausing.length

/** The producers that the participant has and the service may have paused otherwise. Reads its PART.producersOf. */
export const pausingIn = (parts: RoomParts, unsettled: UnsettledMedia): readonly ProducerRecord[] =>
  sentMediaOf(parts, unsettled, unsettled.sessionId).producers.filter(({ producerId }) =>
    unsettled.pausing.includes(producerId)
  )

/**
 * The service has done all of `settled`. That counts as a pause or resumption of each producer: a request that has asked the service before
 * asks again. Reads its PART.unsettledMediaOf and PART.producersOf.
 */
export function finishSettling(parts: RoomParts, settled: UnsettledMedia): RoomDecision {
  const kept = unsettledMediaOf(parts, settled)
  const left: UnsettledMedia = {
    ...kept,
    producers: kept.producers.filter(id => !settled.producers.includes(id)),
    dataProducers: kept.dataProducers.filter(id => !settled.dataProducers.includes(id)),
    pausing: kept.pausing.filter(id => !settled.pausing.includes(id))
  }
  const pausing = pausingIn(parts, settled)
  const media = sentMediaOf(parts, settled, settled.sessionId)
  const counted = pausing.reduce((sent, { producerId, paused }) => withPaused(sent, producerId, paused), media)
  const again = pausing.length === 0 ? {} : writeMedia(counted)
  if (countOf(left) === countOf(kept)) return { writes: again, events: [] }
  return { writes: { ...again, [partOf(settled)]: countOf(left) === 0 ? null : left }, events: [] }
}

/** A producer with the id of one that the media service has yet to close would be closed with it. @throws AppError media_unavailable */
export function refuseClosing(ids: readonly string[], id: string): void {
  if (ids.includes(id)) throw stillClosing()
}
