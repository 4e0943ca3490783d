// STUN and TURN servers.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { IceServersQuery, IceServersReply } from '../schemas/ice.js'
import { problems } from '../schemas/problem.js'
import type { Context } from '../services/context.js'
import { listIceServers } from '../services/ice-servers.js'

export const iceServerRoutes: FastifyPluginAsyncTypebox<{ context: Context }> = async (app, { context }) => {
  app.get(
    '/ice-servers',
    {
      config: { limit: 'reads' },
      schema: {
        operationId: 'listIceServers',
        tags: ['ice'],
        summary: 'List ICE servers',
        description:
          'Returns STUN and TURN servers with TURN credentials made for you. The reply fits `new RTCPeerConnection(reply)`. Fetch it before each ' +
          'call: the credentials expire after `expiresInMs`. The list is empty if the operator has set no `STUN_URLS` and no `TURN_URLS`.',
        querystring: IceServersQuery,
        response: { 200: IceServersReply, ...problems('invalid_request', 'rate_limited') }
      }
    },
    async ({ actor, query }) => listIceServers(context, actor, query.region)
  )
}
