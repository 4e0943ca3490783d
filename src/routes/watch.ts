// Watching presences.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { WatchBody, WatchReply } from '../schemas/presence.js'
import { problems } from '../schemas/problem.js'
import type { Context } from '../services/context.js'
import { deleteWatch, getWatch, putWatch } from '../services/watch.js'

export const watchRoutes: FastifyPluginAsyncTypebox<{ context: Context }> = async (app, { context }) => {
  app.route({
    method: 'PUT',
    url: '/presence/watch',
    config: { limit: 'signals' },
    schema: {
      operationId: 'putWatch',
      tags: ['presence'],
      summary: 'Watch the presence of these users, and of no others, on this device',
      description:
        'Replaces the list of this device; other devices of yours have their own. It lasts as long as the device’s mailbox. ' +
        'Each change comes as `presence.changed`; who goes away or is busy, only once that has lasted a moment.',
      body: WatchBody,
      response: {
        200: WatchReply,
        ...problems(
          'invalid_request',
          'malformed_json',
          'too_large',
          'too_many_devices',
          'too_many_watchers',
          'rate_limited'
        )
      }
    },
    handler: async request => ({ watching: await putWatch(context, request.actor, request.body) })
  })

  app.route({
    method: 'GET',
    url: '/presence/watch',
    config: { limit: 'reads' },
    schema: {
      operationId: 'getWatch',
      tags: ['presence'],
      summary: 'Whom this device watches',
      response: { 200: WatchReply, ...problems('rate_limited') }
    },
    handler: async request => ({ watching: await getWatch(context, request.actor) })
  })

  app.route({
    method: 'DELETE',
    url: '/presence/watch',
    config: { limit: false },
    schema: {
      operationId: 'deleteWatch',
      tags: ['presence'],
      summary: 'Watch no user any more',
      response: { 204: Type.Null({ description: 'This device watches no user' }), ...problems('rate_limited') }
    },
    async handler(request, reply) {
      await deleteWatch(context, request.actor)
      return reply.code(204).send(null)
    }
  })
}
