// RTP and WebRTC transport parameters in the vocabulary of mediasoup (https://mediasoup.org/documentation/v3/mediasoup/rtp-parameters-and-
// capabilities/). The media service judges them; here each list and text has a bound. Members that are not listed are passed on: mediasoup
// adds some with new versions. services/sfu/media-bounds.ts bounds the bytes and the depth of the whole.
import { type Static, Type } from 'typebox'

export const MediaKind = Type.Enum(['audio', 'video'], { $id: 'MediaKind', description: 'A kind of track.' })
export type MediaKind = Static<typeof MediaKind>

const Open = { additionalProperties: true } as const

const text = (maxLength: number, description: string) => Type.String({ maxLength, description })
const UINT16 = { minimum: 0, maximum: 65_535 }
const SSRC = Type.Integer({ minimum: 0, maximum: 4_294_967_295, description: 'SSRC of the RTP stream (RFC 3550).' })
const PayloadType = Type.Integer({ minimum: 0, maximum: 127, description: 'RTP payload type.' })

/** RFC 6838, section 4.2: a name has at most 127 characters. */
const MimeType = Type.String({
  pattern: '^[A-Za-z]{5}/[!-~]{1,127}$',
  description: 'Media type of the codec.',
  examples: ['video/VP8']
})
const ClockRate = Type.Integer({ minimum: 1, maximum: 2_147_483_647, description: 'Clock rate in Hz.' })
const Channels = Type.Optional(Type.Integer({ minimum: 1, maximum: 255, description: 'Number of audio channels.' }))
const Parameters = Type.Optional(
  Type.Record(Type.String({ maxLength: 64 }), Type.Unknown(), {
    $id: 'RtpFormatParameters',
    description: 'Format parameters (`a=fmtp`), such as `{"packetization-mode": 1}`.',
    maxProperties: 64
  })
)
const Feedback = Type.Optional(
  Type.Array(
    Type.Object(
      { type: text(64, 'Such as `nack`.'), parameter: Type.Optional(text(64, 'Such as `pli`.')) },
      { $id: 'RtcpFeedback', description: 'A kind of RTCP feedback (RFC 4585).', ...Open }
    ),
    { maxItems: 32 }
  )
)

const RtpCodec = Type.Object(
  {
    mimeType: MimeType,
    payloadType: PayloadType,
    clockRate: ClockRate,
    channels: Channels,
    parameters: Parameters,
    rtcpFeedback: Feedback
  },
  { $id: 'RtpCodecParameters', description: 'A codec of an RTP stream.', ...Open }
)

const RtpHeaderExtension = Type.Object(
  {
    uri: text(255, 'Names the extension (RFC 8285).'),
    id: Type.Integer({ minimum: 1, maximum: 255, description: 'Its id in the packets.' }),
    encrypt: Type.Optional(Type.Boolean()),
    parameters: Parameters
  },
  { $id: 'RtpHeaderExtensionParameters', description: 'An RTP header extension.', ...Open }
)

const RtpEncoding = Type.Object(
  {
    ssrc: Type.Optional(SSRC),
    rid: Type.Optional(text(255, 'RID of the stream (RFC 8851).')),
    codecPayloadType: Type.Optional(PayloadType),
    rtx: Type.Optional(
      Type.Object(
        { ssrc: Type.Optional(SSRC) },
        { $id: 'RtxEncoding', description: 'The stream of retransmissions.', ...Open }
      )
    ),
    dtx: Type.Optional(Type.Boolean()),
    scalabilityMode: Type.Optional(text(32, 'Such as `L1T3`.')),
    scaleResolutionDownBy: Type.Optional(Type.Number()),
    maxBitrate: Type.Optional(Type.Integer({ minimum: 0, maximum: 4_294_967_295, description: 'Bits a second.' }))
  },
  { $id: 'RtpEncodingParameters', description: 'One stream: simulcast has several.', ...Open }
)

export const RtpParameters = Type.Object(
  {
    mid: Type.Optional(text(255, 'MID of the media section (RFC 8843).')),
    codecs: Type.Array(RtpCodec, { minItems: 1, maxItems: 64 }),
    headerExtensions: Type.Optional(Type.Array(RtpHeaderExtension, { maxItems: 64 })),
    encodings: Type.Optional(Type.Array(RtpEncoding, { maxItems: 16 })),
    rtcp: Type.Optional(
      Type.Object(
        {
          cname: Type.Optional(text(255, 'CNAME (RFC 3550).')),
          reducedSize: Type.Optional(Type.Boolean()),
          mux: Type.Optional(Type.Boolean())
        },
        { $id: 'RtcpParameters', description: 'How RTCP is sent.', ...Open }
      )
    )
  },
  { $id: 'RtpParameters', description: '`RtpParameters` of mediasoup. Other members are passed on.', ...Open }
)
export type RtpParameters = Static<typeof RtpParameters>

const RtpCodecCapability = Type.Object(
  {
    kind: MediaKind,
    mimeType: MimeType,
    preferredPayloadType: Type.Optional(PayloadType),
    clockRate: ClockRate,
    channels: Channels,
    parameters: Parameters,
    rtcpFeedback: Feedback
  },
  { $id: 'RtpCodecCapability', description: 'A codec that can be received.', ...Open }
)

const RtpHeaderExtensionCapability = Type.Object(
  {
    kind: Type.Optional(Type.String({ maxLength: 8, description: '`audio` or `video`; missing: both.' })),
    uri: text(255, 'Names the extension (RFC 8285).'),
    preferredId: Type.Integer({ minimum: 1, maximum: 255, description: 'Its preferred id in the packets.' }),
    preferredEncrypt: Type.Optional(Type.Boolean()),
    direction: Type.Optional(text(16, 'Such as `sendrecv`.'))
  },
  { $id: 'RtpHeaderExtension', description: 'An RTP header extension that is supported.', ...Open }
)

export const RtpCapabilities = Type.Object(
  {
    codecs: Type.Optional(Type.Array(RtpCodecCapability, { maxItems: 128 })),
    headerExtensions: Type.Optional(Type.Array(RtpHeaderExtensionCapability, { maxItems: 128 }))
  },
  { $id: 'RtpCapabilities', description: '`RtpCapabilities` of mediasoup. Other members are passed on.', ...Open }
)
export type RtpCapabilities = Static<typeof RtpCapabilities>

export const RtpStreamType = Type.Enum(['simple', 'simulcast', 'svc', 'pipe'], {
  $id: 'RtpStreamType',
  description: 'How it is encoded. `simulcast` and `svc` have layers to choose from.'
})
export type RtpStreamType = Static<typeof RtpStreamType>

const Layer = (description: string) => Type.Integer({ minimum: 0, maximum: 255, description })
export const ConsumerLayers = Type.Object(
  {
    spatialLayer: Layer('0 is the smallest picture.'),
    temporalLayer: Type.Optional(Layer('0 has the fewest frames.'))
  },
  { $id: 'ConsumerLayers', description: 'Layers of a simulcast or SVC stream.', ...Open }
)
export type ConsumerLayers = Static<typeof ConsumerLayers>

export const SctpStreamParameters = Type.Object(
  {
    streamId: Type.Integer({ ...UINT16, description: 'SCTP stream (RFC 8831).' }),
    ordered: Type.Optional(Type.Boolean()),
    maxPacketLifeTime: Type.Optional(Type.Integer({ ...UINT16, description: 'In milliseconds.' })),
    maxRetransmits: Type.Optional(Type.Integer({ ...UINT16, description: 'Retransmissions before it gives up.' }))
  },
  { $id: 'SctpStreamParameters', description: '`SctpStreamParameters` of mediasoup.', ...Open }
)
export type SctpStreamParameters = Static<typeof SctpStreamParameters>
