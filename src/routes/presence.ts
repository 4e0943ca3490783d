// Presence and the snapshot.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { PresenceQuery, PresenceReply, PresencesReply, Snapshot, UpdatePresenceRequest } from '../schemas/presence.js'
import { BODY_PROBLEMS, problems } from '../schemas/problem.js'
import { UnloadQuery } from '../schemas/stream.js'
import type { Context } from '../services/context.js'
import { getSnapshot, lookUpPresences, signOffDevice, updatePresence } from '../services/presence/presence.js'

const UPDATE_PRESENCE = {
  config: { limit: 'signals', optionalBody: true },
  schema: {
    operationId: 'updatePresence',
    tags: ['presence'],
    summary: 'Send a keepalive or set a status',
    description:
      'Registers this device and keeps it online for `PRESENCE_TTL_MS`, with an optional status. A device with an open stream or poll needs no ' +
      'keepalive. In a call or room, a device without either sends one at least every `AWAY_AFTER_MS`. Returns your presence. It also acknowledges a `heartbeat` with `ack: true`.',
    body: UpdatePresenceRequest,
    response: {
      200: PresenceReply,
      ...problems(...BODY_PROBLEMS, 'too_many_devices', 'rate_limited')
    }
  }
} as const

const SIGN_OFF_DEVICE = {
  config: { limit: false, unloadRoute: true },
  schema: {
    operationId: 'signOffDevice',
    tags: ['presence'],
    summary: 'Sign this device off',
    description:
      'Closes the stream of this device and deletes its mailbox and its tickets. Calls no longer ring on it. A page that is being closed may ' +
      'use a ticket, with `keepalive: true`.',
    querystring: UnloadQuery,
    response: {
      204: Type.Null({ description: 'The device is signed off.' }),
      ...problems(...BODY_PROBLEMS, 'rate_limited')
    }
  }
} as const

const LOOK_UP_PRESENCE = {
  config: { limit: 'reads' },
  schema: {
    operationId: 'lookUpPresence',
    tags: ['presence'],
    summary: 'Look up presence',
    description:
      'Returns the presence of up to 100 users. Users whose presence you may not see (`PRESENCE_VISIBILITY`) look like users who do not exist: ' +
      '`offline`, with `lastSeenAt` null.',
    querystring: PresenceQuery,
    response: { 200: PresencesReply, ...problems('invalid_request', 'rate_limited') }
  }
} as const

const GET_SNAPSHOT = {
  config: { limit: 'reads' },
  schema: {
    operationId: 'getSnapshot',
    tags: ['events'],
    summary: 'Get a snapshot',
    description:
      'Returns your calls, rooms, invitations and presence, and the cursor to continue from. Get it when your client starts, and after a ' +
      '`reset`. Registers this device.',
    response: { 200: Snapshot, ...problems('too_many_devices', 'rate_limited') }
  }
} as const

export const presenceRoutes: FastifyPluginAsyncTypebox<{ context: Context }> = async (app, { context }) => {
  app.put('/presence', UPDATE_PRESENCE, async request => ({
    presence: await updatePresence(context, request.actor, request.body)
  }))

  app.delete('/presence', SIGN_OFF_DEVICE, async (request, reply) => {
    await signOffDevice(context, request.actor)
    return reply.code(204).send(null)
  })

  app.get('/presence', LOOK_UP_PRESENCE, async request => ({
    presences: await lookUpPresences(context, request.actor, request.query)
  }))

  app.get('/snapshot', GET_SNAPSHOT, request => getSnapshot(context, request.actor))
}
