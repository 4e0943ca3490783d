// Routes for the room service (openapi/room-service.yaml), protected by ROOM_SERVICE_SECRET (operators.ts).
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { RoomId, Strict } from '../schemas/common.js'
import { RoomDefinition } from '../schemas/room-service.js'
import type { Context } from '../services/context.js'
import { applyPushedRoom, refetchRoom } from '../services/room/room-service.js'

const RoomParams = Type.Object({ roomId: RoomId() }, { ...Strict })

export const internalRoutes: FastifyPluginAsyncTypebox<{ context: Context }> = async (app, { context }) => {
  app.route({
    method: 'PUT',
    url: '/rooms/:roomId',
    schema: { hide: true, params: RoomParams, body: RoomDefinition },
    async handler(request, reply) {
      await applyPushedRoom(context, request.params.roomId, request.body)
      return reply.code(204).send()
    }
  })

  app.route({
    method: 'DELETE',
    url: '/rooms/:roomId',
    schema: { hide: true, params: RoomParams },
    async handler(request, reply) {
      await refetchRoom(context, request.params.roomId)
      return reply.code(204).send()
    }
  })
}
