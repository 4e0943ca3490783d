// The admin API about webhooks: what state they are in, and what was not delivered.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import {
  DeadLetterPath,
  DeadLetterReply,
  DeadLettersQuery,
  DeadLettersReply,
  DeliveriesQuery,
  DeliveriesReply,
  ReplayReply,
  WebhookPath,
  WebhooksReply,
  WebhookView
} from '../schemas/admin-webhook.js'
import { adminProblems } from '../schemas/problem.js'
import type { Context } from '../services/context.js'
import {
  deleteDeadLetter,
  enableWebhook,
  getDeadLetter,
  listDeadLetters,
  listDeliveries,
  listWebhooks,
  replayAll,
  replayDeadLetter
} from '../services/webhooks/operate.js'

const tags = ['webhooks'] as const

const LIST_WEBHOOKS = {
  schema: {
    operationId: 'listWebhooks',
    tags,
    summary: 'List the webhooks',
    description: 'Returns every destination of `WEBHOOK_URLS` with its state, and how much waits.',
    response: { 200: WebhooksReply, ...adminProblems() }
  }
} as const

const ENABLE_WEBHOOK = {
  config: { optionalBody: true },
  schema: {
    operationId: 'enableWebhook',
    tags,
    summary: 'Enable a webhook',
    description:
      'Events are sent to it again, by all nodes within a second. Those that became dead letters meanwhile are not: replay them. Succeeds as ' +
      'well if it is not disabled; then a pause on this node ends.',
    params: WebhookPath,
    response: { 200: WebhookView, ...adminProblems('webhook_not_found') }
  }
} as const

const LIST_DELIVERIES = {
  schema: {
    operationId: 'listDeliveries',
    tags,
    summary: 'List attempts',
    description:
      'Returns the newest attempts to deliver events to the destination, by all nodes. An attempt of another node is listed within a second.',
    params: WebhookPath,
    querystring: DeliveriesQuery,
    response: { 200: DeliveriesReply, ...adminProblems('webhook_not_found', 'invalid_request') }
  }
} as const

const LIST_DEAD_LETTERS = {
  schema: {
    operationId: 'listDeadLetters',
    tags,
    summary: 'List dead letters',
    description: 'Returns the events that were not delivered to the destination, without their content.',
    params: WebhookPath,
    querystring: DeadLettersQuery,
    response: { 200: DeadLettersReply, ...adminProblems('webhook_not_found', 'invalid_request') }
  }
} as const

const REPLAY_ALL = {
  config: { optionalBody: true },
  schema: {
    operationId: 'replayDeadLetters',
    tags,
    summary: 'Replay dead letters',
    description:
      'Sends the dead letters of the destination again, the oldest first, each with the `webhook-id` that it had.',
    params: WebhookPath,
    response: { 200: ReplayReply, ...adminProblems('webhook_not_found', 'webhook_disabled', 'webhook_backlog_full') }
  }
} as const

const GET_DEAD_LETTER = {
  schema: {
    operationId: 'getDeadLetter',
    tags,
    summary: 'Get a dead letter',
    description: 'Returns a dead letter with its event, which may have what users wrote.',
    params: DeadLetterPath,
    response: { 200: DeadLetterReply, ...adminProblems('webhook_not_found', 'dead_letter_not_found') }
  }
} as const

const REPLAY_ONE = {
  config: { optionalBody: true },
  schema: {
    operationId: 'replayDeadLetter',
    tags,
    summary: 'Replay a dead letter',
    description:
      'Sends the event again, behind what waits for the same call, room or user, with the `webhook-id` that it had. The letter is deleted; if ' +
      'the event is given up again, it is a new one.',
    params: DeadLetterPath,
    response: {
      204: Type.Null({ description: 'The event is queued.' }),
      ...adminProblems('webhook_not_found', 'dead_letter_not_found', 'webhook_disabled', 'webhook_backlog_full')
    }
  }
} as const

const DELETE_DEAD_LETTER = {
  schema: {
    operationId: 'deleteDeadLetter',
    tags,
    summary: 'Delete a dead letter',
    description: 'The event is not sent any more.',
    params: DeadLetterPath,
    response: {
      204: Type.Null({ description: 'The letter is deleted.' }),
      ...adminProblems('webhook_not_found', 'dead_letter_not_found')
    }
  }
} as const

export const adminWebhookRoutes: FastifyPluginAsyncTypebox<{ context: Context }> = async (app, { context }) => {
  app.get('/webhooks', LIST_WEBHOOKS, () => listWebhooks(context))
  app.post('/webhooks/:webhookId/enable', ENABLE_WEBHOOK, ({ params }) => enableWebhook(context, params.webhookId))
  app.get('/webhooks/:webhookId/deliveries', LIST_DELIVERIES, ({ params, query }) =>
    listDeliveries(context, params.webhookId, query)
  )
  app.get('/webhooks/:webhookId/dead-letters', LIST_DEAD_LETTERS, ({ params, query }) =>
    listDeadLetters(context, params.webhookId, query)
  )
  app.post('/webhooks/:webhookId/dead-letters/replay', REPLAY_ALL, ({ params }) => replayAll(context, params.webhookId))
  app.get('/webhooks/:webhookId/dead-letters/:deadLetterId', GET_DEAD_LETTER, ({ params }) =>
    getDeadLetter(context, params)
  )
  app.post('/webhooks/:webhookId/dead-letters/:deadLetterId/replay', REPLAY_ONE, async ({ params }, reply) => {
    await replayDeadLetter(context, params)
    return reply.code(204).send(null)
  })
  app.delete('/webhooks/:webhookId/dead-letters/:deadLetterId', DELETE_DEAD_LETTER, async ({ params }, reply) => {
    await deleteDeadLetter(context, params)
    return reply.code(204).send(null)
  })
}
