// Data producers and data consumers: the data channels of a participant.
import { fromMediasoup, MediaError } from './errors.js'
import { closeTogether } from './resources.js'

/** @param {import('./session.js').Session} session */
export async function createDataProducer(session, { participantId, id }, request) {
  const participant = session.participant(participantId)
  await participant.dataProducers.create(id, request, async () => {
    const transport = await withSctp(participant, request.transportId)
    const { sctpStreamParameters, label, protocol } = request
    try {
      const parameters = { sctpStreamParameters: structuredClone(sctpStreamParameters), label, protocol }
      return { id, media: await transport.media.produceData(parameters), transport }
    } catch (error) {
      throw fromMediasoup(error, 'invalid_parameters')
    }
  })
  return {}
}

export async function createDataConsumer(session, { participantId, id }, request) {
  const participant = session.participant(participantId)
  const { media } = await participant.dataConsumers.create(id, request, async () => {
    const transport = await withSctp(participant, request.transportId)
    const source = session.participants.get(request.dataProducer.participantId)
    if (!source) throw new MediaError('not_found', 'No such data producer')
    const producer = await source.dataProducers.get(request.dataProducer.dataProducerId)
    if (producer.transport.router !== transport.router)
      throw new MediaError('cannot_consume', 'Data is not piped to transports with payload types of their own')
    try {
      const media = await transport.media.consumeData({ dataProducerId: producer.media.id })
      closeTogether(producer.media, media)
      return { id, media, transport }
    } catch (error) {
      throw fromMediasoup(error, 'cannot_consume')
    }
  })
  const { sctpStreamParameters, label, protocol } = media
  return { sctpStreamParameters, label, protocol }
}

async function withSctp(participant, transportId) {
  const transport = await participant.transports.get(transportId)
  if (transport.media.sctpParameters) return transport
  throw new MediaError('invalid_parameters', 'The transport was created without enableSctp')
}
