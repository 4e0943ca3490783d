// Chat messages of a room, and their history.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { MessagesQuery, MessagesReply, PostMessageReply, PostMessageRequest, TypingRequest } from '../schemas/chat.js'
import { IdempotencyHeaders } from '../schemas/idempotency.js'
import { BODY_PROBLEMS, problems } from '../schemas/problem.js'
import { listMessages, postMessage, sendTyping } from '../services/chat/messages.js'
import type { Context } from '../services/context.js'
import { RoomParams } from './rooms.js'

const READING = [
  'invalid_request',
  'room_not_found',
  'room_closed',
  'not_permitted',
  'banned',
  'room_service_unavailable',
  'rate_limited'
] as const
const WRITING = [...READING, ...BODY_PROBLEMS, 'not_in_room'] as const

const POST_MESSAGE = {
  config: { limit: 'signals' },
  schema: {
    operationId: 'postMessage',
    tags: ['chat'],
    summary: 'Send a chat message',
    description:
      'All other participants receive `chat.message`, in the same order. Returns 201 with the message. A retry with the same `messageId` or ' +
      '`Idempotency-Key` returns 200 with the first message, as long as it is in the history. Requires a participant with the grant `chat`.',
    params: RoomParams,
    headers: IdempotencyHeaders,
    body: PostMessageRequest,
    response: {
      201: PostMessageReply,
      200: PostMessageReply,
      ...problems(...WRITING, 'message_id_taken')
    }
  }
} as const

const LIST_MESSAGES = {
  config: { limit: 'reads' },
  schema: {
    operationId: 'listMessages',
    tags: ['chat'],
    summary: 'List chat messages',
    description:
      'Returns the newest messages, oldest first. Pass `before` or `after` of a page to get the previous or the next one. The server keeps ' +
      'the newest `CHAT_HISTORY_MAX` messages for as long as the room exists. Requires the grant `chat` and the right to read the room.',
    params: RoomParams,
    querystring: MessagesQuery,
    response: { 200: MessagesReply, ...problems(...READING, 'invalid_page_token') }
  }
} as const

const SEND_TYPING = {
  config: { limit: 'signals' },
  schema: {
    operationId: 'sendTyping',
    tags: ['chat'],
    summary: 'Send a typing indicator',
    description:
      'Participants with an open stream receive `chat.typing`, without an event id; a poll that is waiting returns it in `notices`. It is not ' +
      'stored. Requires a participant with the grant `chat`.',
    params: RoomParams,
    body: TypingRequest,
    response: {
      204: Type.Null({ description: 'Sent.' }),
      ...problems(...WRITING)
    }
  }
} as const

export const chatRoutes: FastifyPluginAsyncTypebox<{ context: Context }> = async (app, { context }) => {
  app.post('/rooms/:roomId/messages', POST_MESSAGE, async ({ actor, params, body, headers }, reply) => {
    const idempotencyKey = headers['idempotency-key']
    const { message, isNew } = await postMessage(context, actor, { ...body, ...params, idempotencyKey })
    return reply.code(isNew ? 201 : 200).send({ message })
  })

  app.get('/rooms/:roomId/messages', LIST_MESSAGES, ({ actor, params, query }) =>
    listMessages(context, actor, { ...query, ...params })
  )

  app.post('/rooms/:roomId/typing', SEND_TYPING, async ({ actor, params, body }, reply) => {
    await sendTyping(context, actor, { ...body, ...params })
    return reply.code(204).send(null)
  })
}
