// The examples about media through a media service, which continue those of room-examples.ts.
import { type Example, HOST } from './room-examples.js'

const CODECS = [
  { kind: 'audio', mimeType: 'audio/opus', clockRate: 48_000, channels: 2, preferredPayloadType: 100 },
  { kind: 'video', mimeType: 'video/VP8', clockRate: 90_000, preferredPayloadType: 101 }
]
const ROUTER = { codecs: CODECS, headerExtensions: [] }
const ICE = { usernameFragment: 'h4q0m3vkk0q0s4c1', password: '7c4t2y8w9o1p5r3e6u0i2a4s6d8f1g3h', iceLite: true }
const FINGERPRINT = { algorithm: 'sha-256', value: Array.from({ length: 32 }, () => '2F').join(':') }
const ADDRESS = '203.0.113.7'
const TRANSPORT = {
  id: 'send',
  iceParameters: ICE,
  iceCandidates: [
    {
      ...{ foundation: 'udpcandidate', priority: 1_076_302_079, ip: ADDRESS, address: ADDRESS },
      ...{ protocol: 'udp', port: 40_000, type: 'host' }
    }
  ],
  dtlsParameters: { role: 'auto', fingerprints: [FINGERPRINT] },
  sctpParameters: { port: 5000, OS: 1024, MIS: 1024, maxMessageSize: 262_144 }
}
const RTP = {
  mid: '0',
  codecs: [
    {
      ...{ mimeType: 'video/VP8', payloadType: 96, clockRate: 90_000, parameters: {} },
      rtcpFeedback: [{ type: 'nack', parameter: 'pli' }, { type: 'transport-cc' }]
    }
  ],
  headerExtensions: [{ uri: 'urn:ietf:params:rtp-hdrext:sdes:mid', id: 4 }],
  encodings: [
    { rid: 'r0', scaleResolutionDownBy: 4, maxBitrate: 100_000 },
    { rid: 'r1', scaleResolutionDownBy: 1, maxBitrate: 900_000 }
  ],
  rtcp: { cname: 'alice', reducedSize: true }
}
const { participantId, user, device } = HOST
const OWNER = { participantId, user, device }
const PRODUCER = {
  producerId: 'camera',
  ...OWNER,
  ...{ kind: 'video', source: 'video', type: 'simple', paused: false },
  appData: { title: 'Alice' }
}
const PAUSED = { producer: { ...PRODUCER, paused: true } }
const DATA_PRODUCER = { dataProducerId: 'pointer', ...OWNER, label: 'pointer', protocol: '', appData: {} }
const STREAM = { streamId: 1, ordered: true }
const CONSUMER = {
  id: 'alice-camera',
  ...{ participantId, producerId: 'camera', kind: 'video', rtpParameters: RTP, type: 'simple' },
  ...{ paused: true, producerPaused: false }
}
const CONSUMING = { ...{ paused: false, preferredLayers: { spatialLayer: 1, temporalLayer: 2 }, priority: 1 } }
const stats = (type: string) => ({ reply: { stats: [{ type, timestamp: 1 }] } })

/** A participant sends a picture and a data channel, and another one receives both. */
export const SFU_EXAMPLES: Readonly<Record<string, Example>> = {
  getRouterCapabilities: {
    reply: { sessionId: '5f3a1c9e-8d27-4b61-9b0e-2c4d6e8f0a13', routerRtpCapabilities: ROUTER }
  },
  createTransport: { body: { transportId: 'send', enableSctp: true }, reply: { transport: TRANSPORT } },
  connectTransport: { body: { dtlsParameters: { role: 'client', fingerprints: [FINGERPRINT] } } },
  restartIce: { reply: { iceParameters: { ...ICE, usernameFragment: 'restarted1' } } },
  getTransportStats: stats('transports'),
  createProducer: {
    body: { producerId: 'camera', transportId: 'send', kind: 'video', rtpParameters: RTP, appData: PRODUCER.appData },
    reply: { producer: PRODUCER }
  },
  listProducers: {
    reply: {
      sessionId: '5f3a1c9e-8d27-4b61-9b0e-2c4d6e8f0a13',
      producers: [PRODUCER],
      dataProducers: [DATA_PRODUCER]
    }
  },
  updateProducer: { body: { paused: true }, reply: PAUSED },
  pauseParticipantProducer: { body: { paused: true }, reply: PAUSED },
  getProducerStats: stats('producers'),
  createConsumer: {
    body: {
      ...{ consumerId: 'alice-camera', participantId, producerId: 'camera', transportId: 'receive' },
      rtpCapabilities: ROUTER
    },
    reply: { consumer: CONSUMER }
  },
  resumeConsumer: { reply: { ...CONSUMING, preferredLayers: null } },
  updateConsumer: { body: { preferredLayers: CONSUMING.preferredLayers }, reply: CONSUMING },
  getConsumerStats: stats('consumers'),
  createDataProducer: {
    body: { dataProducerId: 'pointer', transportId: 'send', sctpStreamParameters: STREAM, label: 'pointer' },
    reply: { dataProducer: DATA_PRODUCER }
  },
  getDataProducerStats: stats('data-producers'),
  createDataConsumer: {
    body: { dataConsumerId: 'alice-pointer', participantId, dataProducerId: 'pointer', transportId: 'receive' },
    reply: {
      dataConsumer: {
        ...{ id: 'alice-pointer', participantId, dataProducerId: 'pointer', sctpStreamParameters: STREAM },
        ...{ label: 'pointer', protocol: '' }
      }
    }
  },
  getDataConsumerStats: stats('data-consumers')
}
