// What media services reply and push (openapi/media-service.yaml). What clients receive has the shape that the OpenAPI document promises them.
// Unknown members are accepted: a service may be newer.
import { type Static, type TProperties, Type } from 'typebox'
import { ID_PATTERN, Nullable } from './common.js'
import { MediaStatsReply } from './sfu.js'
import {
  ConsumerLayers,
  MediaKind,
  RtpCapabilities,
  RtpParameters,
  RtpStreamType,
  SctpStreamParameters
} from './sfu-rtp.js'
import { DtlsParameters, IceParameters, MediaIceCandidate, SctpParameters } from './sfu-transport.js'

const Id = Type.String({ pattern: ID_PATTERN })

const TransportClosedReason = Type.Enum(['ice_failed', 'dtls_failed', 'closed'])

// Replies

export const MediaHealth = Type.Object({
  /** Random for each start of the service. */
  instance: Id,
  load: Type.Number({ minimum: 0 }),
  sessions: Type.Integer({ minimum: 0 })
})
export type MediaHealth = Static<typeof MediaHealth>

export const MediaSession = Type.Object({ routerRtpCapabilities: RtpCapabilities })
export type MediaSession = Static<typeof MediaSession>

export const MediaTransport = Type.Object({
  iceParameters: IceParameters,
  iceCandidates: Type.Array(MediaIceCandidate),
  dtlsParameters: DtlsParameters,
  sctpParameters: Type.Optional(Nullable(SctpParameters))
})
export type MediaTransport = Static<typeof MediaTransport>

export const RestartedIce = Type.Object({ iceParameters: IceParameters })
export type RestartedIce = Static<typeof RestartedIce>

export const MediaProducer = Type.Object({ type: RtpStreamType, paused: Type.Boolean() })
export type MediaProducer = Static<typeof MediaProducer>

export const ProducerState = Type.Object({ paused: Type.Boolean() })
export type ProducerState = Static<typeof ProducerState>

export const MediaConsumer = Type.Object({
  kind: MediaKind,
  rtpParameters: RtpParameters,
  type: RtpStreamType,
  paused: Type.Boolean(),
  producerPaused: Type.Boolean()
})
export type MediaConsumer = Static<typeof MediaConsumer>

export const ConsumerState = Type.Object({
  paused: Type.Boolean(),
  preferredLayers: Type.Optional(Nullable(ConsumerLayers)),
  priority: Type.Optional(Type.Integer({ minimum: 1, maximum: 255 }))
})
export type ConsumerState = Static<typeof ConsumerState>

export const MediaDataConsumer = Type.Object({
  sctpStreamParameters: SctpStreamParameters,
  label: Type.String(),
  protocol: Type.String()
})
export type MediaDataConsumer = Static<typeof MediaDataConsumer>

export const MediaStats = MediaStatsReply

/** Any object: the reply says nothing that is needed. */
export const Acknowledgement = Type.Object({})

export const MediaServiceError = Type.Object({ code: Type.String(), detail: Type.Optional(Type.String()) })

// Pushed

const event = <const T extends string, P extends TProperties>(type: T, members: P) =>
  Type.Object({ type: Type.Literal(type), ...members })

const ofProducer = { participantId: Id, producerId: Id }
const ofConsumer = { participantId: Id, consumerId: Id }

const EVENTS = [
  event('producer_closed', ofProducer),
  event('producer_paused', ofProducer),
  event('producer_resumed', ofProducer),
  event('data_producer_closed', { participantId: Id, dataProducerId: Id }),
  event('consumer_closed', ofConsumer),
  event('consumer_paused', ofConsumer),
  event('consumer_resumed', ofConsumer),
  event('data_consumer_closed', { participantId: Id, dataConsumerId: Id }),
  event('consumer_layers_changed', {
    ...ofConsumer,
    layers: Nullable(Type.Object({ spatialLayer: Type.Integer(), temporalLayer: Type.Optional(Type.Integer()) }))
  }),
  event('transport_closed', { participantId: Id, transportId: Id, reason: TransportClosedReason }),
  event('session_lost', { reason: Type.Enum(['worker_died', 'events_lost']) })
] as const
export const MediaEvent = Type.Union([...EVENTS])
export type MediaEvent = Static<typeof MediaEvent>

const NOTICES = [
  event('active_speaker', { participantId: Nullable(Id) }),
  event('score', {
    participantId: Id,
    producerId: Type.Optional(Id),
    consumerId: Type.Optional(Id),
    score: Type.Number({ minimum: 0, maximum: 10 })
  })
] as const
export const MediaNotice = Type.Union([...NOTICES])
export type MediaNotice = Static<typeof MediaNotice>

const typesOf = (schemas: readonly { readonly properties: { readonly type: { readonly const: string } } }[]) =>
  schemas.map(({ properties }) => properties.type.const)
export const MEDIA_EVENT_TYPES: ReadonlySet<string> = new Set(typesOf(EVENTS))
export const MEDIA_NOTICE_TYPES: ReadonlySet<string> = new Set(typesOf(NOTICES))

/** What a newer service may push. */
const ofOtherType = (known: ReadonlySet<string>) =>
  Type.Object({ type: Type.Unsafe<string>({ type: 'string', maxLength: 64, not: { enum: [...known] } }) })

export const PushedEvents = Type.Object(
  {
    sessionId: Id,
    roomId: Id,
    seq: Type.Integer({
      minimum: 1,
      maximum: Number.MAX_SAFE_INTEGER,
      description: 'The number of the first of `events`, counted from 1 in the session.'
    }),
    events: Type.Array(Type.Union([MediaEvent, ofOtherType(MEDIA_EVENT_TYPES)]), { maxItems: 1000 }),
    notices: Type.Array(Type.Union([MediaNotice, ofOtherType(MEDIA_NOTICE_TYPES)]), { maxItems: 1000 })
  },
  { $id: 'PushedMediaEvents' }
)
export type PushedEvents = Static<typeof PushedEvents>
