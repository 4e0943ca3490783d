// Transports between a participant and the media service, in the vocabulary of mediasoup.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { RoomId, Strict, TransportId } from '../schemas/common.js'
import { IdempotencyHeaders } from '../schemas/idempotency.js'
import { BODY_PROBLEMS, problems } from '../schemas/problem.js'
import { MediaStatsReply, SfuCapabilitiesReply } from '../schemas/sfu.js'
import {
  ConnectTransportRequest,
  CreateTransportRequest,
  MediaTransportReply,
  RestartIceReply
} from '../schemas/sfu-transport.js'
import type { Context } from '../services/context.js'
import { getMediaStats } from '../services/sfu/stats.js'
import {
  closeTransport,
  connectTransport,
  createTransport,
  getRouterCapabilities,
  restartIce
} from '../services/sfu/transports.js'
import { RoomParams } from './rooms.js'

/** Of every operation beneath /sfu that asks the media service. */
export const MEDIA_PROBLEMS = [
  'invalid_request',
  ...(['room_not_found', 'room_closed', 'not_in_room', 'not_permitted', 'banned', 'room_service_unavailable'] as const),
  ...(['rate_limited', 'not_sfu', 'no_media_service', 'media_unavailable'] as const)
] as const

const TransportParams = Type.Object({ roomId: RoomId(), transportId: TransportId() }, { ...Strict })
const ANY_GRANT = 'Requires a participant with a grant `publish` or `subscribe`, for any source.'

const GET_ROUTER_CAPABILITIES = {
  config: { limit: 'reads' },
  schema: {
    operationId: 'getRouterCapabilities',
    tags: ['media'],
    summary: 'Get the capabilities of the media session',
    description:
      'For `Device.load({ routerRtpCapabilities })` of mediasoup-client. The first request in a room opens its session. After `sfu.reset` or ' +
      `\`sfu.available\` begin here again. ${ANY_GRANT}`,
    params: RoomParams,
    response: { 200: SfuCapabilitiesReply, ...problems(...MEDIA_PROBLEMS) }
  }
} as const

const CREATE_TRANSPORT = {
  config: { limit: 'signals', optionalBody: true },
  schema: {
    operationId: 'createTransport',
    tags: ['media'],
    summary: 'Create a transport',
    description:
      'Pass `transport` to `device.createSendTransport` or `device.createRecvTransport` of mediasoup-client; a transport may do both. With ' +
      'the same `transportId` or `Idempotency-Key` the reply has the same transport, and with other options it fails with `media_conflict`. ' +
      ANY_GRANT,
    params: RoomParams,
    headers: IdempotencyHeaders,
    body: CreateTransportRequest,
    response: {
      201: MediaTransportReply,
      ...problems(...MEDIA_PROBLEMS, ...BODY_PROBLEMS, 'media_conflict', 'invalid_media_parameters', 'too_many_media')
    }
  }
} as const

const CONNECT_TRANSPORT = {
  config: { limit: 'signals' },
  schema: {
    operationId: 'connectTransport',
    tags: ['media'],
    summary: 'Connect a transport',
    description:
      'For the event `connect` of a mediasoup-client transport. Repeating it with the same fingerprints changes nothing; with others it fails ' +
      `with \`media_conflict\`. ${ANY_GRANT}`,
    params: TransportParams,
    body: ConnectTransportRequest,
    response: {
      204: Type.Null({ description: 'The media service has the parameters.' }),
      ...problems(...MEDIA_PROBLEMS, ...BODY_PROBLEMS, 'media_not_found', 'media_conflict', 'invalid_media_parameters')
    }
  }
} as const

const RESTART_ICE = {
  config: { limit: 'signals' },
  schema: {
    operationId: 'restartIce',
    tags: ['media'],
    summary: 'Restart ICE',
    description: `For \`transport.restartIce({ iceParameters })\`, when the network has changed. ${ANY_GRANT}`,
    params: TransportParams,
    response: { 200: RestartIceReply, ...problems(...MEDIA_PROBLEMS, ...BODY_PROBLEMS, 'media_not_found') }
  }
} as const

const CLOSE_TRANSPORT = {
  config: { limit: 'signals' },
  schema: {
    operationId: 'closeTransport',
    tags: ['media'],
    summary: 'Close a transport',
    description:
      'Closes all that it carries. The others receive `sfu.producer_closed` for each producer. A transport that does not exist is closed already.',
    params: TransportParams,
    response: {
      204: Type.Null({ description: 'The transport does not exist any more.' }),
      ...problems(...MEDIA_PROBLEMS, ...BODY_PROBLEMS)
    }
  }
} as const

const GET_TRANSPORT_STATS = {
  config: { limit: 'reads' },
  schema: {
    operationId: 'getTransportStats',
    tags: ['media'],
    summary: 'Get statistics of a transport',
    description: 'Returns what `getStats()` of mediasoup returns. For your own transports.',
    params: TransportParams,
    response: { 200: MediaStatsReply, ...problems(...MEDIA_PROBLEMS, 'media_not_found') }
  }
} as const

export const sfuTransportRoutes: FastifyPluginAsyncTypebox<{ context: Context }> = async (app, { context }) => {
  app.get('/rooms/:roomId/sfu/capabilities', GET_ROUTER_CAPABILITIES, ({ actor, params }) =>
    getRouterCapabilities(context, actor, params)
  )

  app.post('/rooms/:roomId/sfu/transports', CREATE_TRANSPORT, async ({ actor, params, body, headers }, reply) => {
    const idempotencyKey = headers['idempotency-key']
    const transport = await createTransport(context, actor, { ...body, ...params, idempotencyKey })
    return reply.code(201).send({ transport })
  })

  app.post(
    '/rooms/:roomId/sfu/transports/:transportId/connect',
    CONNECT_TRANSPORT,
    async ({ actor, params, body }, reply) => {
      await connectTransport(context, actor, { ...body, ...params })
      return reply.code(204).send(null)
    }
  )

  app.post('/rooms/:roomId/sfu/transports/:transportId/restart-ice', RESTART_ICE, ({ actor, params }) =>
    restartIce(context, actor, params)
  )

  app.delete('/rooms/:roomId/sfu/transports/:transportId', CLOSE_TRANSPORT, async ({ actor, params }, reply) => {
    await closeTransport(context, actor, params)
    return reply.code(204).send(null)
  })

  app.get(
    '/rooms/:roomId/sfu/transports/:transportId/stats',
    GET_TRANSPORT_STATS,
    ({ actor, params: { roomId, transportId } }) =>
      getMediaStats(context, actor, { roomId, kind: 'transports', id: transportId })
  )
}
