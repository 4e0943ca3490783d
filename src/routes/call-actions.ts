// Actions of the sides of a call. A party's first hang-up, cancel or reject is never rate limited; repeats are charged as reads.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import {
  AcceptCallReply,
  AcceptCallRequest,
  CallReply,
  EmptyRequest,
  HangUpCallRequest,
  RejectCallRequest,
  UpdateCallMediaRequest
} from '../schemas/call.js'
import { ConnectedRequest } from '../schemas/call-record.js'
import { BODY_PROBLEMS, problems } from '../schemas/problem.js'
import { UnloadQuery } from '../schemas/stream.js'
import { acceptCall } from '../services/call/accept-call.js'
import {
  cancelCall,
  hangUpCall,
  holdCall,
  rejectCall,
  reportConnected,
  reportRinging,
  resumeCall,
  updateCallMedia
} from '../services/call/call-actions.js'
import type { Context } from '../services/context.js'
import { CallParams } from './calls.js'

/** Of an action of the device in the call. */
const IN_CALL_REFUSALS = [
  ...BODY_PROBLEMS,
  'call_not_found',
  'other_device',
  'wrong_state',
  'call_ended',
  'rate_limited'
] as const

const PLAIN_ACTION = { tags: ['calls'], params: CallParams, body: EmptyRequest } as const

const ACCEPT_CALL = {
  config: { limit: 'signals', optionalBody: true },
  schema: {
    operationId: 'acceptCall',
    tags: ['calls'],
    params: CallParams,
    body: AcceptCallRequest,
    summary: 'Accept a call',
    description:
      'Answers the call on this device. The caller and your other devices learn of it: `call.accepted`, and `call.ended` with ' +
      '`answered_elsewhere`. Answer the offer of `call.incoming` here (`answer`, `candidates`, `end`), or later with `sendAnswer`. If `offerer` ' +
      'of the call is `callee`, you make the first offer: send it here, or later with `sendOffer`. A repeat changes nothing, except that it may add a description or candidates.\n\n' +
      'The first device wins: a second one fails with `answered_elsewhere`. If you are in as many calls as allowed, it fails with ' +
      '`caller_busy` and `activeCallId`, and the call keeps ringing. If you are now in as many calls as allowed, other calls that are ringing ' +
      'for you end as `busy`, unless the server has `CALL_WAITING`.',
    response: {
      200: AcceptCallReply,
      ...problems(
        ...BODY_PROBLEMS,
        'call_not_found',
        'wrong_party',
        'call_ended',
        'invalid_sdp',
        'offer_collision',
        'no_offer_pending',
        'revision_required',
        'answered_elsewhere',
        'caller_busy',
        'too_many_devices',
        'rate_limited'
      )
    }
  }
} as const

const REJECT_CALL = {
  config: { limit: false, optionalBody: true },
  schema: {
    operationId: 'rejectCall',
    tags: ['calls'],
    summary: 'Decline a call',
    description:
      'Declines the call on all your devices; the caller receives `call.ended` with `declined`. With `scope: "device"` only this device stops ' +
      'ringing. The first reject of a call is never rate limited.',
    params: CallParams,
    body: RejectCallRequest,
    response: {
      200: CallReply,
      ...problems(
        ...BODY_PROBLEMS,
        'call_not_found',
        'wrong_party',
        'wrong_state',
        'answered_elsewhere',
        'too_many_devices',
        'rate_limited'
      )
    }
  }
} as const

const REPORT_RINGING = {
  config: { limit: 'signals', optionalBody: true },
  schema: {
    ...PLAIN_ACTION,
    operationId: 'reportRinging',
    summary: 'Report that this device is ringing',
    description: 'Optional, for the callee. The caller receives `call.ringing` for the first device that reports it.',
    response: {
      200: CallReply,
      ...problems(...BODY_PROBLEMS, 'call_not_found', 'wrong_party', 'wrong_state', 'call_ended', 'rate_limited')
    }
  }
} as const

const CANCEL_CALL = {
  config: { limit: false, optionalBody: true, unloadRoute: true },
  schema: {
    ...PLAIN_ACTION,
    operationId: 'cancelCall',
    summary: 'Cancel a call',
    description:
      'Withdraws a call of yours that is not connected; the callee receives `call.ended`. The first cancel of a call that you created is never ' +
      'rate limited.\n\n' +
      'If there is no such call, a create of yours with this `callId` within the next two minutes rings no device: it returns 200 with ' +
      '`resolution: "existing"` and a call that has ended as `cancelled`. At most 20 such cancels are accepted in two minutes.\n\n' +
      'A page that is being closed may use a ticket: `navigator.sendBeacon(url)`.',
    querystring: UnloadQuery,
    response: { 200: CallReply, ...problems(...BODY_PROBLEMS, 'wrong_party', 'wrong_state', 'rate_limited') }
  }
} as const

const REPORT_CONNECTED = {
  config: { limit: 'signals', optionalBody: true },
  schema: {
    ...PLAIN_ACTION,
    operationId: 'reportConnected',
    summary: 'Report that media flows',
    description:
      'Call it when your `RTCPeerConnection` is `connected`. The call becomes `connected` with the first report; the other side receives ' +
      '`call.connected`. Both sides may report `stats`, and again later: the last report of each is kept for the record of the call.',
    body: ConnectedRequest,
    response: { 200: CallReply, ...problems(...IN_CALL_REFUSALS) }
  }
} as const

const HOLD_CALL = {
  config: { limit: 'signals', optionalBody: true },
  schema: {
    ...PLAIN_ACTION,
    operationId: 'holdCall',
    summary: 'Put the call on hold',
    description:
      'Puts your side on hold; the other side receives `call.held`. Stopping the media is up to the clients.',
    response: { 200: CallReply, ...problems(...IN_CALL_REFUSALS) }
  }
} as const

const RESUME_CALL = {
  config: { limit: 'signals', optionalBody: true },
  schema: {
    ...PLAIN_ACTION,
    operationId: 'resumeCall',
    summary: 'Take the call off hold',
    description: 'Takes your side off hold; the other side receives `call.resumed`.',
    response: { 200: CallReply, ...problems(...IN_CALL_REFUSALS) }
  }
} as const

const UPDATE_CALL_MEDIA = {
  config: { limit: 'signals' },
  schema: {
    operationId: 'updateCallMedia',
    tags: ['calls'],
    summary: 'Tell the other side what is muted',
    description:
      'Says whether your side sends audio and video; the other side receives `call.media_changed`. The call must have been accepted. Muting ' +
      'the media is up to the clients. What you send last counts; a repeat changes nothing.',
    params: CallParams,
    body: UpdateCallMediaRequest,
    response: { 200: CallReply, ...problems(...IN_CALL_REFUSALS) }
  }
} as const

const HANG_UP_CALL = {
  config: { limit: false, optionalBody: true, unloadRoute: true },
  schema: {
    operationId: 'hangUpCall',
    tags: ['calls'],
    summary: 'Hang up',
    description:
      'Ends a call, from any of your devices. The other side receives `call.ended`. A call that is still ringing is cancelled by its ' +
      'caller, and rejected on all devices by its callee. The first hang-up of a call is never rate limited. A page that is being closed may use a ticket: ' +
      '`navigator.sendBeacon(url)`.',
    params: CallParams,
    querystring: UnloadQuery,
    body: HangUpCallRequest,
    response: { 200: CallReply, ...problems(...BODY_PROBLEMS, 'call_not_found', 'rate_limited') }
  }
} as const

export const callActionRoutes: FastifyPluginAsyncTypebox<{ context: Context }> = async (app, { context }) => {
  app.post('/calls/:callId/accept', ACCEPT_CALL, request =>
    acceptCall(context, request.actor, { ...request.params, ...request.body })
  )

  app.post('/calls/:callId/reject', REJECT_CALL, async request => ({
    call: await rejectCall(context, request.actor, { ...request.params, ...request.body })
  }))

  app.post('/calls/:callId/ringing', REPORT_RINGING, async request => ({
    call: await reportRinging(context, request.actor, request.params.callId)
  }))

  app.post('/calls/:callId/cancel', CANCEL_CALL, async request => ({
    call: await cancelCall(context, request.actor, request.params.callId)
  }))

  app.post('/calls/:callId/connected', REPORT_CONNECTED, async request => ({
    call: await reportConnected(context, request.actor, { ...request.params, ...request.body })
  }))

  app.post('/calls/:callId/hold', HOLD_CALL, async request => ({
    call: await holdCall(context, request.actor, request.params.callId)
  }))

  app.post('/calls/:callId/resume', RESUME_CALL, async request => ({
    call: await resumeCall(context, request.actor, request.params.callId)
  }))

  app.post('/calls/:callId/media', UPDATE_CALL_MEDIA, async request => ({
    call: await updateCallMedia(context, request.actor, { ...request.params, ...request.body })
  }))

  app.post('/calls/:callId/hangup', HANG_UP_CALL, async request => ({
    call: await hangUpCall(context, request.actor, { ...request.params, ...request.body })
  }))
}
