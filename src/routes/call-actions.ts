// Actions of the sides of a call. The first hang-up, cancel and reject are never rate limited; repeats are charged as reads.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { ErrorCode } from '../errors.js'
import { AcceptReply, type Call, CallReply, EmptyBody, HangupBody, RejectBody } from '../schemas/call.js'
import type { Actor } from '../schemas/claims.js'
import { BODY_PROBLEMS, problems } from '../schemas/problem.js'
import { acceptCall } from '../services/call/accept-call.js'
import {
  cancelCall,
  hangUpCall,
  holdCall,
  rejectCall,
  reportConnected,
  reportRinging,
  resumeCall
} from '../services/call/call-actions.js'
import type { Context } from '../services/context.js'
import { CallParams } from './calls.js'

type Action = (context: Context, actor: Actor, callId: string) => Promise<Call>

interface PlainAction {
  readonly name: string
  readonly operationId: string
  readonly summary: string
  readonly description: string
  readonly run: Action
  readonly codes: readonly ErrorCode[]
  readonly limit: 'signals' | false
}

/** Actions without a body of their own. */
const PLAIN: readonly PlainAction[] = [
  {
    name: 'ringing',
    operationId: 'reportRinging',
    summary: 'Report that this device is ringing',
    description: 'Optional, for the callee. The caller receives `call.ringing` for the first device that reports it.',
    run: reportRinging,
    codes: [],
    limit: 'signals'
  },
  {
    name: 'cancel',
    operationId: 'cancelCall',
    summary: 'Cancel a call',
    description:
      'Withdraws a call of yours that is not connected; the callee receives `call.ended`. A cancel that arrives before its create prevents ' +
      'the call: the create then fails with `call_ended`. The first cancel of a call is never rate limited.',
    run: cancelCall,
    codes: [],
    limit: false
  },
  {
    name: 'connected',
    operationId: 'reportConnected',
    summary: 'Report that media flows',
    description:
      'Call it when your `RTCPeerConnection` is `connected`. The call becomes `connected` with the first report; the other side receives ' +
      '`call.connected`.',
    run: reportConnected,
    codes: ['other_device'],
    limit: 'signals'
  },
  {
    name: 'hold',
    operationId: 'holdCall',
    summary: 'Put the call on hold',
    description:
      'Puts your side on hold; the other side receives `call.held`. Stopping the media is up to the clients.',
    run: holdCall,
    codes: ['other_device'],
    limit: 'signals'
  },
  {
    name: 'resume',
    operationId: 'resumeCall',
    summary: 'Take the call off hold',
    description: 'Takes your side off hold; the other side receives `call.resumed`.',
    run: resumeCall,
    codes: ['other_device'],
    limit: 'signals'
  }
]

const REFUSALS = [...BODY_PROBLEMS, 'call_not_found', 'wrong_party', 'wrong_state', 'call_ended'] as const

export const callActionRoutes: FastifyPluginAsyncTypebox<{ context: Context }> = async (app, { context }) => {
  app.route({
    method: 'POST',
    url: '/calls/:callId/accept',
    config: { limit: 'signals', optionalBody: true },
    schema: {
      operationId: 'acceptCall',
      tags: ['calls'],
      summary: 'Accept a call',
      description:
        'Answers the call on this device. The caller and your other devices learn of it: `call.accepted`, and `call.ended` with ' +
        '`answered_elsewhere`. Then send your answer with `sendAnswer`.\n\n' +
        'The first device wins: a second one fails with `answered_elsewhere`. If you are in as many calls as allowed, it fails with ' +
        '`caller_busy` and `activeCallId`, and the call keeps ringing. If this call takes your last free slot, other calls that are ringing for ' +
        'you end as `busy`, unless the server has `CALL_WAITING`.',
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
      summary: 'Decline a call',
      description:
        'Declines the call on all your devices; the caller receives `call.ended` with `declined`. With `scope: "device"` only this device stops ' +
        'ringing. The first reject of a call is never rate limited.',
      params: CallParams,
      body: RejectBody,
      response: { 200: CallReply, ...problems(...REFUSALS, 'answered_elsewhere', 'too_many_devices', 'rate_limited') }
    },
    handler: async request => ({
      call: await rejectCall(context, request.actor, request.params.callId, request.body)
    })
  })

  for (const { name, operationId, summary, description, run, codes, limit } of PLAIN) {
    app.route({
      method: 'POST',
      url: `/calls/:callId/${name}`,
      config: { limit, optionalBody: true },
      schema: {
        operationId,
        tags: ['calls'],
        summary,
        description,
        params: CallParams,
        body: EmptyBody,
        response: { 200: CallReply, ...problems(...REFUSALS, ...codes, 'rate_limited') }
      },
      handler: async request => ({ call: await run(context, request.actor, request.params.callId) })
    })
  }

  app.route({
    method: 'POST',
    url: '/calls/:callId/hangup',
    config: { limit: false, optionalBody: true },
    schema: {
      operationId: 'hangUpCall',
      tags: ['calls'],
      summary: 'Hang up',
      description:
        'Ends a call that was accepted, from any of your devices. The other side receives `call.ended`. For a call that is still ringing use ' +
        '`cancelCall` or `rejectCall`. The first hang-up of a call is never rate limited.',
      params: CallParams,
      body: HangupBody,
      response: { 200: CallReply, ...problems(...REFUSALS, 'rate_limited') }
    },
    handler: async request => ({
      call: await hangUpCall(context, request.actor, request.params.callId, request.body)
    })
  })
}
