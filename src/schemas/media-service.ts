// What media services reply and push (openapi/media-service.yaml). Members that Signalpost passes on unchanged, such as rtpParameters, are only
// checked to be objects or lists. Unknown members are accepted: a service may be newer.
import { type Static, type TProperties, Type } from 'typebox'
import { ID_PATTERN, Nullable } from './common.js'

/** An object in the vocabulary of mediasoup, passed on unchanged. */
const Opaque = Type.Record(Type.String(), Type.Unknown())
const OpaqueList = Type.Array(Opaque)
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

export const MediaSession = Type.Object({ routerRtpCapabilities: Opaque })
export type MediaSession = Static<typeof MediaSession>

export const MediaTransport = Type.Object({
  iceParameters: Opaque,
  iceCandidates: OpaqueList,
  dtlsParameters: Opaque,
  sctpParameters: Type.Optional(Nullable(Opaque))
})
export type MediaTransport = Static<typeof MediaTransport>

export const RestartedIce = Type.Object({ iceParameters: Opaque })
export type RestartedIce = Static<typeof RestartedIce>

export const MediaProducer = Type.Object({ type: Type.String(), paused: Type.Boolean() })
export type MediaProducer = Static<typeof MediaProducer>

export const ProducerState = Type.Object({ paused: Type.Boolean() })
export type ProducerState = Static<typeof ProducerState>

export const MediaConsumer = Type.Object({
  kind: Type.Enum(['audio', 'video']),
  rtpParameters: Opaque,
  type: Type.String(),
  paused: Type.Boolean(),
  producerPaused: Type.Boolean()
})
export type MediaConsumer = Static<typeof MediaConsumer>

export const ConsumerState = Type.Object({
  paused: Type.Boolean(),
  preferredLayers: Type.Optional(Nullable(Opaque)),
  priority: Type.Optional(Type.Integer())
})
export type ConsumerState = Static<typeof ConsumerState>

export const MediaDataConsumer = Type.Object({
  sctpStreamParameters: Opaque,
  label: Type.String(),
  protocol: Type.String()
})
export type MediaDataConsumer = Static<typeof MediaDataConsumer>

export const MediaStats = Type.Object({ stats: OpaqueList })
export type MediaStats = Static<typeof MediaStats>

/** Any object: the reply says nothing that is needed. */
export const Acknowledgement = Opaque

export const MediaServiceError = Type.Object({ code: Type.String(), detail: Type.Optional(Type.String()) })

// Pushed

const event = <const T extends string, P extends TProperties>(type: T, members: P) =>
  Type.Object({ type: Type.Literal(type), ...members })

const ofProducer = { participantId: Id, producerId: Id }
const ofConsumer = { participantId: Id, consumerId: Id }

export const MediaEvent = Type.Union([
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
])
export type MediaEvent = Static<typeof MediaEvent>

export const MediaNotice = Type.Union([
  event('active_speaker', { participantId: Nullable(Id) }),
  event('score', {
    participantId: Id,
    producerId: Type.Optional(Id),
    consumerId: Type.Optional(Id),
    score: Type.Number({ minimum: 0, maximum: 10 })
  })
])
export type MediaNotice = Static<typeof MediaNotice>

export const PushedEvents = Type.Object(
  {
    sessionId: Id,
    roomId: Id,
    seq: Type.Integer({
      minimum: 1,
      description: 'The number of the first of `events`, counted from 1 in the session.'
    }),
    events: Type.Array(MediaEvent, { maxItems: 1000 }),
    notices: Type.Array(MediaNotice, { maxItems: 1000 })
  },
  { $id: 'PushedMediaEvents' }
)
export type PushedEvents = Static<typeof PushedEvents>
