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
        summary: 'STUN and TURN servers, with credentials that expire',
        response: { 200: IceServersReply, ...problems('rate_limited') }
      }
    },
    async request => listIceServers(context, request.actor)
  )
}
