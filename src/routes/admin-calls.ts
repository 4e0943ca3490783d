// The admin API about calls: the live ones, one call and its timeline, and ending a call.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { AdminCallReply, AdminCallsReply, CallPath, StartCallRequest } from '../schemas/admin-call.js'
import { AfterQuery } from '../schemas/admin-page.js'
import { adminProblems, BODY_PROBLEMS } from '../schemas/problem.js'
import { CallTimeline } from '../schemas/timeline.js'
import type { Context } from '../services/context.js'
import { endCallAsOperator } from '../services/operator/end-call.js'
import { getCallForOperator, getTimelineForOperator, listLiveCalls } from '../services/operator/live-calls.js'
import { startCallAsOperator } from '../services/operator/start-call.js'

const tags = ['calls'] as const

const LIST_CALLS = {
  schema: {
    operationId: 'listLiveCalls',
    tags,
    summary: 'List the live calls',
    description:
      'Returns a page of the calls that ring, connect or are connected, of all users and nodes. Listing costs the calls nothing.',
    querystring: AfterQuery,
    response: { 200: AdminCallsReply, ...adminProblems('invalid_request') }
  }
} as const

const GET_CALL = {
  schema: {
    operationId: 'getCallForOperator',
    tags,
    summary: 'Get a call',
    description: 'Returns a call that lives, or that ended less than `RETENTION_MS` ago.',
    params: CallPath,
    response: { 200: AdminCallReply, ...adminProblems('call_not_found') }
  }
} as const

const END_CALL = {
  config: { optionalBody: true },
  schema: {
    operationId: 'endCallAsOperator',
    tags,
    summary: 'End a call',
    description:
      'Ends a call in any state. Its devices receive `call.ended` with the reason `server` and `endedBy` null. Succeeds as well if the call has ended ' +
      'already, and then changes nothing.',
    params: CallPath,
    response: { 200: AdminCallReply, ...adminProblems('call_not_found') }
  }
} as const

const START_CALL = {
  config: { audited: ['from', 'to', 'callId'] },
  schema: {
    operationId: 'startCallAsOperator',
    tags,
    summary: 'Start a call between two users',
    description:
      'Rings `from`, which receives `call.incoming` with `startedBy`. When a device of it accepts, it is the caller, and `to` is rung as by any ' +
      'caller. If one of the two declines, is busy or does not answer, the call ends with that reason; `to` learns nothing of a call that `from` ' +
      'has not accepted. Blocks hold. No budget is charged, and the policy service is not asked.',
    body: StartCallRequest,
    response: {
      200: AdminCallReply,
      201: AdminCallReply,
      ...adminProblems(
        ...BODY_PROBLEMS,
        'cannot_call_self',
        'callee_unreachable',
        'callee_busy',
        'call_id_taken',
        'call_ended'
      )
    }
  }
} as const

const GET_TIMELINE = {
  schema: {
    operationId: 'getTimelineForOperator',
    tags,
    summary: "Get a call's timeline",
    description:
      'Returns what happened in a call, for as long as the call itself can be read. Unlike each party, you see everything: what the policy decided, ' +
      'which devices rang, declined or were woken, and what webhooks did.',
    params: CallPath,
    response: { 200: CallTimeline, ...adminProblems('call_not_found') }
  }
} as const

export const adminCallRoutes: FastifyPluginAsyncTypebox<{ context: Context }> = async (app, { context }) => {
  app.get('/calls', LIST_CALLS, ({ query }) => listLiveCalls(context, query))
  app.post('/calls', START_CALL, async ({ body }, reply) => {
    const { isNew, ...started } = await startCallAsOperator(context, body)
    return reply.code(isNew ? 201 : 200).send(started)
  })
  app.get('/calls/:callId', GET_CALL, ({ params }) => getCallForOperator(context, params.callId))
  app.post('/calls/:callId/end', END_CALL, ({ params }) => endCallAsOperator(context, params.callId))
  app.get('/calls/:callId/timeline', GET_TIMELINE, ({ params }) => getTimelineForOperator(context, params.callId))
}
