// Writing in a room, and its history.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { MessageBody, MessageReply, MessagesQuery, MessagesReply, TypingBody } from '../schemas/chat.js'
import { problems } from '../schemas/problem.js'
import { listMessages, noteTyping, postMessage } from '../services/chat.js'
import type { Context } from '../services/context.js'
import { RoomParams } from './rooms.js'

const REFUSALS = [
  'invalid_request',
  'room_not_found',
  'room_closed',
  'not_in_room',
  'not_permitted',
  'banned',
  'room_service_unavailable',
  'rate_limited'
] as const

const PostHeaders = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 128,
      pattern: '^[!-~]+$',
      description: 'Instead of a messageId: the same key of the same user is the same message'
    })
  )
})

export const chatRoutes: FastifyPluginAsyncTypebox<{ context: Context }> = async (app, { context }) => {
  app.route({
    method: 'POST',
    url: '/rooms/:roomId/messages',
    config: { limit: 'signals' },
    schema: {
      operationId: 'postMessage',
      tags: ['chat'],
      summary: 'Write to everybody in the room',
      description:
        'All others get `chat.message`, in the same order everywhere. A repeat with the same `messageId` answers 200 with the first ' +
        'message, for as long as the history has it. Takes the grant `chat`, from a participant of the room.',
      params: RoomParams,
      headers: PostHeaders,
      body: MessageBody,
      response: {
        201: MessageReply,
        200: MessageReply,
        ...problems(...REFUSALS, 'malformed_json', 'too_large', 'unsupported_media_type', 'message_id_taken')
      }
    },
    async handler({ actor, params: { roomId }, body, headers }, reply) {
      const idempotencyKey = headers['idempotency-key']
      const { message, posted } = await postMessage(context, actor, roomId, { body, idempotencyKey })
      return reply.code(posted ? 201 : 200).send({ message })
    }
  })

  app.route({
    method: 'GET',
    url: '/rooms/:roomId/messages',
    config: { limit: 'reads' },
    schema: {
      operationId: 'listMessages',
      tags: ['chat'],
      summary: 'What was written',
      description:
        'The newest page; `before` and `after` of a page lead on from there. Takes the grant `chat`; for those who may read the room. ' +
        'The newest messages are kept, up to `CHAT_HISTORY_MAX`, and as long as the room exists.',
      params: RoomParams,
      querystring: MessagesQuery,
      response: { 200: MessagesReply, ...problems(...REFUSALS, 'invalid_cursor') }
    },
    handler: request => listMessages(context, request.actor, request.params.roomId, request.query)
  })

  app.route({
    method: 'POST',
    url: '/rooms/:roomId/typing',
    config: { limit: 'signals' },
    schema: {
      operationId: 'noteTyping',
      tags: ['chat'],
      summary: 'Say that you are writing, or no longer',
      description:
        'Those who listen at this moment get `chat.typing`, without an event id and without moving their cursor; a poll that waits ' +
        'answers with it in `notices`. It is kept nowhere. Takes the grant `chat`, from a participant of the room.',
      params: RoomParams,
      body: TypingBody,
      response: {
        204: Type.Null({ description: 'Said' }),
        ...problems(...REFUSALS, 'malformed_json', 'too_large', 'unsupported_media_type')
      }
    },
    async handler(request, reply) {
      await noteTyping(context, request.actor, request.params.roomId, request.body)
      return reply.code(204).send(null)
    }
  })
}
