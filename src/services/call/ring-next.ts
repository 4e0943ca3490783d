// The turn of the next user in a call that rings its users one after the other. The lease of that user is claimed in the commit that begins the
// ringing. Every node may do this at the same time, and the call's deadline does it again if a node has died.
import { calledUser, nextToRing } from '../../domain/call/called.js'
import { decideCall } from '../../domain/call/decide-call.js'
import type { CalledUser, CallState } from '../../domain/call/state.js'
import type { Context } from '../context.js'
import { devicesWoken } from './callees.js'
import { readTargetRelation } from './contacts.js'
import { ROUNDS_MAX, resolveLeaseConflict } from './lease-conflicts.js'
import { holderOf } from './lease-holder.js'
import { releaseIfOver, ringingClaim } from './leases.js'
import { readCall, updateCall, updateCallWithLeases } from './update-call.js'

/** If nobody rings and a user waits: in the background. After a failure the call's deadline does it. */
export function ringNextInBackground(context: Context, call: CallState): void {
  if (nextToRing(call) === undefined) return
  context.background.run(`ring next of call ${call.callId}`, () => ringNext(context, call.callId))
}

/** Users who are busy are left out until one rings, or the call ends. */
export async function ringNext(context: Context, callId: string): Promise<void> {
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const call = await readCall(context, callId)
    const next = call && nextToRing(call)
    if (!call || !next) return
    await ring(context, call, next)
  }
}

async function ring(context: Context, call: CallState, next: CalledUser): Promise<void> {
  const { callId, caller, creator, attempt } = call
  const { user } = next
  const relation = await readTargetRelation(context, caller.user, next)
  const { isKnown, isBlocked: isMuted } = relation
  const claims = isMuted ? [] : [ringingClaim(context, call, { user, isKnown })]
  const command = { type: 'ring' as const, user, isMuted, wakes: await devicesWoken(context, { user, relation }) }
  const result = await updateCallWithLeases(context, { id: callId }, (state, now) => {
    const decision = decideCall(state, command, now)
    return decision.state === state ? decision : { ...decision, claims }
  })
  if (!('refused' in result)) {
    if (calledUser(result.state, user)?.state !== 'ringing') await releaseIfOver(context, user, holderOf(call, user))
    return
  }
  const request = { callId, caller: { ...caller, user: creator }, attempt, callees: [{ user }], isForSeveral: true }
  const conflict = await resolveLeaseConflict(context, request, result.refused)
  if (conflict.status === 'gone') return
  await updateCall(context, { id: callId }, (state, now) =>
    decideCall(state, { type: 'skip', user, reason: 'busy' }, now)
  )
}
