// Transferring a call.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { CallReply } from '../schemas/call.js'
import { BODY_PROBLEMS, problems } from '../schemas/problem.js'
import { TransferCallRequest } from '../schemas/transfer.js'
import { cancelTransfer, transferCall } from '../services/call/transfer-call.js'
import type { Context } from '../services/context.js'
import { CallParams } from './calls.js'

const TRANSFER_CALL = {
  config: { limit: 'calls' },
  schema: {
    operationId: 'transferCall',
    tags: ['calls'],
    summary: 'Transfer a call',
    description:
      'Rings another user, who is to take your place in a connected call. You and the other party stay in the call while it rings: the other ' +
      'party receives `call.transferring`, the target `call.incoming` with `transferredBy`, and both of you `call.ringing`.\n\n' +
      'When the target accepts, the call has ended for you: `call.ended` with `transferred`. The other party receives `call.transferred`, is the ' +
      'caller from then on, and connects with the target anew. If the target does not accept, both of you receive `call.transfer_failed`, and the ' +
      'call goes on. If you hang up meanwhile, the call waits for the target without you.\n\n' +
      'With `toCall` the transfer is attended: it joins the other parties of two calls that your device is in. The older one goes on, is the call of the ' +
      'reply, and rings the device on the other side of the newer one, which ends when that device accepts.\n\n' +
      'A repeat changes nothing. One transfer at a time: another one fails with `transfer_pending`. A call can be transferred 8 times.',
    params: CallParams,
    body: TransferCallRequest,
    response: {
      200: CallReply,
      ...problems(
        ...BODY_PROBLEMS,
        'call_not_found',
        'cannot_call_self',
        'other_device',
        'wrong_state',
        'call_ended',
        'transfer_pending',
        'transfer_limit',
        'callee_busy',
        'callee_unreachable',
        'policy_denied',
        'policy_unavailable',
        'redirect_loop',
        'rate_limited'
      )
    }
  }
} as const

const CANCEL_TRANSFER = {
  config: { limit: 'signals' },
  schema: {
    operationId: 'cancelTransfer',
    tags: ['calls'],
    summary: 'Take a transfer back',
    description:
      'The target stops ringing, and the call goes on. The other party receives `call.transfer_failed`. If no user is rung, this changes ' +
      'nothing: look at the call in the reply, which has ended as `transferred` if the target was faster.',
    params: CallParams,
    response: { 200: CallReply, ...problems(...BODY_PROBLEMS, 'call_not_found', 'wrong_party', 'rate_limited') }
  }
} as const

export const transferRoutes: FastifyPluginAsyncTypebox<{ context: Context }> = async (app, { context }) => {
  app.post('/calls/:callId/transfer', TRANSFER_CALL, async request => ({
    call: await transferCall(context, request.actor, { ...request.params, ...request.body })
  }))

  app.delete('/calls/:callId/transfer', CANCEL_TRANSFER, async request => ({
    call: await cancelTransfer(context, request.actor, request.params.callId)
  }))
}
