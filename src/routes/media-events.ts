// The route for media services (openapi/media-service.yaml), protected by MEDIA_SERVICE_SECRET (operators.ts).
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { Strict } from '../schemas/common.js'
import { PushedEvents } from '../schemas/media-service.js'
import type { Context } from '../services/context.js'
import { takePushedEvents } from '../services/sfu/pushed-events.js'

const ServiceParams = Type.Object({ service: Type.String({ minLength: 1, maxLength: 255 }) }, { ...Strict })

export const mediaEventRoutes: FastifyPluginAsyncTypebox<{ context: Context }> = async (app, { context }) => {
  app.route({
    method: 'POST',
    url: '/media/:service/events',
    schema: { hide: true, params: ServiceParams, body: PushedEvents },
    async handler(request, reply) {
      await takePushedEvents(context, { ...request.body, ...request.params })
      return reply.code(204).send()
    }
  })
}
