// The admin API about chat: messages that the chat service did not get.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import {
  ChatDeadLetterPath,
  ChatDeadLetterReply,
  ChatDeadLettersReply,
  ChatReplayQuery,
  ChatReplayReply
} from '../schemas/admin-chat.js'
import { DeadLettersQuery } from '../schemas/admin-webhook.js'
import { adminProblems } from '../schemas/problem.js'
import type { Context } from '../services/context.js'
import {
  deleteChatDeadLetter,
  getChatDeadLetter,
  listChatDeadLetters,
  replayAllChatDeadLetters,
  replayChatDeadLetter
} from '../services/operator/chat-dead-letters.js'

const tags = ['chat'] as const

const LIST = {
  schema: {
    operationId: 'listChatDeadLetters',
    tags,
    summary: 'List dead letters of chat',
    description: 'Returns the messages that the chat service did not get, without their text.',
    querystring: DeadLettersQuery,
    response: { 200: ChatDeadLettersReply, ...adminProblems('invalid_request') }
  }
} as const

const REPLAY_ALL = {
  config: { optionalBody: true },
  schema: {
    operationId: 'replayChatDeadLetters',
    tags,
    summary: 'Replay dead letters of chat',
    description:
      'Sends the messages to the chat service again, the oldest first. Those that it takes are deleted; those that it refuses stay. A message comes ' +
      'later than those that were sent after it.',
    querystring: ChatReplayQuery,
    response: {
      200: ChatReplayReply,
      ...adminProblems('invalid_request', 'no_chat_service', 'chat_service_unavailable')
    }
  }
} as const

const GET = {
  schema: {
    operationId: 'getChatDeadLetter',
    tags,
    summary: 'Get a dead letter of chat',
    description: 'Returns the letter with its message, which has what a user wrote.',
    params: ChatDeadLetterPath,
    response: { 200: ChatDeadLetterReply, ...adminProblems('dead_letter_not_found') }
  }
} as const

const REPLAY_ONE = {
  config: { optionalBody: true },
  schema: {
    operationId: 'replayChatDeadLetter',
    tags,
    summary: 'Replay a dead letter of chat',
    description: 'Sends the message to the chat service again. The letter is deleted if the service takes it.',
    params: ChatDeadLetterPath,
    response: {
      204: Type.Null({ description: 'The chat service has the message.' }),
      ...adminProblems('dead_letter_not_found', 'no_chat_service', 'chat_service_refused', 'chat_service_unavailable')
    }
  }
} as const

const DELETE = {
  schema: {
    operationId: 'deleteChatDeadLetter',
    tags,
    summary: 'Delete a dead letter of chat',
    description: 'The message is not sent any more. It stays in the history of its room.',
    params: ChatDeadLetterPath,
    response: { 204: Type.Null({ description: 'The letter is deleted.' }), ...adminProblems('dead_letter_not_found') }
  }
} as const

export const adminChatRoutes: FastifyPluginAsyncTypebox<{ context: Context }> = async (app, { context }) => {
  app.get('/chat/dead-letters', LIST, ({ query }) => listChatDeadLetters(context, query))
  app.post('/chat/dead-letters/replay', REPLAY_ALL, ({ query }) => replayAllChatDeadLetters(context, query))
  app.get('/chat/dead-letters/:chatDeadLetterId', GET, ({ params }) =>
    getChatDeadLetter(context, params.chatDeadLetterId)
  )
  app.post('/chat/dead-letters/:chatDeadLetterId/replay', REPLAY_ONE, async ({ params }, reply) => {
    await replayChatDeadLetter(context, params.chatDeadLetterId)
    return reply.code(204).send(null)
  })
  app.delete('/chat/dead-letters/:chatDeadLetterId', DELETE, async ({ params }, reply) => {
    await deleteChatDeadLetter(context, params.chatDeadLetterId)
    return reply.code(204).send(null)
  })
}
