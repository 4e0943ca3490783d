// Application messages of a call.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { SendCallMessageReply, SendCallMessageRequest } from '../schemas/call-message.js'
import { IdempotencyHeaders } from '../schemas/idempotency.js'
import { BODY_PROBLEMS, problems } from '../schemas/problem.js'
import { sendCallMessage } from '../services/call/send-message.js'
import type { Context } from '../services/context.js'
import { CallParams } from './calls.js'

const SEND_CALL_MESSAGE = {
  config: { limit: 'signals' },
  schema: {
    operationId: 'sendCallMessage',
    tags: ['calls'],
    summary: 'Send a message to the other side',
    description:
      'Sends a text of your application, such as "unlock the door"; the other side receives `call.message`, in order with all other events ' +
      'of the call. The server keeps no content.\n\n' +
      'While the call rings, a message of the caller goes to every device that rings, not to one that registers later; any device of the ' +
      'callee may reply, and the caller does not learn which. Once the call is accepted, messages go between the two devices in it. After ' +
      'its end they fail with `call_ended`.\n\n' +
      'Returns 201. A retry with the same `messageId` or `Idempotency-Key` is not sent again and returns 200, as long as the message is one ' +
      'of the last 16 of your side.',
    params: CallParams,
    headers: IdempotencyHeaders,
    body: SendCallMessageRequest,
    response: {
      201: SendCallMessageReply,
      200: SendCallMessageReply,
      ...problems(...BODY_PROBLEMS, 'call_not_found', 'other_device', 'wrong_state', 'call_ended', 'rate_limited')
    }
  }
} as const

export const callMessageRoutes: FastifyPluginAsyncTypebox<{ context: Context }> = async (app, { context }) => {
  app.post('/calls/:callId/messages', SEND_CALL_MESSAGE, async ({ actor, params, body, headers }, reply) => {
    const idempotencyKey = headers['idempotency-key']
    const { message, isNew } = await sendCallMessage(context, actor, { ...body, ...params, idempotencyKey })
    return reply.code(isNew ? 201 : 200).send(message)
  })
}
