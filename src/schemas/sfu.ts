// The SFU of a room: what participants send and receive through a media service, and the bodies of its operations.
import { type Static, Type } from 'typebox'
import {
  ConsumerId,
  DataConsumerId,
  DataProducerId,
  DeviceId,
  Nullable,
  ParticipantId,
  ProducerId,
  SfuSessionId,
  Strict,
  TransportId,
  UserId
} from './common.js'
import {
  ConsumerLayers,
  MediaKind,
  RtpCapabilities,
  RtpParameters,
  RtpStreamType,
  SctpStreamParameters
} from './sfu-rtp.js'

/** What a producer shows. A grant may name one: `publish:screen`. */
export const SOURCES = ['audio', 'video', 'screen'] as const

/** Producers, and data producers, that a participant may have. */
export const PRODUCERS_MAX = 16

export const ProducerSource = Type.Enum([...SOURCES], {
  $id: 'ProducerSource',
  description:
    'What it shows: a microphone, a camera or a screen. Sound of a screen has `kind` `audio` and `source` `screen`.'
})
export type ProducerSource = Static<typeof ProducerSource>

/** In bytes, as JSON. All participants of a room receive it, up to 16 times for each participant. */
export const APP_DATA_MAX_BYTES = 1024

export const AppData = Type.Record(Type.String({ maxLength: 128 }), Type.Unknown(), {
  $id: 'AppData',
  description: 'Data of your application, passed on unchanged. At most 1 KiB as JSON, nested at most 16 levels deep.',
  maxProperties: 64
})

export const Producer = Type.Object(
  {
    producerId: ProducerId(),
    participantId: ParticipantId('The participant that sends it.'),
    user: UserId(),
    device: DeviceId(),
    kind: MediaKind,
    source: ProducerSource,
    type: RtpStreamType,
    paused: Type.Boolean({ description: 'Whether nothing is sent at the moment: muted.' }),
    appData: AppData
  },
  {
    $id: 'Producer',
    description: 'A track that a participant sends. Named by `participantId` and `producerId`.',
    ...Strict
  }
)
export type Producer = Static<typeof Producer>

const Label = Type.String({ maxLength: 255, pattern: '^[^\\u0000]*$', description: 'Label of the data channel.' })
const Protocol = Type.String({ maxLength: 255, pattern: '^[^\\u0000]*$', description: 'Protocol of the data channel.' })

export const DataProducer = Type.Object(
  {
    dataProducerId: DataProducerId(),
    participantId: ParticipantId('The participant that sends it.'),
    user: UserId(),
    device: DeviceId(),
    label: Label,
    protocol: Protocol,
    appData: AppData
  },
  { $id: 'DataProducer', description: 'A data channel to which a participant sends.', ...Strict }
)
export type DataProducer = Static<typeof DataProducer>

export const RoomSfu = Type.Object(
  {
    sessionId: Nullable(SfuSessionId(), 'Null: none is open yet. The first request beneath `/sfu` opens it.'),
    available: Type.Boolean({ description: 'False: no media service is up. `sfu.available` follows when one is.' })
  },
  { $id: 'RoomSfu', description: 'The media session of a room in mode `sfu`.', ...Strict }
)
export type RoomSfu = Static<typeof RoomSfu>

/** What a device needs to know of the media of a room that it joins. */
export const ROOM_MEDIA = {
  sfu: Nullable(RoomSfu, 'Null: media does not flow through a media service (mode `p2p`).'),
  producers: Type.Array(Producer, { description: 'What the participants send through the media service.' }),
  dataProducers: Type.Array(DataProducer, { description: 'The data channels to which participants send.' })
}

export const SfuCapabilitiesReply = Type.Object(
  { sessionId: SfuSessionId(), routerRtpCapabilities: RtpCapabilities },
  { $id: 'SfuCapabilitiesReply', description: 'For `Device.load` of mediasoup-client.', ...Strict }
)
export type SfuCapabilitiesReply = Static<typeof SfuCapabilitiesReply>

export const CreateProducerRequest = Type.Object(
  {
    producerId: Type.Optional(ProducerId('An id of your own. A retry with the same id returns the same producer.')),
    transportId: TransportId(),
    kind: MediaKind,
    rtpParameters: RtpParameters,
    source: Type.Optional(ProducerSource),
    paused: Type.Optional(Type.Boolean({ default: false, description: 'Begin paused.' })),
    appData: Type.Optional(AppData)
  },
  { $id: 'CreateProducerRequest', ...Strict }
)
export type CreateProducerRequest = Static<typeof CreateProducerRequest>
export const ProducerReply = Type.Object({ producer: Producer }, { $id: 'ProducerReply', ...Strict })
export type ProducerReply = Static<typeof ProducerReply>

export const ProducersReply = Type.Object(
  { sessionId: RoomSfu.properties.sessionId, producers: ROOM_MEDIA.producers, dataProducers: ROOM_MEDIA.dataProducers },
  { $id: 'ProducersReply', ...Strict }
)
export type ProducersReply = Static<typeof ProducersReply>

export const UpdateProducerRequest = Type.Object(
  { paused: Producer.properties.paused },
  { $id: 'UpdateProducerRequest', ...Strict }
)
export type UpdateProducerRequest = Static<typeof UpdateProducerRequest>

export const PauseProducerRequest = Type.Object(
  { paused: Type.Literal(true, { description: 'Only the participant itself resumes.' }) },
  { $id: 'PauseProducerRequest', ...Strict }
)

export const CreateConsumerRequest = Type.Object(
  {
    consumerId: Type.Optional(ConsumerId('An id of your own. A retry with the same id returns the same consumer.')),
    participantId: ParticipantId('The participant whose producer it is.'),
    producerId: ProducerId(),
    transportId: TransportId('Your transport that receives it.'),
    rtpCapabilities: RtpCapabilities,
    preferredLayers: Type.Optional(ConsumerLayers)
  },
  { $id: 'CreateConsumerRequest', ...Strict }
)
export type CreateConsumerRequest = Static<typeof CreateConsumerRequest>

export const Consumer = Type.Object(
  {
    id: ConsumerId(),
    participantId: ParticipantId('The participant whose producer it is.'),
    producerId: ProducerId(),
    kind: MediaKind,
    rtpParameters: RtpParameters,
    type: RtpStreamType,
    paused: Type.Boolean({ description: 'Whether you have paused it. A new consumer is paused: resume it.' }),
    producerPaused: Type.Boolean({ description: 'Whether the producer is paused.' })
  },
  { $id: 'Consumer', description: 'Pass it to `consume` of a mediasoup-client transport as it is.', ...Strict }
)
export type Consumer = Static<typeof Consumer>
export const ConsumerReply = Type.Object({ consumer: Consumer }, { $id: 'ConsumerReply', ...Strict })
export type ConsumerReply = Static<typeof ConsumerReply>

const Priority = Type.Integer({
  minimum: 1,
  maximum: 255,
  description: 'Which consumers get bandwidth first when there is too little: those with a higher number.'
})
export const UpdateConsumerRequest = Type.Object(
  {
    paused: Type.Optional(Type.Boolean({ description: 'Pause or resume.' })),
    preferredLayers: Type.Optional(ConsumerLayers),
    priority: Type.Optional(Priority)
  },
  { $id: 'UpdateConsumerRequest', minProperties: 1, ...Strict }
)
export type UpdateConsumerRequest = Static<typeof UpdateConsumerRequest>
export const ConsumerState = Type.Object(
  {
    paused: Consumer.properties.paused,
    preferredLayers: Nullable(ConsumerLayers, 'Null: none is preferred, or it has no layers.'),
    priority: Priority
  },
  { $id: 'ConsumerState', description: 'What can be changed of a consumer.', ...Strict }
)
export type ConsumerState = Static<typeof ConsumerState>

export const CreateDataProducerRequest = Type.Object(
  {
    dataProducerId: Type.Optional(
      DataProducerId('An id of your own. A retry with the same id returns the same data producer.')
    ),
    transportId: TransportId(),
    sctpStreamParameters: SctpStreamParameters,
    label: Type.Optional(Label),
    protocol: Type.Optional(Protocol),
    appData: Type.Optional(AppData)
  },
  { $id: 'CreateDataProducerRequest', ...Strict }
)
export type CreateDataProducerRequest = Static<typeof CreateDataProducerRequest>
export const DataProducerReply = Type.Object({ dataProducer: DataProducer }, { $id: 'DataProducerReply', ...Strict })
export type DataProducerReply = Static<typeof DataProducerReply>

export const CreateDataConsumerRequest = Type.Object(
  {
    dataConsumerId: Type.Optional(
      DataConsumerId('An id of your own. A retry with the same id returns the same data consumer.')
    ),
    participantId: ParticipantId('The participant whose data producer it is.'),
    dataProducerId: DataProducerId(),
    transportId: TransportId('Your transport that receives it.')
  },
  { $id: 'CreateDataConsumerRequest', ...Strict }
)
export type CreateDataConsumerRequest = Static<typeof CreateDataConsumerRequest>
export const DataConsumer = Type.Object(
  {
    id: DataConsumerId(),
    participantId: ParticipantId('The participant whose data producer it is.'),
    dataProducerId: DataProducerId(),
    sctpStreamParameters: SctpStreamParameters,
    label: Label,
    protocol: Protocol
  },
  { $id: 'DataConsumer', description: 'Pass it to `consumeData` of a mediasoup-client transport as it is.', ...Strict }
)
export type DataConsumer = Static<typeof DataConsumer>
export const DataConsumerReply = Type.Object({ dataConsumer: DataConsumer }, { $id: 'DataConsumerReply', ...Strict })
export type DataConsumerReply = Static<typeof DataConsumerReply>

export const MediaStatsReply = Type.Object(
  {
    stats: Type.Array(
      Type.Record(Type.String(), Type.Unknown(), {
        $id: 'MediaStats',
        description: 'An entry of `getStats()` of mediasoup.'
      })
    )
  },
  { $id: 'MediaStatsReply', ...Strict }
)
export type MediaStatsReply = Static<typeof MediaStatsReply>
