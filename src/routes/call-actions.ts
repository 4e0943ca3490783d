// What the sides of a call do. The first hang-up, cancel and reject are never rate limited; repeats are charged as reads.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { ErrorCode } from '../errors.js'
import { AcceptReply, type Call, CallReply, EmptyBody, HangupBody, RejectBody } from '../schemas/call.js'
import type { Actor } from '../schemas/claims.js'
import { problems } from '../schemas/problem.js'
import { acceptCall } from '../services/accept-call.js'
import {
  cancelCall,
  hangUpCall,
  holdCall,
  rejectCall,
  reportConnected,
  reportRinging,
  resumeCall
} from '../services/calls.js'
import type { Context } from '../services/context.js'
import { CallParams } from './calls.js'

type Action = (context: Context, actor: Actor, callId: string) => Promise<Call>

/** Actions without a body of their own: name in the path, operation, what it does, why it may be refused. */
const PLAIN: readonly [string, string, string, Action, readonly ErrorCode[], 'signals' | false][] = [
  ['ringing', 'reportRinging', 'Your device rings; the caller learns of the first', reportRinging, [], 'signals'],
  [
    'cancel',
    'cancelCall',
    'Withdraw a call that is not connected; before its create it prevents it',
    cancelCall,
    [],
    false
  ],
  ['connected', 'reportConnected', 'Media flows', reportConnected, ['other_device'], 'signals'],
  ['hold', 'holdCall', 'Put your side on hold', holdCall, ['other_device'], 'signals'],
  ['resume', 'resumeCall', 'Take your side off hold', resumeCall, ['other_device'], 'signals']
]

const REFUSALS = [
  'invalid_request',
  'malformed_json',
  'too_large',
  'call_not_found',
  'wrong_party',
  'wrong_state',
  'call_ended'
] as const

export const callActionRoutes: FastifyPluginAsyncTypebox<{ context: Context }> = async (app, { context }) => {
  for (const [name, operationId, summary, run, codes, limit] of PLAIN) {
    app.route({
      method: 'POST',
      url: `/calls/:callId/${name}`,
      config: { limit, optionalBody: true },
      schema: {
        operationId,
        tags: ['calls'],
        summary,
        params: CallParams,
        body: EmptyBody,
        response: { 200: CallReply, ...problems(...REFUSALS, ...codes, 'rate_limited') }
      },
      handler: async request => ({ call: await run(context, request.actor, request.params.callId) })
    })
  }

  app.route({
    method: 'POST',
    url: '/calls/:callId/accept',
    config: { limit: 'signals', optionalBody: true },
    schema: {
      operationId: 'acceptCall',
      tags: ['calls'],
      summary: 'Answer on this device',
      description:
        'The first device wins, decided by the server; every other one gets `call.ended` with `answered_elsewhere`. If you are in ' +
        'as many calls as you may be, the answer is `caller_busy` with `activeCallId`, and the call goes on ringing. With your ' +
        'last free slot taken, other calls that ring for you end as `busy`, unless the server has `CALL_WAITING`.',
      params: CallParams,
      body: EmptyBody,
      response: {
        200: AcceptReply,
        ...problems(...REFUSALS, 'answered_elsewhere', 'caller_busy', 'too_many_devices', 'rate_limited')
      }
    },
    handler: request => acceptCall(context, request.actor, request.params.callId)
  })

  app.route({
    method: 'POST',
    url: '/calls/:callId/reject',
    config: { limit: false, optionalBody: true },
    schema: {
      operationId: 'rejectCall',
      tags: ['calls'],
      summary: 'Decline, for all your devices or for this one',
      params: CallParams,
      body: RejectBody,
      response: { 200: CallReply, ...problems(...REFUSALS, 'answered_elsewhere', 'too_many_devices', 'rate_limited') }
    },
    handler: async request => ({
      call: await rejectCall(context, request.actor, request.params.callId, request.body)
    })
  })

  app.route({
    method: 'POST',
    url: '/calls/:callId/hangup',
    config: { limit: false, optionalBody: true },
    schema: {
      operationId: 'hangUpCall',
      tags: ['calls'],
      summary: 'End an answered call, from any of your devices',
      params: CallParams,
      body: HangupBody,
      response: { 200: CallReply, ...problems(...REFUSALS, 'rate_limited') }
    },
    handler: async request => ({
      call: await hangUpCall(context, request.actor, request.params.callId, request.body)
    })
  })
}
