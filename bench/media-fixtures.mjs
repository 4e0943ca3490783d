// What mediasoup-client sends for Chromium, and what a media service replies: a router with Opus, VP8, VP9 and H.264, simulcast with three layers.

const RTX = 'rtx'
const FEEDBACK = [
  { type: 'goog-remb', parameter: '' },
  { type: 'transport-cc', parameter: '' },
  { type: 'ccm', parameter: 'fir' },
  { type: 'nack', parameter: '' },
  { type: 'nack', parameter: 'pli' }
]
const OPUS = { minptime: 10, useinbandfec: 1 }
const h264 = level => ({ 'packetization-mode': 1, 'profile-level-id': level, 'level-asymmetry-allowed': 1 })

/** Name, payload type and format parameters of the video codecs. */
const VIDEO = [
  ['VP8', 101, {}],
  ['VP9', 103, { 'profile-id': 0 }],
  ['H264', 105, h264('42e01f')],
  ['H264', 107, h264('4d001f')],
  ['H264', 109, h264('640032')]
]
const SDES = 'urn:ietf:params:rtp-hdrext:sdes'
const AUDIO_LEVEL = 'urn:ietf:params:rtp-hdrext:ssrc-audio-level'
const TRANSPORT_CC = 'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01'
const SEND_TIME = 'http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time'

/** Kind, URI and id of the header extensions. */
const EXTENSIONS = [
  ['audio', `${SDES}:mid`, 1],
  ['video', `${SDES}:mid`, 1],
  ['video', `${SDES}:rtp-stream-id`, 2],
  ['video', `${SDES}:repaired-rtp-stream-id`, 3],
  ['audio', SEND_TIME, 4],
  ['video', SEND_TIME, 4],
  ['audio', TRANSPORT_CC, 5],
  ['video', TRANSPORT_CC, 5],
  ['audio', AUDIO_LEVEL, 10],
  ['video', 'urn:3gpp:video-orientation', 11],
  ['video', 'urn:ietf:params:rtp-hdrext:toffset', 12]
]

const codec = (kind, name, rest) => ({ kind, mimeType: `${kind}/${name}`, ...rest })

const videoCodecs = VIDEO.flatMap(([name, type, parameters]) => [
  codec('video', name, { clockRate: 90_000, preferredPayloadType: type, parameters, rtcpFeedback: FEEDBACK }),
  codec('video', RTX, {
    clockRate: 90_000,
    preferredPayloadType: type + 1,
    parameters: { apt: type },
    rtcpFeedback: []
  })
])
const audioCodec = codec('audio', 'opus', {
  clockRate: 48_000,
  channels: 2,
  preferredPayloadType: 100,
  parameters: OPUS,
  rtcpFeedback: [
    { type: 'transport-cc', parameter: '' },
    { type: 'nack', parameter: '' }
  ]
})

/** Of the router, and of a device that has loaded them. */
export const RTP_CAPABILITIES = {
  codecs: [audioCodec, ...videoCodecs],
  headerExtensions: EXTENSIONS.map(([kind, uri, preferredId]) => ({
    ...{ kind, uri, preferredId, preferredEncrypt: false, direction: 'sendrecv' }
  }))
}

const ENCODINGS = {
  audio: [{ ssrc: 1_372_840_116, dtx: false }],
  video: [
    { rid: 'r0', active: true, scaleResolutionDownBy: 4, maxBitrate: 100_000, scalabilityMode: 'L1T3', dtx: false },
    { rid: 'r1', active: true, scaleResolutionDownBy: 2, maxBitrate: 300_000, scalabilityMode: 'L1T3', dtx: false },
    { rid: 'r2', active: true, scaleResolutionDownBy: 1, maxBitrate: 900_000, scalabilityMode: 'L1T3', dtx: false }
  ]
}

const toSent = ({ kind: _, preferredPayloadType: payloadType, ...rest }) => ({ payloadType, ...rest })

function rtpParameters(kind, encodings) {
  const codecs = kind === 'audio' ? [audioCodec] : videoCodecs.slice(0, 2)
  return {
    mid: kind === 'audio' ? '0' : '1',
    codecs: codecs.map(toSent),
    headerExtensions: EXTENSIONS.filter(([of]) => of === kind).map(([, uri, id]) => ({
      ...{ uri, id, encrypt: false, parameters: {} }
    })),
    encodings,
    rtcp: { cname: '4TOk42mSjXCkVIa6', reducedSize: true, mux: true }
  }
}

/** What a participant sends, by kind. */
export const SENT = {
  audio: rtpParameters('audio', ENCODINGS.audio),
  video: rtpParameters('video', ENCODINGS.video)
}

const RECEIVED = [{ ssrc: 815_264_373, rtx: { ssrc: 815_264_374 }, scalabilityMode: 'L3T3', maxBitrate: 900_000 }]
const consumer = kind => ({
  kind,
  rtpParameters: rtpParameters(kind, kind === 'audio' ? ENCODINGS.audio : RECEIVED),
  type: kind === 'audio' ? 'simple' : 'simulcast',
  paused: true,
  producerPaused: false
})

/** Replies of a media service, by the kind of the producer. */
export const CONSUMERS = { audio: consumer('audio'), video: consumer('video') }

export const DTLS_PARAMETERS = {
  role: 'client',
  fingerprints: [{ algorithm: 'sha-256', value: Array.from({ length: 32 }, () => '2F').join(':') }]
}

const address = '203.0.113.7'
const candidate = (protocol, priority, more) => ({
  ...{ foundation: `${protocol}candidate`, priority, ip: address, address, protocol, port: 40_000, type: 'host' },
  ...more
})

/** The reply of a media service. */
export const TRANSPORT = {
  iceParameters: { usernameFragment: 'h4q0m3vkk0q0s4c1', password: '7c4t2y8w9o1p5r3e6u0i2a4s6d8f1g3h', iceLite: true },
  iceCandidates: [candidate('udp', 1_076_302_079, {}), candidate('tcp', 1_076_276_479, { tcpType: 'passive' })],
  dtlsParameters: {
    role: 'auto',
    fingerprints: ['sha-1', 'sha-224', 'sha-256', 'sha-384', 'sha-512'].map((algorithm, i) => ({
      algorithm,
      value: Array.from({ length: [20, 28, 32, 48, 64][i] }, () => '9B').join(':')
    }))
  },
  sctpParameters: null
}
