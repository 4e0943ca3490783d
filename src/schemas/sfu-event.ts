// Every event about the media of a room in mode `sfu`.
import { type TProperties, Type } from 'typebox'
import {
  ConsumerId,
  DataConsumerId,
  DataProducerId,
  Nullable,
  ParticipantId,
  ProducerId,
  RoomId,
  SfuSessionId,
  Strict,
  Timestamp,
  TransportId
} from './common.js'
import { ActingDevice } from './room.js'
import { DataProducer, Producer } from './sfu.js'
import { ConsumerLayers } from './sfu-rtp.js'
import { dataNameOf, Event, eventNameOf } from './stream.js'

const Version = Type.Integer({ minimum: 1, description: 'The version of the room after this event.' })

function event<const T extends string, P extends TProperties>(type: T, description: string, data: P) {
  const inRoom = Type.Object({ roomId: RoomId(), ...data, version: Version }, { $id: dataNameOf(type), ...Strict })
  return Event(type, description, inRoom)
}

/** It has no version and no id, and is sent on open streams and in the `notices` of a waiting poll. */
function notice<const T extends string, P extends TProperties>(type: T, description: string, data: P) {
  return Type.Object(
    {
      type: Type.Literal(type),
      timestamp: Timestamp('When it happened.'),
      data: Type.Object({ roomId: RoomId(), ...data }, { $id: dataNameOf(type), ...Strict })
    },
    { $id: eventNameOf(type), description: `${description} Not stored: it has no id and is sent once.`, ...Strict }
  )
}

const by = Nullable(ActingDevice, 'Who did it. Null: the media service.')
const ofProducer = { participantId: ParticipantId('The participant whose producer it is.'), producerId: ProducerId() }
/** It goes to the device that has the consumer. */
const ofConsumer = { participantId: ParticipantId('Your participation.'), consumerId: ConsumerId('Your consumer.') }

export const SFU_EVENTS = [
  event('sfu.producer_added', 'A participant sends another track. Consume it if you want it.', { producer: Producer }),
  event('sfu.producer_paused', 'A producer was paused: muted.', { ...ofProducer, by }),
  event('sfu.producer_resumed', 'A producer was resumed.', { ...ofProducer, by }),
  event('sfu.producer_closed', 'A producer was closed, and with it all of its consumers.', { ...ofProducer, by }),
  event('sfu.data_producer_added', 'A participant sends to another data channel.', { dataProducer: DataProducer }),
  event('sfu.data_producer_closed', 'A data producer was closed, and with it all of its data consumers.', {
    participantId: ParticipantId('The participant whose data producer it is.'),
    dataProducerId: DataProducerId(),
    by
  }),
  event('sfu.consumer_closed', 'The media service closed your consumer.', ofConsumer),
  event('sfu.consumer_paused', 'The media service paused your consumer.', ofConsumer),
  event('sfu.consumer_resumed', 'The media service resumed your consumer.', ofConsumer),
  event('sfu.consumer_layers_changed', 'Your consumer receives other layers.', {
    ...ofConsumer,
    layers: Nullable(ConsumerLayers, 'Null: it receives nothing at the moment.')
  }),
  event('sfu.data_consumer_closed', 'The media service closed your data consumer.', {
    participantId: ofConsumer.participantId,
    dataConsumerId: DataConsumerId('Your data consumer.')
  }),
  event('sfu.transport_closed', 'The media service closed your transport, and with it all that used it.', {
    participantId: ofConsumer.participantId,
    transportId: TransportId('Your transport.'),
    reason: Type.Enum(['ice_failed', 'dtls_failed', 'closed'], {
      $id: 'TransportCloseReason',
      description:
        '`ice_failed`: no connectivity for too long. `dtls_failed`: the handshake failed. `closed`: otherwise.'
    })
  }),
  event(
    'sfu.reset',
    'The media session is lost, with all transports, producers and consumers. Build them anew in the new session.',
    {
      sessionId: SfuSessionId('The new session.'),
      reason: Type.Enum(['worker_died', 'service_lost'], {
        $id: 'SfuResetReason',
        description: '`worker_died`: a process of the media service failed. `service_lost`: the media service did.'
      })
    }
  ),
  event('sfu.unavailable', 'The media session is lost and no media service is up.', {
    detail: Type.String({ description: 'For users.', examples: ['Media server unavailable'] })
  }),
  event('sfu.available', 'A media service is up again. Build transports, producers and consumers in the new session.', {
    sessionId: SfuSessionId('The new session.')
  }),
  notice('sfu.active_speaker', 'Another participant speaks.', {
    participantId: Nullable(ParticipantId(), 'The participant that speaks. Null: none does.')
  }),
  notice('sfu.score', 'The quality of your producer or consumer changed.', {
    participantId: ParticipantId('Your participation.'),
    producerId: Type.Optional(ProducerId('Your producer.')),
    consumerId: Type.Optional(ConsumerId('Your consumer.')),
    score: Type.Integer({ minimum: 0, maximum: 10, description: '0: nothing arrives. 10: nothing is lost.' })
  })
] as const
