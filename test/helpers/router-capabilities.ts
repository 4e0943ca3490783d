// What a mediasoup router says of itself, and the transport and the consumers that a media service makes for a client.

import type { CompleteRtpCapabilities, RtpCodecCapability, TransportDescription } from '../../src/domain/whip/rtp.js'
import type { MediaKind, RtpParameters } from '../../src/schemas/sfu-rtp.js'

const VIDEO_FEEDBACK = [
  { type: 'nack', parameter: '' },
  { type: 'nack', parameter: 'pli' },
  { type: 'ccm', parameter: 'fir' },
  { type: 'goog-remb', parameter: '' },
  { type: 'transport-cc', parameter: '' }
]

const audio = (
  name: string,
  preferredPayloadType: number,
  clockRate: number,
  channels: number
): RtpCodecCapability => ({
  kind: 'audio',
  mimeType: `audio/${name}`,
  preferredPayloadType,
  clockRate,
  channels,
  parameters: {},
  rtcpFeedback: [{ type: 'transport-cc', parameter: '' }]
})

function video(
  name: string,
  preferredPayloadType: number,
  parameters: Record<string, string | number> = {}
): RtpCodecCapability[] {
  const media = { kind: 'video' as const, clockRate: 90000 }
  return [
    { ...media, mimeType: `video/${name}`, preferredPayloadType, parameters, rtcpFeedback: VIDEO_FEEDBACK },
    {
      ...media,
      mimeType: 'video/rtx',
      preferredPayloadType: preferredPayloadType + 1,
      parameters: { apt: preferredPayloadType },
      rtcpFeedback: []
    }
  ]
}

type Direction = 'sendrecv' | 'recvonly'

/** Of mediasoup 3.27, with its ids. */
const EXTENSIONS: readonly (readonly [uri: string, id: number, audio: Direction | null, video: Direction | null])[] = [
  ['urn:ietf:params:rtp-hdrext:sdes:mid', 1, 'sendrecv', 'sendrecv'],
  ['urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id', 2, null, 'recvonly'],
  ['urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id', 3, null, 'recvonly'],
  ['http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time', 4, 'sendrecv', 'sendrecv'],
  ['http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01', 5, 'recvonly', 'sendrecv'],
  ['urn:ietf:params:rtp-hdrext:ssrc-audio-level', 6, 'sendrecv', null],
  ['https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension', 7, null, 'recvonly'],
  ['urn:3gpp:video-orientation', 8, null, 'sendrecv'],
  ['urn:ietf:params:rtp-hdrext:toffset', 9, null, 'sendrecv'],
  ['http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time', 10, 'sendrecv', 'sendrecv'],
  ['http://www.webrtc.org/experiments/rtp-hdrext/playout-delay', 11, 'sendrecv', 'sendrecv']
]

const extension = (kind: MediaKind, uri: string, preferredId: number, direction: Direction | null) =>
  direction === null ? [] : [{ kind, uri, preferredId, direction }]

export const ROUTER: CompleteRtpCapabilities = {
  codecs: [
    audio('opus', 100, 48000, 2),
    audio('PCMU', 0, 8000, 1),
    ...video('VP8', 101),
    ...video('VP9', 103, { 'profile-id': 0 }),
    ...video('H264', 105, {
      'packetization-mode': 1,
      'profile-level-id': '42e01f',
      'level-asymmetry-allowed': 1
    }),
    ...video('AV1', 109)
  ],
  headerExtensions: EXTENSIONS.flatMap(([uri, id, audio, video]) => [
    ...extension('audio', uri, id, audio),
    ...extension('video', uri, id, video)
  ])
}

export const TRANSPORT: TransportDescription = {
  iceParameters: { usernameFragment: 'p0qz7vabdp7jhcbt', password: 'z8ok2i3sc7vw5qtd9ub5lwbmsajnvrzw' },
  iceCandidates: [
    {
      foundation: 'udpcandidate',
      priority: 1076302079,
      address: '192.0.2.99',
      protocol: 'udp',
      port: 44444,
      type: 'host'
    },
    {
      foundation: 'tcpcandidate',
      priority: 1076276479,
      ip: '192.0.2.99',
      protocol: 'tcp',
      port: 44444,
      type: 'host',
      tcpType: 'passive'
    }
  ],
  dtlsParameters: {
    fingerprints: [
      { algorithm: 'sha-1', value: 'D1:2C:BE:AD:C4:F6:64:5C:25:16:11:9C:AF:E7:0F:73:79:36:4E:9C' },
      {
        algorithm: 'sha-256',
        value: 'E5:F5:CA:A7:2D:93:E6:16:AC:21:09:9F:23:51:62:8C:D0:66:E9:0C:22:54:2B:82:0C:DF:E0:C5:2C:7E:CD:53'
      }
    ]
  }
}

/** A consumer made with exactPayloadTypes: the first codec of the viewer that the producer has, and what mediasoup can send of the rest. */
export function consumerFor(viewer: CompleteRtpCapabilities, mimeType: string, ssrc: number): RtpParameters | null {
  const media = viewer.codecs.find(codec => codec.mimeType.toLowerCase() === mimeType.toLowerCase())
  if (media?.preferredPayloadType === undefined) return null
  const repair = viewer.codecs.find(({ parameters }) => parameters?.apt === media.preferredPayloadType)
  const sent = ROUTER.headerExtensions.filter(({ direction }) => direction === 'sendrecv')
  return {
    codecs: [media, ...(repair ? [repair] : [])].map(({ kind, preferredPayloadType = 0, ...codec }) => ({
      ...codec,
      payloadType: preferredPayloadType
    })),
    headerExtensions: viewer.headerExtensions
      .filter(({ kind, uri }) => sent.some(each => each.kind === kind && each.uri === uri))
      .map(({ uri, preferredId }) => ({ uri, id: preferredId })),
    encodings: [repair ? { ssrc, rtx: { ssrc: ssrc + 1 } } : { ssrc }],
    rtcp: { cname: 'd6omFfLIQvm1eXAp', reducedSize: true }
  }
}
