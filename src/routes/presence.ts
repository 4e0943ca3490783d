// Presence and the snapshot.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { PresenceBody, PresenceQuery, PresenceReply, PresencesReply, Snapshot } from '../schemas/presence.js'
import { problems } from '../schemas/problem.js'
import type { Context } from '../services/context.js'
import { deletePresence, lookUpPresences, putPresence, takeSnapshot } from '../services/presence.js'

export const presenceRoutes: FastifyPluginAsyncTypebox<{ context: Context }> = async (app, { context }) => {
  app.route({
    method: 'PUT',
    url: '/presence',
    config: { limit: 'signals', optionalBody: true },
    schema: {
      operationId: 'putPresence',
      tags: ['presence'],
      summary: 'Heartbeat of this device, with an optional status',
      description: 'A device with an open stream or poll needs no heartbeat.',
      body: PresenceBody,
      response: {
        200: PresenceReply,
        ...problems('invalid_request', 'malformed_json', 'too_large', 'too_many_devices', 'rate_limited')
      }
    },
    handler: async request => ({ presence: await putPresence(context, request.actor, request.body) })
  })

  app.route({
    method: 'DELETE',
    url: '/presence',
    config: { limit: false },
    schema: {
      operationId: 'deletePresence',
      tags: ['presence'],
      summary: 'Sign this device off: it rings no more, its mailbox and its tickets are gone',
      response: { 204: Type.Null({ description: 'Signed off' }), ...problems('rate_limited') }
    },
    async handler(request, reply) {
      await deletePresence(context, request.actor)
      return reply.code(204).send(null)
    }
  })

  app.route({
    method: 'GET',
    url: '/presence',
    config: { limit: 'reads' },
    schema: {
      operationId: 'lookUpPresence',
      tags: ['presence'],
      summary: 'Who is there',
      description:
        'Of users whose presence you may not see (`PRESENCE_VISIBILITY`) it says what it says of users who do not exist: offline, never seen.',
      querystring: PresenceQuery,
      response: { 200: PresencesReply, ...problems('invalid_request', 'rate_limited') }
    },
    handler: async request => ({
      presences: await lookUpPresences(context, request.actor, request.query.users.split(','))
    })
  })

  app.route({
    method: 'GET',
    url: '/snapshot',
    config: { limit: 'reads' },
    schema: {
      operationId: 'takeSnapshot',
      tags: ['events'],
      summary: 'Where things stand, and the cursor to go on from',
      response: { 200: Snapshot, ...problems('too_many_devices', 'rate_limited') }
    },
    handler: request => takeSnapshot(context, request.actor)
  })
}
