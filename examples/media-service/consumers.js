// Consumers: media that a participant receives.
import { hasPayloadTypesOf, withoutRtx } from './codecs.js'
import { fromMediasoup, MediaError } from './errors.js'
import { closeTogether } from './resources.js'

/** @param {import('./session.js').Session} session */
export async function createConsumer(session, { participantId, id }, { preferredLayers, ...request }) {
  const participant = session.participant(participantId)
  const { media } = await participant.consumers.create(id, request, async () => {
    const transport = await participant.transports.get(request.transportId)
    const source = session.participants.get(request.producer.participantId)
    if (!source) throw new MediaError('not_found', 'No such producer')
    const producer = await source.producers.get(request.producer.producerId)
    const media = await consume(session, { transport, producer }, { ...request, preferredLayers })
    watch(session, { participantId, id, media, producer })
    closeTogether(producer.media, media)
    return { id, media, transport }
  })
  const { kind, rtpParameters, type, paused, producerPaused } = media
  return { kind, rtpParameters, type, paused, producerPaused }
}

/** A router that has the payload types of a participant does not have all of them for RTX: see exactCodecs. @param {import('./session.js').Session} session */
async function consume(session, { transport, producer }, { rtpCapabilities, exactPayloadTypes, ...request }) {
  const isExact = exactPayloadTypes || transport.router !== session.routers.main
  try {
    const { id: producerId } = await session.routers.consumable(producer, transport.router)
    const media = await consumeOn(transport, { producerId, rtpCapabilities, ...request })
    if (!isExact || hasPayloadTypesOf(media.rtpParameters, rtpCapabilities)) return media
    media.close()
    const plain = await consumeOn(transport, { producerId, rtpCapabilities: withoutRtx(rtpCapabilities), ...request })
    if (!exactPayloadTypes || hasPayloadTypesOf(plain.rtpParameters, rtpCapabilities)) return plain
    plain.close()
    throw new MediaError('cannot_consume', 'The transport was not created with these payload types')
  } catch (error) {
    throw fromMediasoup(error, 'cannot_consume')
  }
}

function consumeOn(transport, { producerId, rtpCapabilities, preferredLayers }) {
  return transport.media.consume({
    producerId,
    // mediasoup 3.8 adds defaults to what it gets.
    rtpCapabilities: structuredClone(rtpCapabilities),
    paused: true,
    ...(preferredLayers && { preferredLayers })
  })
}

function watch(session, { participantId, id, media, producer }) {
  media.on('layerschange', layers => {
    const event = { type: 'consumer_layers_changed', participantId, consumerId: id, layers: layers ?? null }
    session.pusher.push(event)
  })
  media.on('score', ({ score }) =>
    session.notices.set(`consumer ${JSON.stringify([participantId, id])}`, {
      type: 'score',
      participantId,
      consumerId: id,
      score
    })
  )
  // The pipe to the router of the transport broke. A closed producer closes its consumers without an event for each.
  media.on('producerclose', () => {
    if (!producer.media.closed) session.pusher.push({ type: 'consumer_closed', participantId, consumerId: id })
  })
}

export async function updateConsumer(session, { participantId, id }, { paused, preferredLayers, priority }) {
  const { media } = await session.participant(participantId).consumers.get(id)
  try {
    if (preferredLayers) await media.setPreferredLayers(preferredLayers)
    if (priority !== undefined) await media.setPriority(priority)
    if (paused !== undefined) await (paused ? media.pause() : media.resume())
    return { paused: media.paused, preferredLayers: media.preferredLayers ?? null, priority: media.priority }
  } catch (error) {
    throw fromMediasoup(error, 'invalid_parameters')
  }
}

export async function requestKeyFrame(session, { participantId, id }) {
  const { media } = await session.participant(participantId).consumers.get(id)
  try {
    await media.requestKeyFrame()
  } catch (error) {
    throw fromMediasoup(error, 'invalid_parameters')
  }
}
