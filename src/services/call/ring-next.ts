// The turn of the next user in a call that rings its users one after the other. The lease of that user is claimed in the commit that begins the
// ringing. Every node may do this at the same time, and the call's deadline does it again if a node has died.
import { calledUser, nextToRing } from '../../domain/call/called.js'
import { decideCall } from '../../domain/call/decide-call.js'
import { OPERATOR } from '../../domain/call/operator-call.js'
import type { CalledUser, CallState } from '../../domain/call/state.js'
import { AppError } from '../../errors.js'
import type { Charge } from '../../store/budget-counters.js'
import type { Context } from '../context.js'
import { devicesWoken } from './callees.js'
import {
  type CalleeRelation,
  checkRingBudgets,
  readTargetRelation,
  refuseDuringBackoff,
  ringAttemptCharges
} from './contacts.js'
import { ROUNDS_MAX, resolveLeaseConflict } from './lease-conflicts.js'
import { holderOf } from './lease-holder.js'
import { releaseIfOver, ringingClaim } from './leases.js'
import { readCall, updateCall, updateCallWithLeases } from './update-call.js'

/** In the background, if a user waits and no other rings. After a failure the call's deadline does it. */
export function ringNextInBackground(context: Context, call: CallState): void {
  if (nextToRing(call) === undefined) return
  context.background.run(`ring next of call ${call.callId}`, () => ringNext(context, call.callId))
}

/** Users who are busy, or whose budgets are spent, are left out until one rings, or the call ends. */
export async function ringNext(context: Context, callId: string): Promise<void> {
  const paid = new Map<string, Paid>()
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const call = await readCall(context, callId)
    const next = call && nextToRing(call)
    if (!call || !next) return
    const reason = await ring(context, call, { next, paid })
    if (reason) await updateCall(context, { id: callId }, skip(next.user, reason))
  }
}

const skip = (user: string, reason: 'busy' | 'unreachable') => (state: CallState | null, now: number) =>
  decideCall(state, { type: 'skip', user, reason }, now)

interface Turn {
  readonly next: CalledUser
  /** What was taken of the budgets of the users whom a refused commit was to ring. */
  readonly paid: Map<string, Paid>
}

/** Taken once, however often a commit is refused. */
interface Paid {
  /** The devices that are woken, for which a push was taken. */
  readonly wakes: readonly string[] | null
}

/** Resolves to why the user does not ring; null: look again. */
async function ring(context: Context, call: CallState, { next, paid }: Turn): Promise<'busy' | 'unreachable' | null> {
  const { callId, caller, creator, attempt } = call
  const { user } = next
  const relation = await readTargetRelation(context, caller.user, next)
  try {
    const charges = paid.has(user) ? [] : await chargesOf(context, call, { user, relation })
    const { wakes } = paid.get(user) ?? { wakes: await devicesWoken(context, { user, relation }) }
    const result = await commitRing(context, call, { user, relation, charges, wakes })
    if (!('refused' in result)) {
      if (calledUser(result.state, user)?.state !== 'ringing') await releaseIfOver(context, user, holderOf(call, user))
      return null
    }
    paid.set(user, { wakes })
    const request = { callId, caller: { ...caller, user: creator }, attempt, callees: [{ user }], isForSeveral: true }
    const conflict = await resolveLeaseConflict(context, request, result.refused)
    return conflict.status === 'gone' ? null : 'busy'
  } catch (error) {
    if (error instanceof AppError && error.code === 'rate_limited') return 'unreachable'
    throw error
  }
}

interface Ringing {
  readonly user: string
  readonly relation: CalleeRelation
  readonly charges: readonly Charge[]
  readonly wakes: readonly string[] | null
}

/** A ring attempt counts when its turn begins: otherwise attempts could be saved up. @throws AppError rate_limited */
async function chargesOf(context: Context, call: CallState, { user, relation }: Pick<Ringing, 'user' | 'relation'>) {
  // No user asked for the call of an operator.
  if (call.creator === OPERATOR) return []
  const pair = { caller: call.caller.user, callee: user }
  refuseDuringBackoff(context, relation)
  await checkRingBudgets(context, pair, relation)
  return ringAttemptCharges(context, pair, relation)
}

async function commitRing(context: Context, call: CallState, { user, relation, charges, wakes }: Ringing) {
  const { isKnown, isBlocked: isMuted } = relation
  const claims = isMuted ? [] : [ringingClaim(context, call, { user, isKnown })]
  const command = { type: 'ring' as const, user, isMuted, wakes }
  return updateCallWithLeases(context, { id: call.callId }, (state, now) => {
    const decision = decideCall(state, command, now)
    return decision.state === state ? decision : { ...decision, claims, charges }
  })
}
