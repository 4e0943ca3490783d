// Rooms: making, joining, moderating, leaving. Leaving is never rate limited.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { Id, Strict } from '../schemas/common.js'
import { problems } from '../schemas/problem.js'
import {
  BansReply,
  JoinBody,
  JoinReply,
  ParticipantBody,
  ParticipantId,
  ParticipantReply,
  RemoveQuery,
  RoomAndParticipants,
  RoomBody,
  RoomId,
  RoomReply
} from '../schemas/room.js'
import { listBans, unbanUser } from '../services/bans.js'
import type { Context } from '../services/context.js'
import { changeParticipant, closeRoom, getRoom, joinRoom, putRoom, removeParticipant } from '../services/rooms.js'

export const RoomParams = Type.Object({ roomId: RoomId }, { ...Strict })
const ParticipantParams = Type.Object({ roomId: RoomId, participantId: ParticipantId }, { ...Strict })
const BanParams = Type.Object({ roomId: RoomId, user: Id('User id', 'mallory') }, { ...Strict })

const READING = [
  'invalid_request',
  'room_not_found',
  'room_closed',
  'not_permitted',
  'banned',
  'room_service_unavailable',
  'rate_limited'
] as const
const JOINING = ['not_in_room', 'room_locked', 'room_full', 'too_many_devices', 'too_many_rooms'] as const
const WRITING = [...READING, 'malformed_json', 'too_large', 'unsupported_media_type'] as const

export const roomRoutes: FastifyPluginAsyncTypebox<{ context: Context }> = async (app, { context }) => {
  app.route({
    method: 'PUT',
    url: '/rooms/:roomId',
    config: { limit: 'signals', optionalBody: true },
    schema: {
      operationId: 'putRoom',
      tags: ['rooms'],
      summary: 'Make a room, or change one of yours',
      description:
        'What the body leaves out stays as it is. Takes the grant `manage`, which the maker of a room has. A room that no device joins ' +
        'within an hour is over. 404 if the room is there and you have no part in it, or if a room service does not know it.',
      params: RoomParams,
      body: RoomBody,
      response: { 201: RoomReply, 200: RoomReply, ...problems(...WRITING) }
    },
    async handler(request, reply) {
      const { room, created } = await putRoom(context, request.actor, request.params.roomId, request.body)
      return reply.code(created ? 201 : 200).send({ room })
    }
  })

  app.route({
    method: 'GET',
    url: '/rooms/:roomId',
    config: { limit: 'reads' },
    schema: {
      operationId: 'getRoom',
      tags: ['rooms'],
      summary: 'A room and who is in it',
      description:
        'For participants, users with an explicit claim (in the token or from the room service), its creator, and users with an ' +
        'invitation. Takes the grant `join`; a locked room shows itself only to those whom it lets in. To other users it is not there.',
      params: RoomParams,
      response: { 200: RoomAndParticipants, ...problems(...READING) }
    },
    handler: request => getRoom(context, request.actor, request.params.roomId)
  })

  app.route({
    method: 'DELETE',
    url: '/rooms/:roomId',
    config: { limit: 'signals' },
    schema: {
      operationId: 'closeRoom',
      tags: ['rooms'],
      summary: 'Close a room for everybody',
      description: 'Takes the grant `manage`.',
      params: RoomParams,
      response: { 204: Type.Null({ description: 'Closed' }), ...problems(...READING) }
    },
    async handler(request, reply) {
      await closeRoom(context, request.actor, request.params.roomId)
      return reply.code(204).send(null)
    }
  })

  app.route({
    method: 'POST',
    url: '/rooms/:roomId/participants',
    config: { limit: 'signals', optionalBody: true },
    schema: {
      operationId: 'joinRoom',
      tags: ['rooms'],
      summary: 'Join, and make the room if there is none',
      description:
        'Answers with everybody who is in. Joining again answers 200 with the same participation. Takes the grant `join`; the first ' +
        'one in is the host. A role that was given to you in the room is yours again. A room for members only (`defaultRole` `none`) ' +
        'answers `room_not_found` to others.',
      params: RoomParams,
      body: JoinBody,
      response: {
        201: JoinReply,
        200: JoinReply,
        ...problems(...WRITING, ...JOINING)
      }
    },
    async handler(request, reply) {
      const { joined, ...body } = await joinRoom(context, request.actor, request.params.roomId, request.body)
      return reply.code(joined ? 201 : 200).send(body)
    }
  })

  app.route({
    method: 'PATCH',
    url: '/rooms/:roomId/participants/:participantId',
    config: { limit: 'signals' },
    schema: {
      operationId: 'changeParticipant',
      tags: ['rooms'],
      summary: 'Give a role, ask to mute, or change your own metadata',
      description:
        'A role is the user’s: all their devices get it, and keep it when they leave and join again. Takes the grant `moderate`; to make or unmake a host, `manage`. One’s own metadata takes none.',
      params: ParticipantParams,
      body: ParticipantBody,
      response: { 200: ParticipantReply, ...problems(...WRITING, 'not_in_room', 'participant_not_found') }
    },
    handler: async request => ({
      participant: await changeParticipant(context, request.actor, request.params, request.body)
    })
  })

  app.route({
    method: 'DELETE',
    url: '/rooms/:roomId/participants/:participantId',
    config: { limit: false },
    schema: {
      operationId: 'removeParticipant',
      tags: ['rooms'],
      summary: 'Leave, or put a participant out',
      description:
        'Another user: takes the grant `moderate`; a host: `manage`. `ban=true` puts the user out with all devices and keeps them out, ' +
        'also if this participant has left in the last minute; the ban outlives the room.',
      params: ParticipantParams,
      querystring: RemoveQuery,
      response: {
        204: Type.Null({ description: 'Not in the room any more' }),
        ...problems(
          'rate_limited',
          ...(['invalid_request', 'room_not_found', 'room_closed'] as const),
          ...(['not_permitted', 'banned', 'participant_not_found', 'too_many_bans'] as const)
        )
      }
    },
    async handler(request, reply) {
      await removeParticipant(context, request.actor, request.params, request.query)
      return reply.code(204).send(null)
    }
  })

  app.route({
    method: 'GET',
    url: '/rooms/:roomId/bans',
    config: { limit: 'reads' },
    schema: {
      operationId: 'listBans',
      tags: ['rooms'],
      summary: 'Who is kept out',
      description: 'Takes the grant `moderate`.',
      params: RoomParams,
      response: { 200: BansReply, ...problems(...READING) }
    },
    handler: async request => ({ bans: await listBans(context, request.actor, request.params.roomId) })
  })

  app.route({
    method: 'DELETE',
    url: '/rooms/:roomId/bans/:user',
    config: { limit: 'signals' },
    schema: {
      operationId: 'unban',
      tags: ['rooms'],
      summary: 'Let a user in again',
      description: 'Takes the grant `moderate`.',
      params: BanParams,
      response: { 204: Type.Null({ description: 'Not banned any more' }), ...problems(...READING) }
    },
    async handler(request, reply) {
      await unbanUser(context, request.actor, request.params.roomId, request.params.user)
      return reply.code(204).send(null)
    }
  })
}
