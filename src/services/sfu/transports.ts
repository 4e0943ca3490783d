// Transports of a participant. The media service has them; the room keeps only which producers they carry.
import { decideClose } from '../../domain/sfu/closing.js'
import type { Actor } from '../../schemas/claims.js'
import type { SfuCapabilitiesReply } from '../../schemas/sfu.js'
import type {
  ConnectTransportRequest,
  CreateTransportRequest,
  IceParameters,
  MediaIceCandidate,
  MediaTransport
} from '../../schemas/sfu-transport.js'
import type { Context } from '../context.js'
import type { RoomPath } from '../room/paths.js'
import { changeRoom } from '../room/update-room.js'
import { checkMediaParameters } from './media-bounds.js'
import { type Settling, settleAfter, settleClosed } from './reconcile.js'
import { type Creation, mediaIdOf, partsOfClose } from './requests.js'
import { withSession } from './sessions.js'

interface TransportPath extends RoomPath {
  readonly transportId: string
}

/** Opens the session of the room if it has none. @throws AppError as withSession */
export function getRouterCapabilities(
  context: Context,
  actor: Actor,
  { roomId }: RoomPath
): Promise<SfuCapabilitiesReply> {
  return withSession(context, { actor, roomId, action: 'useMedia' }, async ({ client, session: { sessionId } }) => {
    const { routerRtpCapabilities } = await client.getSession(sessionId)
    return { sessionId, routerRtpCapabilities }
  })
}

/** A repeat with the same id returns the same transport. @throws AppError as withSession, and media_conflict, too_many_media */
export function createTransport(
  context: Context,
  actor: Actor,
  { roomId, transportId: id, idempotencyKey, ...options }: RoomPath & CreateTransportRequest & Creation
): Promise<MediaTransport> {
  const transportId = mediaIdOf(context, actor, { name: 'transportId', id, roomId, idempotencyKey })
  return withSession(context, { actor, roomId, action: 'useMedia' }, async ({ client, owner, access }) => {
    const since = access.participant.since ?? 0
    const { sctpParameters, ...transport } = await client.putTransport(owner, transportId, { since, ...options })
    const iceCandidates = transport.iceCandidates.map(withBothAddresses)
    return { id: transportId, ...transport, iceCandidates, ...(sctpParameters ? { sctpParameters } : {}) }
  })
}

/** mediasoup before 3.13 calls the address `ip` only; mediasoup-client reads `address` first. */
function withBothAddresses(candidate: MediaIceCandidate): MediaIceCandidate {
  const address = candidate.address ?? candidate.ip
  return address === undefined ? candidate : { ...candidate, ip: address, address }
}

/** @throws AppError as withSession, and media_not_found, media_conflict, invalid_media_parameters */
export function connectTransport(
  context: Context,
  actor: Actor,
  { roomId, transportId, dtlsParameters }: TransportPath & ConnectTransportRequest
): Promise<void> {
  checkMediaParameters('dtlsParameters', dtlsParameters)
  return withSession(context, { actor, roomId, action: 'useMedia' }, ({ client, owner }) =>
    client.connectTransport(owner, transportId, { dtlsParameters })
  )
}

/** @throws AppError as withSession, and media_not_found */
export function restartIce(
  context: Context,
  actor: Actor,
  { roomId, transportId }: TransportPath
): Promise<{ iceParameters: IceParameters }> {
  return withSession(context, { actor, roomId, action: 'useMedia' }, ({ client, owner }) =>
    client.restartIce(owner, transportId)
  )
}

/** Closes also the producers that it carries. @throws AppError as withSession */
export function closeTransport(context: Context, actor: Actor, { roomId, transportId }: TransportPath): Promise<void> {
  return withSession(context, { actor, roomId, action: 'takePart' }, async ({ client, session, owner, access }) => {
    if (access.participant.hidden) return client.remove(owner, 'transports', transportId)
    const isClosed = (item: { transportId: string }) => item.transportId === transportId
    const command = { actor, sessionId: session.sessionId, participantId: owner.participantId, isClosed }
    const scope = { roomId, parts: partsOfClose(command), payer: actor.user }
    async function closeCarried(): Promise<Settling> {
      const { decision } = await changeRoom(context, scope, (room, now) => decideClose(room, command, now))
      return { client, unsettled: decision.closing }
    }
    const carried = await closeCarried()
    try {
      await client.remove(owner, 'transports', transportId)
    } catch (error) {
      await settleAfter(context, roomId, { ...carried, error })
      throw error
    }
    await settleClosed(context, roomId, carried)
    // What was created meanwhile.
    await settleClosed(context, roomId, await closeCarried())
  })
}
