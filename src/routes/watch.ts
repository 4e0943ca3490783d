// Watching the presence of users.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { WatchedUsersReply, WatchUsersRequest } from '../schemas/presence.js'
import { BODY_PROBLEMS, problems } from '../schemas/problem.js'
import type { Context } from '../services/context.js'
import { listWatchedUsers, stopWatching, watchUsers } from '../services/presence/watch-list.js'

const WATCH_USERS = {
  config: { limit: 'signals' },
  schema: {
    operationId: 'watchUsers',
    tags: ['presence'],
    summary: 'Watch users',
    description:
      'Sets the list of users whose presence this device watches, and returns their presence. Each change arrives as `presence.changed`; ' +
      '`away` and `busy` only after they have lasted for a moment (`PRESENCE_DEBOUNCE_MS`). The list replaces the previous one of this device and ' +
      'lasts as long as its mailbox.',
    body: WatchUsersRequest,
    response: {
      200: WatchedUsersReply,
      ...problems(...BODY_PROBLEMS, 'too_many_devices', 'too_many_watchers', 'rate_limited')
    }
  }
} as const

const LIST_WATCHED_USERS = {
  config: { limit: 'reads' },
  schema: {
    operationId: 'listWatchedUsers',
    tags: ['presence'],
    summary: 'List watched users',
    description: 'Returns the users this device watches, with their presence as of the last change.',
    response: { 200: WatchedUsersReply, ...problems('rate_limited') }
  }
} as const

const STOP_WATCHING = {
  config: { limit: false },
  schema: {
    operationId: 'stopWatching',
    tags: ['presence'],
    summary: 'Stop watching',
    description: 'Clears the list of this device. It receives no more `presence.changed`.',
    response: {
      204: Type.Null({ description: 'This device watches no user.' }),
      ...problems(...BODY_PROBLEMS, 'rate_limited')
    }
  }
} as const

export const watchRoutes: FastifyPluginAsyncTypebox<{ context: Context }> = async (app, { context }) => {
  app.put('/presence/watch', WATCH_USERS, async request => ({
    watching: await watchUsers(context, request.actor, request.body)
  }))

  app.get('/presence/watch', LIST_WATCHED_USERS, async request => ({
    watching: await listWatchedUsers(context, request.actor)
  }))

  app.delete('/presence/watch', STOP_WATCHING, async (request, reply) => {
    await stopWatching(context, request.actor)
    return reply.code(204).send(null)
  })
}
