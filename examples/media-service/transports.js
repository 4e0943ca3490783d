// WebRTC transports: created, connected, restarted, and closed when the participant cannot be reached any more.
import { fromMediasoup, MediaError } from './errors.js'

/** @typedef {{id: string, media: import('mediasoup').types.WebRtcTransport, router: object, connected: null | {key: string, done: Promise<void>},
 *   contact: null | {bytes: number, at: number}}} Transport */

/** @param {import('./session.js').Session} session */
export async function createTransport(session, { participantId, id }, { since, ...request }) {
  const participant = session.enter(participantId, since)
  const transport = await participant.transports.create(id, request, () =>
    open(session, { participantId, id }, request)
  )
  const { iceParameters, iceCandidates, dtlsParameters, sctpParameters } = transport.media
  return {
    iceParameters,
    // mediasoup 3.8 names the address `ip`; current clients read `address`.
    iceCandidates: iceCandidates.map(each => ({
      ...each,
      ip: each.ip ?? each.address,
      address: each.address ?? each.ip
    })),
    dtlsParameters,
    sctpParameters: sctpParameters ?? null
  }
}

/** @returns {Promise<Transport>} */
async function open(session, { participantId, id }, request) {
  const { routers } = session
  try {
    const router = await routers.acquire(request.rtpCapabilities)
    const media = await listen(session, router, request).catch(error => {
      routers.release(router)
      throw error
    })
    media.observer.once('close', () => routers.release(router))
    const transport = { id, media, router, connected: null, contact: null }
    media.on('dtlsstatechange', state => {
      if (state === 'failed') failTransport(session, { participantId, transport }, 'dtls_failed')
      else if (state === 'closed') failTransport(session, { participantId, transport }, 'closed')
    })
    return transport
  } catch (error) {
    // What is not the fault of the parameters is a lack of ports.
    throw fromMediasoup(error, 'overloaded')
  }
}

async function listen({ settings, webRtcServer }, router, request) {
  const { enableTcp, enableSctp, numSctpStreams, initialAvailableOutgoingBitrate } = request
  const { listenIp: ip, announcedAddress: announcedIp, maxIncomingBitrate } = settings
  const media = await router.media.createWebRtcTransport({
    ...(webRtcServer ? { webRtcServer } : { listenIps: [{ ip, ...(announcedIp && { announcedIp }) }] }),
    enableUdp: true,
    preferUdp: true,
    enableTcp: enableTcp ?? false,
    enableSctp,
    ...(numSctpStreams && { numSctpStreams }),
    ...(initialAvailableOutgoingBitrate && { initialAvailableOutgoingBitrate })
  })
  if (maxIncomingBitrate > 0) await media.setMaxIncomingBitrate(maxIncomingBitrate)
  return media
}

/** Idempotent by the fingerprints. */
export async function connectTransport(session, { participantId, id }, { dtlsParameters }) {
  const transport = await session.participant(participantId).transports.get(id)
  const fingerprints = dtlsParameters.fingerprints.map(({ algorithm, value }) => ({
    algorithm,
    value: value.toUpperCase()
  }))
  const key = fingerprints
    .map(({ algorithm, value }) => `${algorithm} ${value}`)
    .sort()
    .join()
  if (transport.connected === null) {
    const done = connect(transport, { ...dtlsParameters, fingerprints })
    transport.connected = { key, done }
  }
  if (transport.connected.key !== key) throw new MediaError('already_connected', 'The transport has other fingerprints')
  await transport.connected.done
}

async function connect(transport, dtlsParameters) {
  await null
  try {
    await transport.media.connect({ dtlsParameters })
    transport.contact = { bytes: 0, at: performance.now() }
  } catch (error) {
    transport.connected = null
    throw fromMediasoup(error, 'invalid_parameters')
  }
}

export async function restartIce(session, { participantId, id }) {
  const { media } = await session.participant(participantId).transports.get(id)
  try {
    return { iceParameters: await media.restartIce() }
  } catch (error) {
    throw fromMediasoup(error, 'invalid_parameters')
  }
}

/** Closes a transport that Signalpost did not close, and tells it. */
export function failTransport(session, { participantId, transport }, reason) {
  const participant = session.participants.get(participantId)
  if (session.isClosed || transport.media.closed || !participant) return
  const isOnIt = each => each.transport === transport
  for (const { id } of participant.producers.values.filter(isOnIt))
    session.pusher.push({ type: 'producer_closed', participantId, producerId: id })
  for (const { id } of participant.dataProducers.values.filter(isOnIt))
    session.pusher.push({ type: 'data_producer_closed', participantId, dataProducerId: id })
  session.pusher.push({ type: 'transport_closed', participantId, transportId: transport.id, reason })
  transport.media.close()
}
