// What a participant receives from the media service.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { ConsumerId, RoomId, Strict } from '../schemas/common.js'
import { IdempotencyHeaders } from '../schemas/idempotency.js'
import { BODY_PROBLEMS, problems } from '../schemas/problem.js'
import {
  ConsumerReply,
  ConsumerState,
  CreateConsumerRequest,
  MediaStatsReply,
  UpdateConsumerRequest
} from '../schemas/sfu.js'
import type { Context } from '../services/context.js'
import { closeConsumer, createConsumer, requestKeyFrame, updateConsumer } from '../services/sfu/consumers.js'
import { getMediaStats } from '../services/sfu/stats.js'
import { RoomParams } from './rooms.js'
import { MEDIA_PROBLEMS } from './sfu-transports.js'

const ConsumerParams = Type.Object({ roomId: RoomId(), consumerId: ConsumerId() }, { ...Strict })
const WRITING = [...MEDIA_PROBLEMS, ...BODY_PROBLEMS] as const

const CREATE_CONSUMER = {
  config: { limit: 'signals' },
  schema: {
    operationId: 'createConsumer',
    tags: ['media'],
    summary: 'Receive a track',
    description:
      'Pass `consumer` to `transport.consume` of mediasoup-client. It is paused until you call `resumeConsumer`, so that no packet arrives ' +
      'before you can receive it. With the same `consumerId` or `Idempotency-Key` the reply has the same consumer, and with other parameters ' +
      'it fails with `media_conflict`.\n\n' +
      'Requires a participant with the grant `subscribe`, or with `subscribe:audio`, `subscribe:video` or `subscribe:screen` for this source.',
    params: RoomParams,
    headers: IdempotencyHeaders,
    body: CreateConsumerRequest,
    response: {
      201: ConsumerReply,
      ...problems(
        ...WRITING,
        ...(['participant_not_found', 'media_not_found', 'media_conflict', 'cannot_consume'] as const),
        ...(['invalid_media_parameters', 'too_many_media'] as const)
      )
    }
  }
} as const

const UPDATE_CONSUMER = {
  config: { limit: 'signals' },
  schema: {
    operationId: 'updateConsumer',
    tags: ['media'],
    summary: 'Change a consumer',
    description:
      'Pauses or resumes it, and sets the preferred layers and the priority. You receive `sfu.consumer_layers_changed` when the layers that ' +
      'arrive change.',
    params: ConsumerParams,
    body: UpdateConsumerRequest,
    response: { 200: ConsumerState, ...problems(...WRITING, 'media_not_found', 'invalid_media_parameters') }
  }
} as const

const RESUME_CONSUMER = {
  config: { limit: 'signals' },
  schema: {
    operationId: 'resumeConsumer',
    tags: ['media'],
    summary: 'Resume a consumer',
    description:
      'The same as `updateConsumer` with `{"paused": false}`. For video the producer is asked for a key frame.',
    params: ConsumerParams,
    response: { 200: ConsumerState, ...problems(...WRITING, 'media_not_found', 'invalid_media_parameters') }
  }
} as const

const REQUEST_KEY_FRAME = {
  config: { limit: 'signals' },
  schema: {
    operationId: 'requestKeyFrame',
    tags: ['media'],
    summary: 'Ask for a key frame',
    description: 'Of the producer of a video consumer, for example after the picture has frozen.',
    params: ConsumerParams,
    response: {
      204: Type.Null({ description: 'The producer is asked.' }),
      ...problems(...WRITING, 'media_not_found')
    }
  }
} as const

const CLOSE_CONSUMER = {
  config: { limit: 'signals' },
  schema: {
    operationId: 'closeConsumer',
    tags: ['media'],
    summary: 'Stop receiving a track',
    description: 'A consumer that does not exist is closed already.',
    params: ConsumerParams,
    response: { 204: Type.Null({ description: 'The consumer does not exist any more.' }), ...problems(...WRITING) }
  }
} as const

const GET_CONSUMER_STATS = {
  config: { limit: 'reads' },
  schema: {
    operationId: 'getConsumerStats',
    tags: ['media'],
    summary: 'Get statistics of a consumer',
    description: 'Returns what `getStats()` of mediasoup returns. For your own consumers.',
    params: ConsumerParams,
    response: { 200: MediaStatsReply, ...problems(...MEDIA_PROBLEMS, 'media_not_found') }
  }
} as const

const CONSUMERS = '/rooms/:roomId/sfu/consumers'

export const sfuConsumerRoutes: FastifyPluginAsyncTypebox<{ context: Context }> = async (app, { context }) => {
  app.post(CONSUMERS, CREATE_CONSUMER, async ({ actor, params, body, headers }, reply) => {
    const idempotencyKey = headers['idempotency-key']
    const consumer = await createConsumer(context, actor, { ...body, ...params, idempotencyKey })
    return reply.code(201).send({ consumer })
  })

  app.patch(`${CONSUMERS}/:consumerId`, UPDATE_CONSUMER, ({ actor, params, body }) =>
    updateConsumer(context, actor, { ...body, ...params })
  )

  app.post(`${CONSUMERS}/:consumerId/resume`, RESUME_CONSUMER, ({ actor, params }) =>
    updateConsumer(context, actor, { paused: false, ...params })
  )

  app.post(`${CONSUMERS}/:consumerId/request-key-frame`, REQUEST_KEY_FRAME, async ({ actor, params }, reply) => {
    await requestKeyFrame(context, actor, params)
    return reply.code(204).send(null)
  })

  app.delete(`${CONSUMERS}/:consumerId`, CLOSE_CONSUMER, async ({ actor, params }, reply) => {
    await closeConsumer(context, actor, params)
    return reply.code(204).send(null)
  })

  app.get(`${CONSUMERS}/:consumerId/stats`, GET_CONSUMER_STATS, ({ actor, params: { roomId, consumerId } }) =>
    getMediaStats(context, actor, { roomId, kind: 'consumers', id: consumerId })
  )
}
