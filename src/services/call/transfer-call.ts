// Transferring a call: ring the target in the call, and take that back. Accepting it is accept-call.ts.
import type { CommandOf } from '../../domain/call/command.js'
import { decideCall } from '../../domain/call/decide-call.js'
import { conflict } from '../../domain/call/party.js'
import { type CallState, otherSide } from '../../domain/call/state.js'
import { viewCall } from '../../domain/call/view.js'
import { endpoint } from '../../domain/endpoint.js'
import { AppError } from '../../errors.js'
import type { Call } from '../../schemas/call.js'
import type { Actor } from '../../schemas/claims.js'
import type { TransferCallRequest } from '../../schemas/transfer.js'
import type { Charge } from '../../store/budget-counters.js'
import type { LeaseRefusal } from '../aggregate-rules.js'
import type { Context } from '../context.js'
import { keepaliveIfDue, recordKeepalive } from '../device/keepalive.js'
import { devicesToWake, takePush } from '../push/wake.js'
import { type CalleeRelation, ringAttemptCharges } from './contacts.js'
import { ROUNDS_MAX, resolveLeaseConflict } from './lease-conflicts.js'
import { releaseIfOver, transferClaim } from './leases.js'
import { permitTransfer, type TransferPlan } from './transfer-permission.js'
import { planTransfer, requireConnected } from './transfer-plan.js'
import { updateCall, updateCallWithLeases } from './update-call.js'

/**
 * Rings the target. A repeat by the same device changes nothing. Resolves to the call that goes on.
 * @throws AppError cannot_call_self, wrong_state, transfer_pending, transfer_limit, callee_busy, callee_unreachable, policy_denied, …
 */
export async function transferCall(
  context: Context,
  actor: Actor,
  request: TransferCallRequest & { readonly callId: string }
): Promise<Call> {
  const { call, plan, replaced } = await planTransfer(context, actor, request)
  // Refused and repeated requests ask no policy, charge nothing and wake no device.
  const tried = decideCall(call, { type: 'transfer', ...plan, isMuted: false, wakes: null }, context.clock.now())
  if (replaced && tried.state !== call) requireConnected(replaced, actor)
  const state = tried.state === call ? call : await ring(context, actor, { state: tried.state, plan })
  recordKeepalive(context, actor)
  return viewCall(state, context.clock.now(), actor.user)
}

interface Ringing {
  readonly state: CallState
  readonly plan: TransferPlan
}

async function ring(context: Context, actor: Actor, { state: { callId, caller, ...tried }, plan }: Ringing) {
  const transferee = caller.user === actor.user ? tried.callee : caller
  if (transferee === null) throw new TypeError('a connected call has two parties')
  const { plan: permitted, relation } = await permitTransfer(context, plan, { callId, transferee })
  const { user } = permitted.to
  const wakes = await chooseDevicesToWake(context, permitted, relation)
  const command = { type: 'transfer' as const, ...permitted, isMuted: relation.isBlocked, wakes }
  const charges = ringAttemptCharges(context, { caller: actor.user, callee: user }, relation)
  return commitTransfer(context, actor, { callId, command, relation, charges })
}

async function chooseDevicesToWake(context: Context, { to }: TransferPlan, relation: CalleeRelation) {
  const devices = devicesToWake(context, relation)
  if (devices === null || !(await takePush(context, to.user, relation))) return null
  return to.device === null ? devices : devices.filter(device => device === to.device)
}

interface Transferring {
  readonly callId: string
  readonly command: CommandOf<'transfer'>
  readonly relation: CalleeRelation
  readonly charges: readonly Charge[]
}

async function commitTransfer(context: Context, actor: Actor, transferring: Transferring): Promise<CallState> {
  const { callId, command, relation } = transferring
  let { charges } = transferring
  const claimed = new Set<string>()
  let call: CallState | null = null
  const decide = (state: CallState | null, now: number) => {
    const decision = decideCall(state, command, now)
    call = state
    if (decision.state === state) return decision
    const claims = transferClaim(context, decision.state, relation)
    for (const { lease } of claims) claimed.add(lease.holder)
    return { ...decision, claims, charges }
  }
  try {
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const target = { id: callId, acting: keepaliveIfDue(context, actor) }
      const result = await updateCallWithLeases(context, target, decide)
      if (!('refused' in result)) return result.state
      charges = []
      await throwIfTargetBusy(context, { call, command }, result)
    }
  } finally {
    // On a Cluster a commit that conflicted may have left its claim.
    await Promise.all([...claimed].map(holder => releaseIfOver(context, command.to.user, holder))).catch(error =>
      context.log.warn({ err: error, callId }, 'lease of a transfer not released; it is taken over')
    )
  }
  throw new AppError('store_unavailable', { detail: 'Too many concurrent changes' })
}

interface Refused {
  readonly call: CallState | null
  readonly command: CommandOf<'transfer'>
}

/** Returns if the transfer has to be decided again: the conflicting lease is gone. @throws AppError callee_busy */
async function throwIfTargetBusy(
  context: Context,
  { call, command }: Refused,
  { refused }: LeaseRefusal
): Promise<void> {
  if (call === null) return
  const side = call.caller.user === command.actor.user ? 'caller' : 'callee'
  const caller = call[otherSide(side)] ?? call.caller
  const request = {
    callId: call.callId,
    caller,
    attempt: call.attempt,
    callees: [{ user: command.to.user }],
    isForSeveral: false
  }
  const { status } = await resolveLeaseConflict(context, request, refused)
  if (status !== 'gone') throw conflict(call, 'callee_busy')
}

/** Without a pending transfer this changes nothing. @throws AppError wrong_party, call_not_found */
export async function cancelTransfer(context: Context, actor: Actor, callId: string): Promise<Call> {
  const target = { id: callId, acting: keepaliveIfDue(context, actor) }
  const command = { type: 'cancelTransfer' as const, actor: endpoint(actor) }
  const { state } = await updateCall(context, target, (call, now) => decideCall(call, command, now))
  recordKeepalive(context, actor)
  return viewCall(state, context.clock.now(), actor.user)
}
