// An operator ends a call. The operator is no party: the events name no one.
import { decideCall } from '../../domain/call/decide-call.js'
import type { AdminCallReply } from '../../schemas/admin-call.js'
import { updateCall } from '../call/update-call.js'
import type { Context } from '../context.js'
import { viewForOperator } from './live-calls.js'

/** In every state; a call that has ended stays as it is. @throws AppError call_not_found */
export async function endCallAsOperator(context: Context, callId: string): Promise<AdminCallReply> {
  const { state } = await updateCall(context, { id: callId }, (call, now) => decideCall(call, { type: 'stop' }, now))
  return { call: viewForOperator(context, state) }
}
