// The admin API about rooms: the open ones, and one with its participants.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { AfterQuery } from '../schemas/admin-page.js'
import { AdminRoomPath, AdminRoomReply, AdminRoomsReply } from '../schemas/admin-room.js'
import { adminProblems } from '../schemas/problem.js'
import type { Context } from '../services/context.js'
import { getRoomForOperator, listOpenRooms } from '../services/operator/live-rooms.js'

const tags = ['rooms'] as const

const LIST_ROOMS = {
  schema: {
    operationId: 'listOpenRooms',
    tags,
    summary: 'List the open rooms',
    description: 'Returns a page of the rooms that are open, with or without participants.',
    querystring: AfterQuery,
    response: { 200: AdminRoomsReply, ...adminProblems('invalid_request') }
  }
} as const

const GET_ROOM = {
  schema: {
    operationId: 'getRoomForOperator',
    tags,
    summary: 'Get a room',
    description: 'Returns an open room with all its participants and what they send.',
    params: AdminRoomPath,
    response: { 200: AdminRoomReply, ...adminProblems('room_not_found', 'room_closed') }
  }
} as const

export const adminRoomRoutes: FastifyPluginAsyncTypebox<{ context: Context }> = async (app, { context }) => {
  app.get('/rooms', LIST_ROOMS, ({ query }) => listOpenRooms(context, query))
  app.get('/rooms/:roomId', GET_ROOM, ({ params }) => getRoomForOperator(context, params.roomId))
}
