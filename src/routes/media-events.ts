// The route for media services (openapi/media-service.yaml), protected by MEDIA_SERVICE_SECRET (operators.ts).
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { Strict } from '../schemas/common.js'
import { PushedEvents } from '../schemas/media-service.js'
import type { Context } from '../services/context.js'
import { takePushedEvents } from '../services/sfu/pushed-events.js'

/** 1,000 notices with the longest ids, each character of which JSON may escape. */
const BODY_MAX_BYTES = 2 * 1024 * 1024

const ServiceParams = Type.Object({ service: Type.String({ minLength: 1, maxLength: 255 }) }, { ...Strict })

export const mediaEventRoutes: FastifyPluginAsyncTypebox<{ context: Context }> = async (app, { context }) => {
  app.route({
    method: 'POST',
    url: '/media/:service/events',
    bodyLimit: BODY_MAX_BYTES,
    schema: { hide: true, params: ServiceParams, body: PushedEvents },
    async handler(request, reply) {
      await takePushedEvents(context, { ...request.body, ...request.params })
      return reply.code(204).send()
    }
  })
}
