// WHIP (RFC 9725): one request publishes media into a room.
import { entityTag } from '../../domain/whip/fragment.js'
import { parseOffer } from '../../domain/whip/offer.js'
import { answerPublication, type Publication, readPublication } from '../../domain/whip/publication.js'
import type { TransportDescription } from '../../domain/whip/rtp.js'
import { kindOf } from '../../domain/whip/section.js'
import type { Actor } from '../../schemas/claims.js'
import type { Context } from '../context.js'
import type { RoomPath } from '../room/paths.js'
import { createProducer } from '../sfu/producers.js'
import { withSession } from '../sfu/sessions.js'
import { joinWhipClient, orLeave, recordTransport, TRANSPORT_ID, type WhipClient } from './clients.js'

export interface WhipRequest extends RoomPath {
  /** The offer. */
  readonly sdp: string
  readonly idempotencyKey?: string | undefined
}

/** The session of a WHIP or WHEP client. */
export interface WhipSession {
  readonly participantId: string
  /** The answer. */
  readonly sdp: string
  readonly etag: string
}

/**
 * Joins the room as a participant of its own and publishes every section of audio or video that is sent.
 * @throws AppError invalid_sdp, unsupported_offer, too_large, not_sfu, too_many_media, and what joinRoom and createProducer throw
 */
export async function publishMedia(context: Context, actor: Actor, request: WhipRequest): Promise<WhipSession> {
  const { roomId, sdp, idempotencyKey } = request
  const limits = { maxBytes: context.config.maxSdpBytes }
  // An offer that cannot be read leaves no trace in the room.
  const kinds = parseOffer(sdp, { direction: 'sendonly', ...limits }).usable.map(kindOf)
  const client = await joinWhipClient(context, actor, { roomId, via: 'whip', kinds, idempotencyKey })
  return orLeave(context, client, async () => {
    const { publication, transport, etag } = await openTransport(context, client, sdp)
    for (const [i, { kind, rtpParameters }] of publication.media.entries()) {
      const producer = { producerId: `${kind}-${i}`, transportId: TRANSPORT_ID, kind, rtpParameters }
      await createProducer(context, client.actor, { roomId, ...producer })
    }
    const answer = answerPublication(publication, transport, sessionNumber(context))
    return { participantId: client.participantId, sdp: answer, etag }
  })
}

/** For `o=` of an answer (RFC 8866 section 5.2). */
export const sessionNumber = ({ ids }: Context): string => String(ids.between(1, Number.MAX_SAFE_INTEGER))

interface OpenedTransport {
  readonly publication: Publication
  readonly transport: TransportDescription
  readonly etag: string
}

function openTransport(context: Context, client: WhipClient, sdp: string): Promise<OpenedTransport> {
  const { actor, roomId } = client
  return withSession(context, { actor, roomId, action: 'useMedia' }, async ({ client: service, owner, access }) => {
    const { routerRtpCapabilities: router } = await service.getSession(owner.sessionId)
    const publication = readPublication(sdp, { router, maxBytes: context.config.maxSdpBytes })
    const since = access.participant.since ?? 0
    const transport = await service.putTransport(owner, TRANSPORT_ID, { since, enableTcp: true })
    await service.connectTransport(owner, TRANSPORT_ID, { dtlsParameters: publication.dtlsParameters })
    const iceDigest = await recordTransport(context, client, { owner, transport })
    return { publication, transport, etag: entityTag(iceDigest, publication.ice) }
  })
}
