// Creating and reading calls.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { CallId, CallReply, CallsReply, CreateCallBody, CreateCallReply } from '../schemas/call.js'
import { Strict } from '../schemas/common.js'
import { problems } from '../schemas/problem.js'
import { getCall, listCalls } from '../services/calls.js'
import type { Context } from '../services/context.js'
import { createCall } from '../services/create-call.js'

export const CallParams = Type.Object({ callId: CallId }, { ...Strict })

const CreateCallHeaders = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 128,
      pattern: '^[!-~]+$',
      description: 'Instead of a callId: the same key of the same user is the same call'
    })
  )
})

export const callRoutes: FastifyPluginAsyncTypebox<{ context: Context }> = async (app, { context }) => {
  app.route({
    method: 'POST',
    url: '/calls',
    config: { limit: 'calls' },
    schema: {
      operationId: 'createCall',
      tags: ['calls'],
      summary: 'Call a user',
      description:
        'Every registered device of the callee rings. A repeat with the same `callId` answers 200 with the same call. If the callee ' +
        'is calling you at this moment, your call is merged into theirs as its accept: 200, `resolution: "merged"`.',
      headers: CreateCallHeaders,
      body: CreateCallBody,
      response: {
        201: CreateCallReply,
        200: CreateCallReply,
        ...problems(
          'malformed_json',
          'invalid_request',
          'invalid_sdp',
          'cannot_call_self',
          'caller_busy',
          'callee_busy',
          'callee_unreachable',
          'call_glare',
          'call_id_taken',
          'call_ended',
          'too_many_devices',
          'policy_denied',
          'policy_unavailable',
          'too_large',
          'unsupported_media_type',
          'rate_limited'
        )
      }
    },
    async handler(request, reply) {
      const created = await createCall(context, request.actor, request.body, request.headers['idempotency-key'])
      return reply.code(created.resolution === 'created' ? 201 : 200).send(created)
    }
  })

  app.route({
    method: 'GET',
    url: '/calls',
    config: { limit: 'reads' },
    schema: {
      operationId: 'listCalls',
      tags: ['calls'],
      summary: 'Your live calls',
      response: { 200: CallsReply, ...problems('rate_limited') }
    },
    handler: async request => ({ calls: await listCalls(context, request.actor) })
  })

  app.route({
    method: 'GET',
    url: '/calls/:callId',
    config: { limit: 'reads' },
    schema: {
      operationId: 'getCall',
      tags: ['calls'],
      summary: 'One call you take part in, also for a while after its end',
      params: CallParams,
      response: { 200: CallReply, ...problems('invalid_request', 'call_not_found', 'rate_limited') }
    },
    handler: async request => ({ call: await getCall(context, request.actor, request.params.callId) })
  })
}
