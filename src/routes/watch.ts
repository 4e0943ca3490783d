// Watching the presence of users.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { WatchBody, WatchReply } from '../schemas/presence.js'
import { BODY_PROBLEMS, problems } from '../schemas/problem.js'
import type { Context } from '../services/context.js'
import { deleteWatch, getWatch, putWatch } from '../services/presence/watch-list.js'

const PUT_WATCH = {
  config: { limit: 'signals' },
  schema: {
    operationId: 'putWatch',
    tags: ['presence'],
    summary: 'Watch users',
    description:
      'Sets the list of users whose presence this device watches, and returns their presence. Each change arrives as `presence.changed`; ' +
      '`away` and `busy` only after they have lasted for a moment (`PRESENCE_DEBOUNCE_MS`). The list replaces the previous one of this device and ' +
      'lasts as long as its mailbox.',
    body: WatchBody,
    response: {
      200: WatchReply,
      ...problems(...BODY_PROBLEMS, 'too_many_devices', 'too_many_watchers', 'rate_limited')
    }
  }
} as const

const GET_WATCH = {
  config: { limit: 'reads' },
  schema: {
    operationId: 'getWatch',
    tags: ['presence'],
    summary: 'List watched users',
    description: 'Returns the users this device watches, with their presence as of the last change.',
    response: { 200: WatchReply, ...problems('rate_limited') }
  }
} as const

const DELETE_WATCH = {
  config: { limit: false },
  schema: {
    operationId: 'deleteWatch',
    tags: ['presence'],
    summary: 'Stop watching',
    description: 'Clears the list of this device. It receives no more `presence.changed`.',
    response: { 204: Type.Null({ description: 'This device watches no user.' }), ...problems('rate_limited') }
  }
} as const

export const watchRoutes: FastifyPluginAsyncTypebox<{ context: Context }> = async (app, { context }) => {
  app.put('/presence/watch', PUT_WATCH, async request => ({
    watching: await putWatch(context, request.actor, request.body)
  }))

  app.get('/presence/watch', GET_WATCH, async request => ({ watching: await getWatch(context, request.actor) }))

  app.delete('/presence/watch', DELETE_WATCH, async (request, reply) => {
    await deleteWatch(context, request.actor)
    return reply.code(204).send(null)
  })
}
