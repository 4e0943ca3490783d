// Consumers of a participant. The media service has them; the room checks who may consume what.
import { requireConsumable } from '../../domain/sfu/consumers.js'
import type { Actor } from '../../schemas/claims.js'
import type { Consumer, ConsumerState, CreateConsumerRequest, UpdateConsumerRequest } from '../../schemas/sfu.js'
import type { Context } from '../context.js'
import type { RoomPath } from '../room/paths.js'
import { checkMediaParameters } from './media-bounds.js'
import { type Creation, mediaIdOf, partsOfSender } from './requests.js'
import { withSession } from './sessions.js'

interface ConsumerPath extends RoomPath {
  readonly consumerId: string
}

/**
 * It is created paused. A repeat with the same id returns the same consumer.
 * @throws AppError as withSession, and too_large, participant_not_found, media_not_found, media_conflict, cannot_consume,
 *   invalid_media_parameters, too_many_media
 */
export function createConsumer(
  context: Context,
  actor: Actor,
  { roomId, idempotencyKey, consumerId, ...request }: RoomPath & CreateConsumerRequest & Creation
): Promise<Consumer> {
  const { participantId, producerId, ...rest } = request
  checkMediaParameters('rtpCapabilities', rest.rtpCapabilities)
  const id = mediaIdOf(context, actor, { name: 'consumerId', id: consumerId, roomId, idempotencyKey })
  const parts = partsOfSender(participantId)
  return withSession(
    context,
    { actor, roomId, action: 'subscribe', parts },
    async ({ client, session, owner, room }) => {
      const command = { actor, sessionId: session.sessionId, participantId, producerId }
      requireConsumable(room, command, context.clock.now())
      const consumer = await client.putConsumer(owner, id, { producer: { participantId, producerId }, ...rest })
      return { id, participantId, producerId, ...consumer }
    }
  )
}

/** @throws AppError as withSession, and media_not_found, invalid_media_parameters */
export function updateConsumer(
  context: Context,
  actor: Actor,
  { roomId, consumerId, ...change }: ConsumerPath & UpdateConsumerRequest
): Promise<ConsumerState> {
  return withSession(context, { actor, roomId, action: 'subscribe' }, async ({ client, owner }) => {
    const { paused, preferredLayers = null, priority = 1 } = await client.patchConsumer(owner, consumerId, change)
    return { paused, preferredLayers, priority }
  })
}

/** @throws AppError as withSession, and media_not_found */
export function requestKeyFrame(context: Context, actor: Actor, { roomId, consumerId }: ConsumerPath): Promise<void> {
  return withSession(context, { actor, roomId, action: 'subscribe' }, ({ client, owner }) =>
    client.requestKeyFrame(owner, consumerId)
  )
}

/** @throws AppError as withSession */
export function closeConsumer(context: Context, actor: Actor, { roomId, consumerId }: ConsumerPath): Promise<void> {
  return withSession(context, { actor, roomId, action: 'takePart' }, ({ client, owner }) =>
    client.remove(owner, 'consumers', consumerId)
  )
}
