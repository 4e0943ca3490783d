// Accepting a call. Rule 4 of the lease protocol (DESIGN 5a): everything is validated, then the callee's lease becomes active, then
// the accept is committed. An accept that fails after that leaves the lease as it is: another device of the user may have won.

import { decideCall } from '../../domain/call/decide-call.js'
import { conflict } from '../../domain/call/party.js'
import { type CallState, viewCall } from '../../domain/call/state.js'
import { AppError } from '../../errors.js'
import type { Call } from '../../schemas/call.js'
import type { Actor } from '../../schemas/claims.js'
import type { Endpoint } from '../../schemas/common.js'
import { formatCursor } from '../../store/cursor.js'
import type { Lease } from '../../store/leases.js'
import type { Acting, Refused } from '../aggregate-kind.js'
import type { Context } from '../context.js'
import { actAs } from '../device/keepalive.js'
import { acceptTimes } from '../intervals.js'
import { holderOfCall, parseHolder } from './lease-holder.js'
import { activeClaim, findRival, ROUNDS_MAX, waitForCall } from './leases.js'
import { claim, type Outcome, readCall, transact } from './update-call.js'

/**
 * Also registers the device: the cursor is where its stream should begin to miss nothing of the call.
 * @throws AppError call_not_found, wrong_party, call_ended, answered_elsewhere, caller_busy, too_many_devices
 */
export async function acceptCall(
  context: Context,
  actor: Actor,
  callId: string
): Promise<{ call: Call; cursor: string }> {
  const part = actAs(context, actor)
  const { state, head } = await commitAccept(context, callId, actor, part.acting)
  return { call: viewCall(state, context.clock.now()), cursor: formatCursor(await part.cursor(head)) }
}

/** Also the second half of a glare merge. @throws AppError caller_busy naming the call that the user is in */
export async function commitAccept(
  context: Context,
  callId: string,
  { user, device }: Endpoint,
  by?: Acting
): Promise<Outcome> {
  const actor = { user, device }
  const command = { type: 'accept' as const, actor, ...acceptTimes(context.config) }
  let claimed: CallState | null = null
  const decide = (call: CallState | null, now: number) => {
    const decision = decideCall(call, command, now)
    if (call === null || decision.state === call) return decision
    claimed = call
    return { ...decision, claims: [activeClaim(context, call, actor.user)] }
  }
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const outcome = await claim(context, callId, decide, by).catch(async error => {
      // On a Cluster the claim may have taken a lease that the call's end had released before.
      if (claimed && error instanceof AppError && error.code === 'call_ended') {
        await context.store.leases.release(actor.user, holderOfCall(claimed))
      }
      throw error
    })
    if (!('refused' in outcome)) {
      endWaitingCalls(context, actor.user, outcome.leases.get(actor.user) ?? [])
      return outcome
    }
    await throwIfBusy(context, claimed, outcome)
  }
  throw new AppError('store_unavailable', { detail: 'Too many others changed this at the same moment' })
}

/** On a Cluster the claim is judged before the call, and a cached call may have changed: then the accept is decided again. */
async function throwIfBusy(context: Context, call: CallState | null, { refused }: Refused): Promise<void> {
  const activeCallId = call && (await findRival(context, call, refused))
  if (!call || !activeCallId || (await readCall(context, call.callId))?.version !== call.version) return
  throw conflict(call, 'caller_busy', { detail: 'End the call you are in first', extra: { activeCallId } })
}

/**
 * The accept has taken the user's last slot: the other calls that ring for them end as `busy`, unless call waiting is on. Each is a
 * commit of its own, after the accept's; what a crash leaves over rings until its deadline.
 */
function endWaitingCalls(context: Context, user: string, held: readonly Lease[]): void {
  const { callWaiting, maxCallsPerUser } = context.config
  const waiting = held.filter(({ kind }) => kind !== 'active')
  if (callWaiting || held.length - waiting.length < maxCallsPerUser) return
  for (const lease of waiting) {
    const { callId } = parseHolder(lease.holder)
    context.background.run(`end waiting call ${lease.holder}`, async closing => {
      if (!(await waitForCall(context, lease, closing))) return
      await transact(context, callId, (call, now) => decideCall(call, { type: 'busy', user }, now))
    })
  }
}
