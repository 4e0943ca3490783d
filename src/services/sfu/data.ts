// Data producers and data consumers: data channels through the media service. They work as producers and consumers do.

import { decideClose } from '../../domain/sfu/closing.js'
import { requireConsumableData } from '../../domain/sfu/consumers.js'
import { decideProduceData } from '../../domain/sfu/producers.js'
import { sessionIdIn } from '../../domain/sfu/session.js'
import { askedStateOf, sentMediaOf } from '../../domain/sfu/state.js'
import type { Actor } from '../../schemas/claims.js'
import type {
  CreateDataConsumerRequest,
  CreateDataProducerRequest,
  DataConsumer,
  DataProducer
} from '../../schemas/sfu.js'
import type { Context } from '../context.js'
import type { RoomPath } from '../room/paths.js'
import { changeRoom } from '../room/update-room.js'
import { askThenCommit, undoUnlessKept } from './ask-then-commit.js'
import { checkAppData, checkMediaParameters } from './media-bounds.js'
import { settleClosed } from './reconcile.js'
import { type Creation, mediaIdOf, partsOfClose, partsOfOwnMedia, partsOfSender } from './requests.js'
import { withSession } from './sessions.js'

/** @throws AppError as createProducer */
export function createDataProducer(
  context: Context,
  actor: Actor,
  { roomId, idempotencyKey, dataProducerId: id, ...request }: RoomPath & CreateDataProducerRequest & Creation
): Promise<{ readonly created: DataProducer; readonly isNew: boolean }> {
  const { transportId, sctpStreamParameters, label = '', protocol = '', appData = {} } = request
  checkMediaParameters('sctpStreamParameters', sctpStreamParameters)
  checkAppData(appData)
  const dataProducerId = mediaIdOf(context, actor, { name: 'dataProducerId', id, roomId, idempotencyKey })
  const parts = partsOfOwnMedia(actor)
  return withSession(context, { actor, roomId, action: 'publishData', parts }, async use => {
    const { client, owner, room, session } = use
    const dataProducer = { dataProducerId, transportId, label, protocol, appData }
    const command = { actor, sessionId: session.sessionId, dataProducer }
    const { added, isNew } = await askThenCommit(context, {
      ...{ roomId, parts, payer: actor.user },
      // Otherwise the session was opened after the room was read.
      room: sessionIdIn(room) === session.sessionId ? room : undefined,
      stateOf: read => askedStateOf(read, owner),
      ask(read, now) {
        // Refused before the media service is asked.
        decideProduceData(read, command, now)
        const { closings } = sentMediaOf(read, owner, session.sessionId)
        return client.putDataProducer(owner, dataProducerId, {
          transportId,
          sctpStreamParameters,
          label,
          protocol,
          closings
        })
      },
      decide: (read, now) => decideProduceData(read, command, now)
    }).catch(error => undoUnlessKept(context, use, { created: { dataProducers: [dataProducerId] }, error }))
    return { created: added, isNew }
  })
}

/** @throws AppError as withSession */
export function closeDataProducer(
  context: Context,
  actor: Actor,
  { roomId, dataProducerId }: RoomPath & { readonly dataProducerId: string }
): Promise<void> {
  return withSession(context, { actor, roomId, action: 'takePart' }, async ({ client, session, owner }) => {
    const sender = { sessionId: session.sessionId, participantId: owner.participantId }
    const isClosed = (item: object) => 'dataProducerId' in item && item.dataProducerId === dataProducerId
    const command = { actor, ...sender, isClosed, named: { dataProducers: [dataProducerId] } }
    const scope = { roomId, parts: partsOfClose(command), payer: actor.user }
    const { decision } = await changeRoom(context, scope, (room, now) => decideClose(room, command, now))
    await settleClosed(context, roomId, { client, unsettled: decision.closing })
  })
}

/** @throws AppError as createConsumer */
export function createDataConsumer(
  context: Context,
  actor: Actor,
  { roomId, idempotencyKey, dataConsumerId, ...request }: RoomPath & CreateDataConsumerRequest & Creation
): Promise<DataConsumer> {
  const { participantId, dataProducerId, transportId } = request
  const id = mediaIdOf(context, actor, { name: 'dataConsumerId', id: dataConsumerId, roomId, idempotencyKey })
  const parts = partsOfSender(participantId)
  return withSession(
    context,
    { actor, roomId, action: 'subscribeData', parts },
    async ({ client, session, owner, room }) => {
      const command = { actor, sessionId: session.sessionId, participantId, dataProducerId }
      requireConsumableData(room, command, context.clock.now())
      const dataProducer = { participantId, dataProducerId }
      const consumer = await client.putDataConsumer(owner, id, { transportId, dataProducer })
      return { id, participantId, dataProducerId, ...consumer }
    }
  )
}

/** @throws AppError as withSession */
export function closeDataConsumer(
  context: Context,
  actor: Actor,
  { roomId, dataConsumerId }: RoomPath & { readonly dataConsumerId: string }
): Promise<void> {
  return withSession(context, { actor, roomId, action: 'takePart' }, ({ client, owner }) =>
    client.remove(owner, 'data-consumers', dataConsumerId)
  )
}
