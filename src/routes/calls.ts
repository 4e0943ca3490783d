// Creating and reading calls.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { CallReply, CallsReply, CreateCallReply, CreateCallRequest } from '../schemas/call.js'
import { CallId, Strict } from '../schemas/common.js'
import { IdempotencyHeaders } from '../schemas/idempotency.js'
import { BODY_PROBLEMS, problems } from '../schemas/problem.js'
import { CallTimeline } from '../schemas/timeline.js'
import { createCall } from '../services/call/create-call.js'
import { getCall, getTimeline, listCalls } from '../services/call/read-call.js'
import type { Context } from '../services/context.js'

export const CallParams = Type.Object({ callId: CallId() }, { ...Strict })

const CREATE_CALL = {
  config: { limit: 'calls' },
  schema: {
    operationId: 'createCall',
    tags: ['calls'],
    summary: 'Call a user or several',
    description:
      'Rings every registered device of the callee: each receives `call.incoming`. You receive `call.ringing`, then `call.accepted` or ' +
      '`call.ended`. Open your event stream first, or open it at the returned `cursor`.\n\n' +
      'With `offer`, `candidates` and `end` a call needs three requests: this one, `acceptCall` with `answer` and candidates, and `hangUpCall`. ' +
      'They arrive with `call.incoming`; candidates that you send later arrive once the call is accepted.\n\n' +
      'Returns 201 with the new call. A retry with the same `callId` or `Idempotency-Key` returns 200 with the same call. If the callee is ' +
      'calling you at the same time, your call is merged into theirs and accepts it: 200 with `resolution: "merged"`.\n\n' +
      '`to` may name one device of a user, or up to 8 users: the first who accepts is in the call. They ring at once or, with ' +
      '`ringStrategy: "sequence"`, one after the other. Those who are busy or cannot be rung are left out: `callees` of the call says what ' +
      'becomes of each, and `call.callee_changed` what changes while the call goes on. Each callee counts as a call of `RATE_LIMIT_CALLS`.\n\n' +
      'The operator may redirect the call to other users, or change what it is for: `callee`, `media` and `metadata` of the reply count.\n\n' +
      'Fails, of several callees only if none is left, with `callee_busy` if the callee is in another call, with `callee_unreachable` if none of their devices is registered, and with ' +
      '`caller_busy` and `activeCallId` if you are in a call yourself. Nothing rings then. A refusal for busy or glare is kept for its `callId` ' +
      'or `Idempotency-Key`: call again with a new one.',
    headers: IdempotencyHeaders,
    body: CreateCallRequest,
    response: {
      201: CreateCallReply,
      200: CreateCallReply,
      ...problems(
        ...BODY_PROBLEMS,
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
        'redirect_loop',
        'rate_limited'
      )
    }
  }
} as const

const LIST_CALLS = {
  config: { limit: 'reads' },
  schema: {
    operationId: 'listCalls',
    tags: ['calls'],
    summary: 'List your calls',
    description: 'Returns the calls you take part in that have not ended, on any of your devices.',
    response: { 200: CallsReply, ...problems('rate_limited') }
  }
} as const

const GET_CALL = {
  config: { limit: 'reads' },
  schema: {
    operationId: 'getCall',
    tags: ['calls'],
    summary: 'Get a call',
    description:
      'Returns a call you take part in. A call that has ended can be read for a while. Fails with `call_not_found` if you have no part in it.',
    params: CallParams,
    response: { 200: CallReply, ...problems('invalid_request', 'call_not_found', 'rate_limited') }
  }
} as const

const GET_CALL_TIMELINE = {
  config: { limit: 'reads' },
  schema: {
    operationId: 'getCallTimeline',
    tags: ['calls'],
    summary: 'Get the timeline of a call',
    description:
      'Returns what happened in a call you take part in: when, and by whom. It answers why a call failed. It can be read as long as the call. ' +
      'The caller does not see which devices of the callee ring or decline.',
    params: CallParams,
    response: { 200: CallTimeline, ...problems('invalid_request', 'call_not_found', 'rate_limited') }
  }
} as const

export const callRoutes: FastifyPluginAsyncTypebox<{ context: Context }> = async (app, { context }) => {
  app.post('/calls', CREATE_CALL, async (request, reply) => {
    const created = await createCall(context, request.actor, {
      ...request.body,
      idempotencyKey: request.headers['idempotency-key']
    })
    return reply.code(created.resolution === 'created' ? 201 : 200).send(created)
  })

  app.get('/calls', LIST_CALLS, async request => ({ calls: await listCalls(context, request.actor) }))

  app.get('/calls/:callId', GET_CALL, async request => ({
    call: await getCall(context, request.actor, request.params.callId)
  }))
  app.get('/calls/:callId/timeline', GET_CALL_TIMELINE, request =>
    getTimeline(context, request.actor, request.params.callId)
  )
}
