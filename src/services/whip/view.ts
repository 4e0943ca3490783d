// WHEP (draft-ietf-wish-whep): one request views what is published in a room.

import { MediaRefusal } from '../../adapters/media-service.js'
import { partsOfAccess, requireParticipant } from '../../domain/room/access.js'
import { PART, type ParticipantRecord, type RoomParts } from '../../domain/room/state.js'
import type { ViewedProducer } from '../../domain/room/whip-client.js'
import { sessionIdIn } from '../../domain/sfu/session.js'
import { viewSentMedia } from '../../domain/sfu/state.js'
import { entityTag } from '../../domain/whip/fragment.js'
import { answerView, assignProducers, readView, type View } from '../../domain/whip/view.js'
import { AppError } from '../../errors.js'
import type { Actor } from '../../schemas/claims.js'
import type { Producer } from '../../schemas/sfu.js'
import type { RtpParameters } from '../../schemas/sfu-rtp.js'
import type { Context } from '../context.js'
import { readRoom } from '../room/parts.js'
import { type SessionUse, withSession } from '../sfu/sessions.js'
import { joinWhipClient, orLeave, recordTransport, TRANSPORT_ID } from './clients.js'
import { sessionNumber, type WhipRequest, type WhipSession } from './publish.js'

export interface ViewRequest extends WhipRequest {
  /** Whose producers are viewed. Absent: those of all, in the order in which their participants joined. */
  readonly participantId?: string
}

const PARTS_OF_PRODUCERS = [PART.settings, PART.sfu, PART.participants, PART.producers]
/** How long a player should wait for a publisher. */
const NOTHING_PUBLISHED_RETRY_MS = 2000

/**
 * Joins the room as a participant of its own. Each section of the offer receives the next producer of its kind that there is now.
 * @throws AppError invalid_sdp, unsupported_offer, too_large, not_sfu, participant_not_found, nothing_published, cannot_consume,
 *   too_many_media, and what joinRoom and withSession throw
 */
export async function viewMedia(context: Context, actor: Actor, request: ViewRequest): Promise<WhipSession> {
  const { roomId, sdp, participantId, idempotencyKey } = request
  const view = readView(sdp, context.config.maxSdpBytes)
  const kinds = [...new Set(view.media.map(({ kind }) => kind))]
  const joining = { roomId, via: 'whep' as const, kinds, idempotencyKey, parts: PARTS_OF_PRODUCERS }
  const isViewable = ({ kind }: Producer) => kinds.includes(kind)
  const client = await joinWhipClient(context, actor, {
    ...joining,
    check(room) {
      if (!producersIn(room, participantId).some(isViewable)) throw nothingPublished()
    }
  })
  const session = { actor: client.actor, roomId, action: 'subscribe' as const }
  return orLeave(context, client, () =>
    withSession(context, session, async use => {
      const { client: service, owner, access } = use
      const producers = await findProducers(context, use, { ...request, viewer: client.actor })
      const since = access.participant.since ?? 0
      const { rtpCapabilities, dtlsParameters } = view
      const transport = await service.putTransport(owner, TRANSPORT_ID, { since, enableTcp: true, rtpCapabilities })
      await service.connectTransport(owner, TRANSPORT_ID, { dtlsParameters })
      const consumers = await consumeEach(use, view, producers)
      const viewed = consumers.flatMap(each => (each === null ? [] : [each.viewed]))
      const iceDigest = await recordTransport(context, client, { owner, transport, viewed })
      const received = consumers.map(each => each?.rtpParameters ?? null)
      const answer = answerView(view, received, { transport, sessionNumber: sessionNumber(context) })
      return { participantId: client.participantId, sdp: answer, etag: entityTag(iceDigest, view.ice) }
    })
  )
}

const nothingPublished = () => new AppError('nothing_published', { retryAfterMs: NOTHING_PUBLISHED_RETRY_MS })

/** Reads PARTS_OF_PRODUCERS. @throws AppError participant_not_found */
function producersIn(room: RoomParts, participantId: string | undefined): Producer[] {
  const all = room.list<ParticipantRecord>(PART.participants).map(([, participant]) => participant)
  const chosen = all.filter(each => participantId === undefined || each.participantId === participantId)
  if (chosen.length === 0 && participantId !== undefined) throw new AppError('participant_not_found')
  const inOrder = chosen.toSorted((a, b) => (a.since ?? 0) - (b.since ?? 0))
  return viewSentMedia(room, inOrder, sessionIdIn(room)).producers
}

/** What the viewer may receive: the grant depends on the source. @throws AppError nothing_published, not_permitted */
async function findProducers(
  context: Context,
  { owner }: SessionUse,
  { roomId, participantId, viewer: actor }: ViewRequest & { readonly viewer: Actor }
): Promise<Producer[]> {
  const room = await readRoom(context, roomId, [...partsOfAccess(actor), ...PARTS_OF_PRODUCERS])
  const producers = sessionIdIn(room) === owner.sessionId ? producersIn(room, participantId) : []
  if (producers.length === 0) throw nothingPublished()
  const now = context.clock.now()
  const refusals = new Map<Producer['source'], unknown>()
  for (const source of new Set(producers.map(each => each.source))) {
    try {
      requireParticipant(`subscribe:${source}`, room, { actor, now })
    } catch (error) {
      refusals.set(source, error)
    }
  }
  const allowed = producers.filter(({ source }) => !refusals.has(source))
  if (allowed.length === 0) throw [...refusals.values()][0]
  return allowed
}

interface Consumed {
  readonly viewed: ViewedProducer
  readonly rtpParameters: RtpParameters
}

/** A producer whose codec the viewer does not have leaves its section empty. @throws AppError cannot_consume if all are empty */
async function consumeEach(use: SessionUse, view: View, producers: readonly Producer[]): Promise<(Consumed | null)[]> {
  const assigned = assignProducers(view.media, producers)
  const consumers: (Consumed | null)[] = []
  let refusal: unknown = nothingPublished()
  for (const [i, producer] of assigned.entries()) {
    const rtpCapabilities = view.media[i]?.rtpCapabilities
    if (producer === null || rtpCapabilities === undefined) consumers.push(null)
    else {
      const consumer = await consume(use, `${producer.kind}-${i}`, { producer, rtpCapabilities })
      consumers.push(consumer instanceof MediaRefusal ? null : consumer)
      if (consumer instanceof MediaRefusal) refusal = consumer
    }
  }
  if (consumers.every(each => each === null)) throw refusal
  return consumers
}

async function consume(
  { client, owner }: SessionUse,
  id: string,
  {
    producer: { participantId, producerId },
    rtpCapabilities
  }: { readonly producer: Producer; readonly rtpCapabilities: object }
): Promise<Consumed | MediaRefusal> {
  const viewed = { participantId, producerId }
  const wanted = { transportId: TRANSPORT_ID, producer: viewed, rtpCapabilities }
  try {
    const { rtpParameters } = await client.putConsumer(owner, id, { ...wanted, exactPayloadTypes: true })
    // Packets are sent once the transport is connected.
    await client.patchConsumer(owner, id, { paused: false })
    return { viewed, rtpParameters }
  } catch (error) {
    // The producer may have closed meanwhile.
    if (error instanceof MediaRefusal && ['cannot_consume', 'not_found'].includes(error.code)) return error
    throw error
  }
}
