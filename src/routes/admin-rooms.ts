// The admin API about rooms: the open ones, one with its participants, closing a room, removing a participant, and bans.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { AfterQuery } from '../schemas/admin-page.js'
import {
  AdminBanPath,
  AdminParticipantPath,
  AdminRoomPath,
  AdminRoomReply,
  AdminRoomsReply
} from '../schemas/admin-room.js'
import { adminProblems } from '../schemas/problem.js'
import { BansReply, RemoveQuery } from '../schemas/room.js'
import type { Context } from '../services/context.js'
import {
  closeRoomAsOperator,
  listBansAsOperator,
  removeBanAsOperator,
  removeParticipantAsOperator
} from '../services/operator/end-room.js'
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

const CLOSE_ROOM = {
  schema: {
    operationId: 'closeRoomAsOperator',
    tags,
    summary: 'Close a room',
    description:
      'Its participants receive `room.closed` with `by` null, and ringing invitations end. Succeeds as well if the room is closed already. A room ' +
      'that the room service knows, and one that users may create, can be created again.',
    params: AdminRoomPath,
    response: { 204: Type.Null({ description: 'The room is closed.' }), ...adminProblems('room_not_found') }
  }
} as const

const REMOVE_PARTICIPANT = {
  config: { audited: ['ban', 'banForMs'] },
  schema: {
    operationId: 'removeParticipantAsOperator',
    tags,
    summary: 'Remove a participant',
    description:
      'Removes a device, whatever its role, hidden or not. The room receives `room.participant_left` with `by` null. Succeeds as well for a ' +
      'participant that left up to a minute ago. With `ban` all devices of the user are removed, and the user cannot enter the room again.',
    params: AdminParticipantPath,
    querystring: RemoveQuery,
    response: {
      204: Type.Null({ description: 'The participant is not in the room.' }),
      ...adminProblems('invalid_request', 'room_not_found', 'room_closed', 'participant_not_found', 'too_many_bans')
    }
  }
} as const

const LIST_BANS = {
  schema: {
    operationId: 'listBansForOperator',
    tags,
    summary: 'List the bans of a room',
    description:
      'Returns the users who may not enter an open room, whether a moderator or an operator has banned them.',
    params: AdminRoomPath,
    response: { 200: BansReply, ...adminProblems('room_not_found', 'room_closed') }
  }
} as const

const REMOVE_BAN = {
  schema: {
    operationId: 'removeBanAsOperator',
    tags,
    summary: 'Lift a ban',
    description: 'The user may enter the open room again. Succeeds as well if the user is not banned.',
    params: AdminBanPath,
    response: {
      204: Type.Null({ description: 'The user is not banned.' }),
      ...adminProblems('invalid_request', 'room_not_found', 'room_closed')
    }
  }
} as const

export const adminRoomRoutes: FastifyPluginAsyncTypebox<{ context: Context }> = async (app, { context }) => {
  app.get('/rooms', LIST_ROOMS, ({ query }) => listOpenRooms(context, query))
  app.get('/rooms/:roomId', GET_ROOM, ({ params }) => getRoomForOperator(context, params.roomId))
  app.delete('/rooms/:roomId', CLOSE_ROOM, async ({ params }, reply) => {
    await closeRoomAsOperator(context, params)
    return reply.code(204).send(null)
  })
  app.delete('/rooms/:roomId/participants/:participantId', REMOVE_PARTICIPANT, async ({ params, query }, reply) => {
    await removeParticipantAsOperator(context, { ...query, ...params })
    return reply.code(204).send(null)
  })
  app.get('/rooms/:roomId/bans', LIST_BANS, async ({ params }) => ({ bans: await listBansAsOperator(context, params) }))
  app.delete('/rooms/:roomId/bans/:user', REMOVE_BAN, async ({ params }, reply) => {
    await removeBanAsOperator(context, params)
    return reply.code(204).send(null)
  })
}
