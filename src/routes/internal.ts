// For the room service alone, which shows the secret it shares with us. Its side of the contract: openapi/room-service.yaml.
import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { AppError } from '../errors.js'
import { Strict } from '../schemas/common.js'
import { RoomId } from '../schemas/room.js'
import { ServiceRoom } from '../schemas/room-service.js'
import type { Context } from '../services/context.js'
import { dropRoom, pushRoom } from '../services/room-service.js'

const RoomParams = Type.Object({ roomId: RoomId }, { ...Strict })

const digest = (text: string) => createHash('sha256').update(text).digest()

/** Only there with a service and a secret. */
export const internalRoutes: FastifyPluginAsyncTypebox<{ context: Context; secret: string }> = async (
  app,
  { context, secret }
) => {
  const expected = digest(`Bearer ${secret}`)
  app.addHook('onRequest', async request => {
    // Digests are of one length, and comparing them takes as long however much of a guess is right.
    if (!timingSafeEqual(digest(request.headers.authorization ?? ''), expected)) throw new AppError('unauthorized')
  })

  app.route({
    method: 'PUT',
    url: '/rooms/:roomId',
    schema: { hide: true, params: RoomParams, body: ServiceRoom },
    async handler(request, reply) {
      await pushRoom(context, request.params.roomId, request.body)
      return reply.code(204).send()
    }
  })

  app.route({
    method: 'DELETE',
    url: '/rooms/:roomId',
    schema: { hide: true, params: RoomParams },
    async handler(request, reply) {
      await dropRoom(context, request.params.roomId)
      return reply.code(204).send()
    }
  })
}
