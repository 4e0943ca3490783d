// Producers: media that a participant sends.
import { fromMediasoup } from './errors.js'

/** @param {import('./session.js').Session} session @param path the ids in the path @param {Record<string, any>} body CreateProducerRequest */
export async function createProducer(session, { participantId, id }, body) {
  const { paused, ...request } = body
  const participant = session.participant(participantId)
  const { media } = await participant.producers.create(id, request, async () => {
    const transport = await participant.transports.get(request.transportId)
    return produce(session, { participantId, id, transport }, { ...request, paused })
  })
  return { type: media.type, paused: media.paused }
}

async function produce(session, { participantId, id, transport }, { kind, rtpParameters, paused }) {
  try {
    const media = await transport.media.produce({
      kind,
      // mediasoup 3.8 adds defaults to what it gets. The request must stay as it came, to be compared with repeats.
      rtpParameters: structuredClone(rtpParameters),
      paused,
      appData: { participantId }
    })
    const producer = { id, media, transport, router: transport.router }
    media.on('score', streams => {
      const score = Math.max(0, ...streams.map(each => each.score))
      session.notices.set(`producer ${JSON.stringify([participantId, id])}`, {
        type: 'score',
        participantId,
        producerId: id,
        score
      })
    })
    await session.speakers.add(producer)
    return producer
  } catch (error) {
    throw fromMediasoup(error, 'invalid_parameters')
  }
}

export async function updateProducer(session, { participantId, id }, { paused }) {
  const { media } = await session.participant(participantId).producers.get(id)
  try {
    await (paused ? media.pause() : media.resume())
    return { paused: media.paused }
  } catch (error) {
    throw fromMediasoup(error, 'invalid_parameters')
  }
}
