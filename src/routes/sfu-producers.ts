// What participants send to the media service.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { ParticipantId, ProducerId, RoomId, Strict } from '../schemas/common.js'
import { IdempotencyHeaders } from '../schemas/idempotency.js'
import { BODY_PROBLEMS, problems } from '../schemas/problem.js'
import {
  CreateProducerRequest,
  MediaStatsReply,
  PauseProducerRequest,
  ProducerReply,
  ProducersReply,
  UpdateProducerRequest
} from '../schemas/sfu.js'
import type { Context } from '../services/context.js'
import { closeProducer, createProducer, listProducers, updateProducer } from '../services/sfu/producers.js'
import { getMediaStats } from '../services/sfu/stats.js'
import { RoomParams } from './rooms.js'
import { MEDIA_PROBLEMS } from './sfu-transports.js'

const ProducerParams = Type.Object({ roomId: RoomId(), producerId: ProducerId() }, { ...Strict })
const OthersProducerParams = Type.Object(
  { roomId: RoomId(), participantId: ParticipantId(), producerId: ProducerId() },
  { ...Strict }
)
const WRITING = [...MEDIA_PROBLEMS, ...BODY_PROBLEMS] as const

const CREATE_PRODUCER = {
  config: { limit: 'signals' },
  schema: {
    operationId: 'createProducer',
    tags: ['media'],
    summary: 'Send a track',
    description:
      'For the event `produce` of a mediasoup-client transport. All other participants receive `sfu.producer_added`. Returns 201 with the ' +
      'producer. A retry with the same `producerId` or `Idempotency-Key` returns 200 with the same producer, and with other parameters it ' +
      'fails with `media_conflict`.\n\n' +
      'Requires a participant with the grant `publish`, or with `publish:audio`, `publish:video` or `publish:screen` for this source. A ' +
      'participant has at most 16 producers. They are closed when it leaves.',
    params: RoomParams,
    headers: IdempotencyHeaders,
    body: CreateProducerRequest,
    response: {
      201: ProducerReply,
      200: ProducerReply,
      ...problems(...WRITING, 'media_not_found', 'media_conflict', 'invalid_media_parameters', 'too_many_media')
    }
  }
} as const

const LIST_PRODUCERS = {
  config: { limit: 'reads' },
  schema: {
    operationId: 'listProducers',
    tags: ['media'],
    summary: 'List what is sent',
    description:
      'Returns the producers and data producers of all participants. Also while no media service is up. Requires a participant.',
    params: RoomParams,
    response: {
      200: ProducersReply,
      ...problems(
        ...(['invalid_request', 'room_not_found', 'room_closed', 'not_in_room', 'not_permitted', 'banned'] as const),
        ...(['room_service_unavailable', 'rate_limited', 'not_sfu'] as const)
      )
    }
  }
} as const

const UPDATE_PRODUCER = {
  config: { limit: 'signals' },
  schema: {
    operationId: 'updateProducer',
    tags: ['media'],
    summary: 'Pause or resume what you send',
    description:
      'The others receive `sfu.producer_paused` or `sfu.producer_resumed`. Resuming requires the same grant as `createProducer`.',
    params: ProducerParams,
    body: UpdateProducerRequest,
    response: { 200: ProducerReply, ...problems(...WRITING, 'media_not_found', 'invalid_media_parameters') }
  }
} as const

const CLOSE_PRODUCER = {
  config: { limit: 'signals' },
  schema: {
    operationId: 'closeProducer',
    tags: ['media'],
    summary: 'Stop sending a track',
    description: 'The others receive `sfu.producer_closed`. A producer that does not exist is closed already.',
    params: ProducerParams,
    response: { 204: Type.Null({ description: 'The producer does not exist any more.' }), ...problems(...WRITING) }
  }
} as const

const PAUSE_PARTICIPANT_PRODUCER = {
  config: { limit: 'signals' },
  schema: {
    operationId: 'pauseParticipantProducer',
    tags: ['media'],
    summary: 'Mute a participant',
    description:
      'Pauses what another participant sends; all others receive `sfu.producer_paused`. Only the participant itself can resume it. Requires ' +
      'a participant with the grant `moderate`.',
    params: OthersProducerParams,
    body: PauseProducerRequest,
    response: {
      200: ProducerReply,
      ...problems(...WRITING, 'participant_not_found', 'media_not_found', 'invalid_media_parameters')
    }
  }
} as const

const CLOSE_PARTICIPANT_PRODUCER = {
  config: { limit: 'signals' },
  schema: {
    operationId: 'closeParticipantProducer',
    tags: ['media'],
    summary: 'Close what a participant sends',
    description:
      'All others receive `sfu.producer_closed`. The participant may send it anew, unless you also change its role. Requires a participant ' +
      'with the grant `moderate`.',
    params: OthersProducerParams,
    response: {
      204: Type.Null({ description: 'The producer does not exist any more.' }),
      ...problems(...WRITING, 'participant_not_found')
    }
  }
} as const

const GET_PRODUCER_STATS = {
  config: { limit: 'reads' },
  schema: {
    operationId: 'getProducerStats',
    tags: ['media'],
    summary: 'Get statistics of a producer',
    description: 'Returns what `getStats()` of mediasoup returns. For your own producers.',
    params: ProducerParams,
    response: { 200: MediaStatsReply, ...problems(...MEDIA_PROBLEMS, 'media_not_found') }
  }
} as const

const PRODUCERS = '/rooms/:roomId/sfu/producers'
const OF_PARTICIPANT = '/rooms/:roomId/sfu/participants/:participantId/producers/:producerId'

export const sfuProducerRoutes: FastifyPluginAsyncTypebox<{ context: Context }> = async (app, { context }) => {
  app.post(PRODUCERS, CREATE_PRODUCER, async ({ actor, params, body, headers }, reply) => {
    const idempotencyKey = headers['idempotency-key']
    const { created, isNew } = await createProducer(context, actor, { ...body, ...params, idempotencyKey })
    return reply.code(isNew ? 201 : 200).send({ producer: created })
  })

  app.get(PRODUCERS, LIST_PRODUCERS, ({ actor, params }) => listProducers(context, actor, params))

  app.patch(`${PRODUCERS}/:producerId`, UPDATE_PRODUCER, async ({ actor, params, body }) => ({
    producer: await updateProducer(context, actor, { ...body, ...params })
  }))

  app.delete(`${PRODUCERS}/:producerId`, CLOSE_PRODUCER, async ({ actor, params }, reply) => {
    await closeProducer(context, actor, params)
    return reply.code(204).send(null)
  })

  app.get(`${PRODUCERS}/:producerId/stats`, GET_PRODUCER_STATS, ({ actor, params: { roomId, producerId } }) =>
    getMediaStats(context, actor, { roomId, kind: 'producers', id: producerId })
  )

  app.patch(OF_PARTICIPANT, PAUSE_PARTICIPANT_PRODUCER, async ({ actor, params, body }) => ({
    producer: await updateProducer(context, actor, { ...body, ...params })
  }))

  app.delete(OF_PARTICIPANT, CLOSE_PARTICIPANT_PRODUCER, async ({ actor, params }, reply) => {
    await closeProducer(context, actor, params)
    return reply.code(204).send(null)
  })
}
