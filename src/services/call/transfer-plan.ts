// Which call is transferred to whom: to a user, or, attended, to the other party of another call of the transferor.
import { byAge } from '../../domain/call/attended.js'
import { conflict, requireActiveDevice, sideOf, tooEarly, wasPartyOf } from '../../domain/call/party.js'
import { type CallState, otherSide } from '../../domain/call/state.js'
import { formerParty } from '../../domain/call/view.js'
import { endpoint } from '../../domain/endpoint.js'
import { AppError } from '../../errors.js'
import type { Endpoint } from '../../schemas/common.js'
import type { TransferCallRequest } from '../../schemas/transfer.js'
import type { Context } from '../context.js'
import { holderOf } from './lease-holder.js'
import type { TransferPlan } from './transfer-permission.js'
import { readCall } from './update-call.js'

interface PlannedTransfer {
  /** The call that goes on. */
  readonly call: CallState
  readonly plan: TransferPlan
  /** Of an attended transfer: the call that ends for it. */
  readonly replaced?: CallState
}

/** @throws AppError invalid_request, cannot_call_self, call_not_found, call_ended, wrong_state */
export async function planTransfer(
  context: Context,
  actor: Endpoint,
  { callId, to, toCall, ringTimeoutMs: ringMs = context.config.ringTimeoutMs }: TransferCallRequest & { callId: string }
): Promise<PlannedTransfer> {
  const call = await readAsParty(context, actor, callId)
  if ((to === undefined) === (toCall === undefined)) {
    throw new AppError('invalid_request', { detail: 'body must have either to or toCall' })
  }
  const from = { actor: endpoint(actor), ringMs }
  if (to === undefined) return planAttended(from, call, await readAsParty(context, actor, toCall ?? ''))
  const target = typeof to === 'string' ? { user: to, device: null } : { user: to.user, device: to.device ?? null }
  if (target.user === actor.user) throw new AppError('cannot_call_self')
  return { call, plan: { ...from, to: target } }
}

async function readAsParty(context: Context, { user }: Endpoint, callId: string): Promise<CallState> {
  const call = await readCall(context, callId)
  if (call === null || !wasPartyOf(call, user)) throw new AppError('call_not_found')
  return call
}

function planAttended(from: Pick<TransferPlan, 'actor' | 'ringMs'>, one: CallState, other: CallState): PlannedTransfer {
  if (one.callId === other.callId) throw new AppError('invalid_request', { detail: 'body/toCall is the same call' })
  const [call, replaced] = byAge(one, other)
  const to = otherPartyOf(replaced, from.actor)
  const plan = { ...from, to, replaces: { callId: replaced.callId, lease: holderOf(replaced, to.user) } }
  return { call, plan, replaced }
}

/** Also of a call that has ended: the request may be a repeat. */
function otherPartyOf(call: CallState, { user }: Endpoint): Endpoint {
  if (formerParty(call, user)) throw conflict(call, 'call_ended')
  const other = call[otherSide(sideOf(call, user))]
  if (other !== null) return other
  throw call.phase === 'ended' ? conflict(call, 'call_ended') : tooEarly(call, 'The call is not connected')
}

/** @throws AppError call_not_found, call_ended, other_device, wrong_state unless the device is in the call, and it is connected */
export function requireConnected(call: CallState | null, actor: Endpoint): CallState {
  if (call === null) throw new AppError('call_not_found')
  if (formerParty(call, actor.user)) throw conflict(call, 'call_ended')
  requireActiveDevice(call, actor)
  if (call.phase !== 'connected') throw tooEarly(call, 'The call is not connected')
  return call
}

/** The lease of the caller that does not count for a consultation. @throws as requireConnected */
export async function consultationLease(context: Context, actor: Endpoint, callId: string): Promise<string> {
  return holderOf(requireConnected(await readCall(context, callId), actor), actor.user)
}
