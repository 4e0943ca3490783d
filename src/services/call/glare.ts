// Glare: two users call each other at the same moment. The second create becomes the accept of the first call, in three steps:
//
// 1. Find. The claim of the second create is refused, and resolveLeaseConflict in lease-conflicts.ts finds that the callee's call to this
//    caller rings.
// 2. Record. prepareMerge makes the caller's lease for that call active. Then create-call.ts closes the create with a tombstone: `merged`,
//    and the id of that call. From then on the create will not make a call of its own.
// 3. Accept. repeat-create.ts reads the tombstone and calls acceptMerged. If a node dies before that, a repeat of the create accepts; without
//    one, the first call rings until its deadline.
import type { Refusal } from '../../domain/call/command.js'
import type { CallState, RequestSignals } from '../../domain/call/state.js'
import { viewCall } from '../../domain/call/view.js'
import { AppError } from '../../errors.js'
import type { Call } from '../../schemas/call.js'
import type { Delivery, Endpoint } from '../../schemas/common.js'
import type { Context } from '../context.js'
import { NO_DELIVERY } from '../mail.js'
import { commitAccept } from './accept-call.js'
import { activateLease } from './lease-conflicts.js'
import { releaseLeases } from './leases.js'
import { readCall } from './update-call.js'

/** Resolves to the reason that closes the caller's create. Null: `ringing`, the callee's call, has ended; the create claims its leases again. */
export async function prepareMerge(context: Context, caller: string, ringing: CallState): Promise<Refusal | null> {
  if (context.config.onGlare === 'reject') return { code: 'call_glare' }
  const activeCallId = await activateLease(context, ringing, caller)
  if (activeCallId !== null) return { code: 'caller_busy', activeCallId }
  // A lease that is taken after the end of its call would remain.
  if ((await readCall(context, ringing.callId))?.phase === 'ended') {
    await releaseLeases(context, ringing)
    return null
  }
  return { code: 'merged', into: ringing.callId }
}

/**
 * The caller's device accepts the call that its create was merged into. Resolves also to the signals of that call's create: to answer them,
 * the device does not have to wait for `call.incoming`. Changes nothing if another device has answered or the call has ended.
 * @throws AppError call_ended if the call is not stored any more; caller_busy, store_unavailable
 */
export async function acceptMerged(
  context: Context,
  caller: Endpoint,
  callId: string
): Promise<{ call: Call; delivery: Delivery } & RequestSignals> {
  const ringing = await readCall(context, callId)
  if (ringing?.phase === 'ringing') {
    try {
      const { before, state, deliveries } = await commitAccept(context, { id: callId }, { actor: caller })
      const delivery = deliveries.get(state.caller.user) ?? NO_DELIVERY
      return { call: viewCall(state, context.clock.now(), caller.user), delivery, ...before?.early }
    } catch (error) {
      if (!(error instanceof AppError) || !['call_ended', 'answered_elsewhere'].includes(error.code)) throw error
    }
  }
  const merged = await readCall(context, callId)
  if (merged === null) throw new AppError('call_ended')
  return { call: viewCall(merged, context.clock.now(), caller.user), delivery: NO_DELIVERY }
}
