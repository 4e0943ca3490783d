// Data channels through the media service.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { DataConsumerId, DataProducerId, RoomId, Strict } from '../schemas/common.js'
import { IdempotencyHeaders } from '../schemas/idempotency.js'
import { BODY_PROBLEMS, problems } from '../schemas/problem.js'
import {
  CreateDataConsumerRequest,
  CreateDataProducerRequest,
  DataConsumerReply,
  DataProducerReply,
  MediaStatsReply
} from '../schemas/sfu.js'
import type { Context } from '../services/context.js'
import { closeDataConsumer, closeDataProducer, createDataConsumer, createDataProducer } from '../services/sfu/data.js'
import { getMediaStats } from '../services/sfu/stats.js'
import { RoomParams } from './rooms.js'
import { MEDIA_PROBLEMS } from './sfu-transports.js'

const DataProducerParams = Type.Object({ roomId: RoomId(), dataProducerId: DataProducerId() }, { ...Strict })
const DataConsumerParams = Type.Object({ roomId: RoomId(), dataConsumerId: DataConsumerId() }, { ...Strict })
const WRITING = [...MEDIA_PROBLEMS, ...BODY_PROBLEMS] as const

const CREATE_DATA_PRODUCER = {
  config: { limit: 'signals' },
  schema: {
    operationId: 'createDataProducer',
    tags: ['media'],
    summary: 'Send to a data channel',
    description:
      'For the event `producedata` of a mediasoup-client transport, which was created with `enableSctp`. All other participants receive ' +
      '`sfu.data_producer_added`. Returns 201; a retry with the same `dataProducerId` or `Idempotency-Key` returns 200 with the same data ' +
      'producer. Requires a participant with the grant `publish`. A participant has at most 16 of them.',
    params: RoomParams,
    headers: IdempotencyHeaders,
    body: CreateDataProducerRequest,
    response: {
      201: DataProducerReply,
      200: DataProducerReply,
      ...problems(...WRITING, 'media_not_found', 'media_conflict', 'invalid_media_parameters', 'too_many_media')
    }
  }
} as const

const CLOSE_DATA_PRODUCER = {
  config: { limit: 'signals' },
  schema: {
    operationId: 'closeDataProducer',
    tags: ['media'],
    summary: 'Stop sending to a data channel',
    description:
      'The others receive `sfu.data_producer_closed`. A data producer that does not exist is closed already.',
    params: DataProducerParams,
    response: { 204: Type.Null({ description: 'The data producer does not exist any more.' }), ...problems(...WRITING) }
  }
} as const

const GET_DATA_PRODUCER_STATS = {
  config: { limit: 'reads' },
  schema: {
    operationId: 'getDataProducerStats',
    tags: ['media'],
    summary: 'Get statistics of a data producer',
    description: 'Returns what `getStats()` of mediasoup returns. For your own data producers.',
    params: DataProducerParams,
    response: { 200: MediaStatsReply, ...problems(...MEDIA_PROBLEMS, 'media_not_found') }
  }
} as const

const CREATE_DATA_CONSUMER = {
  config: { limit: 'signals' },
  schema: {
    operationId: 'createDataConsumer',
    tags: ['media'],
    summary: 'Receive a data channel',
    description:
      'Pass `dataConsumer` to `transport.consumeData` of mediasoup-client. With the same `dataConsumerId` or `Idempotency-Key` the reply has ' +
      'the same data consumer. Requires a participant with the grant `subscribe`.',
    params: RoomParams,
    headers: IdempotencyHeaders,
    body: CreateDataConsumerRequest,
    response: {
      201: DataConsumerReply,
      ...problems(
        ...WRITING,
        ...(['participant_not_found', 'media_not_found', 'media_conflict', 'invalid_media_parameters'] as const),
        'too_many_media'
      )
    }
  }
} as const

const CLOSE_DATA_CONSUMER = {
  config: { limit: 'signals' },
  schema: {
    operationId: 'closeDataConsumer',
    tags: ['media'],
    summary: 'Stop receiving a data channel',
    description: 'A data consumer that does not exist is closed already.',
    params: DataConsumerParams,
    response: { 204: Type.Null({ description: 'The data consumer does not exist any more.' }), ...problems(...WRITING) }
  }
} as const

const GET_DATA_CONSUMER_STATS = {
  config: { limit: 'reads' },
  schema: {
    operationId: 'getDataConsumerStats',
    tags: ['media'],
    summary: 'Get statistics of a data consumer',
    description: 'Returns what `getStats()` of mediasoup returns. For your own data consumers.',
    params: DataConsumerParams,
    response: { 200: MediaStatsReply, ...problems(...MEDIA_PROBLEMS, 'media_not_found') }
  }
} as const

const DATA_PRODUCERS = '/rooms/:roomId/sfu/data-producers'
const DATA_CONSUMERS = '/rooms/:roomId/sfu/data-consumers'

export const sfuDataRoutes: FastifyPluginAsyncTypebox<{ context: Context }> = async (app, { context }) => {
  app.post(DATA_PRODUCERS, CREATE_DATA_PRODUCER, async ({ actor, params, body, headers }, reply) => {
    const idempotencyKey = headers['idempotency-key']
    const { created, isNew } = await createDataProducer(context, actor, { ...body, ...params, idempotencyKey })
    return reply.code(isNew ? 201 : 200).send({ dataProducer: created })
  })

  app.delete(`${DATA_PRODUCERS}/:dataProducerId`, CLOSE_DATA_PRODUCER, async ({ actor, params }, reply) => {
    await closeDataProducer(context, actor, params)
    return reply.code(204).send(null)
  })

  app.get(
    `${DATA_PRODUCERS}/:dataProducerId/stats`,
    GET_DATA_PRODUCER_STATS,
    ({ actor, params: { roomId, dataProducerId } }) =>
      getMediaStats(context, actor, { roomId, kind: 'data-producers', id: dataProducerId })
  )

  app.post(DATA_CONSUMERS, CREATE_DATA_CONSUMER, async ({ actor, params, body, headers }, reply) => {
    const idempotencyKey = headers['idempotency-key']
    const dataConsumer = await createDataConsumer(context, actor, { ...body, ...params, idempotencyKey })
    return reply.code(201).send({ dataConsumer })
  })

  app.delete(`${DATA_CONSUMERS}/:dataConsumerId`, CLOSE_DATA_CONSUMER, async ({ actor, params }, reply) => {
    await closeDataConsumer(context, actor, params)
    return reply.code(204).send(null)
  })

  app.get(
    `${DATA_CONSUMERS}/:dataConsumerId/stats`,
    GET_DATA_CONSUMER_STATS,
    ({ actor, params: { roomId, dataConsumerId } }) =>
      getMediaStats(context, actor, { roomId, kind: 'data-consumers', id: dataConsumerId })
  )
}
