// STUN and TURN servers.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { IceServersReply } from '../schemas/ice.js'
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
          'Returns STUN and TURN servers for `new RTCPeerConnection({ iceServers })`, with TURN credentials made for you. Fetch them before each ' +
          'call: the credentials expire after `expiresInMs`. The list is empty if the operator has set no `STUN_URLS` and no `TURN_URLS`.',
        response: { 200: IceServersReply, ...problems('rate_limited') }
      }
    },
    async request => listIceServers(context, request.actor)
  )
}
