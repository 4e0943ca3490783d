// What a WHIP or WHEP client does with its session after the answer: trickle ICE, ICE restart, and the end (RFC 9725 sections 4.2 and 4.3).
import { entityTag, parseFragment, patchIntent, writeFragment } from '../../domain/whip/fragment.js'
import { AppError } from '../../errors.js'
import type { Actor } from '../../schemas/claims.js'
import type { Context } from '../context.js'
import type { ParticipantPath } from '../room/paths.js'
import { removeParticipant } from '../room/rooms.js'
import { withSession } from '../sfu/sessions.js'
import { findWhipClient, recordTransport, TRANSPORT_ID, type Via } from './clients.js'

interface SessionPath extends ParticipantPath {
  readonly via: Via
}

export interface SessionPatch extends SessionPath {
  /** `application/trickle-ice-sdpfrag` */
  readonly fragment: string
  readonly ifMatch: string | undefined
}

/** The reply to an ICE restart. */
export interface RestartedSession {
  readonly fragment: string
  readonly etag: string
}

/**
 * Candidates are checked and not needed: the media server is ICE lite and learns the client's addresses from its checks. Null: nothing is to
 * be replied.
 * @throws AppError invalid_sdp, too_large, precondition_required, precondition_failed, participant_not_found, and as withSession
 */
export async function patchWhipSession(
  context: Context,
  user: Actor,
  { fragment: text, ifMatch, ...path }: SessionPatch
): Promise<RestartedSession | null> {
  const fragment = parseFragment(text)
  const { client, whip } = await findWhipClient(context, user, path)
  const { transport } = whip
  // No client has its session URL before the transport is recorded.
  if (transport === null) throw new AppError('participant_not_found')
  const intent = patchIntent(ifMatch, fragment, transport.iceDigest)
  if (intent === 'trickle' || fragment.ice === null) return null
  const { actor, roomId } = client
  const clientIce = fragment.ice
  return withSession(context, { actor, roomId, action: 'useMedia' }, async ({ client: service, owner }) => {
    const { iceParameters } = await service.restartIce(owner, TRANSPORT_ID)
    const { iceCandidates } = transport
    const iceDigest = await recordTransport(context, client, {
      owner,
      transport: { iceParameters, iceCandidates: [...iceCandidates] }
    })
    return {
      fragment: writeFragment(fragment, iceParameters, iceCandidates),
      etag: entityTag(iceDigest, clientIce)
    }
  })
}

/** The client leaves the room. Never rate limited. @throws AppError participant_not_found, and as removeParticipant */
export async function endWhipSession(context: Context, user: Actor, path: SessionPath): Promise<void> {
  const { client } = await findWhipClient(context, user, path)
  await removeParticipant(context, client.actor, client)
}
