// The actions of a call: each function gives one command to the rules and commits the decision.
import type { CallCommand } from '../../domain/call/command.js'
import { decideCall } from '../../domain/call/decide-call.js'
import { wasPartyOf } from '../../domain/call/party.js'
import {
  type CallIdRecord,
  callIn,
  decideCallCancel,
  earlyCancelTombstone,
  viewTombstone
} from '../../domain/call/tombstone.js'
import { viewCall } from '../../domain/call/view.js'
import { endpoint } from '../../domain/endpoint.js'
import type { Call, HangUpCallRequest, RejectCallRequest, UpdateCallMediaRequest } from '../../schemas/call.js'
import type { ConnectedRequest } from '../../schemas/call-record.js'
import type { Actor } from '../../schemas/claims.js'
import type { Context } from '../context.js'
import { keepaliveIfDue, recordKeepalive, registerDevice } from '../device/keepalive.js'
import { runUnlimited } from '../unlimited-action.js'
import { refusedCreate } from './read-call.js'
import { ringNextInBackground } from './ring-next.js'
import { readRecord, updateCall, updateRecord } from './update-call.js'

export function reportRinging(context: Context, actor: Actor, callId: string): Promise<Call> {
  return act(context, actor, { callId, command: { type: 'ringing', actor: endpoint(actor) } })
}

export async function rejectCall(
  context: Context,
  actor: Actor,
  { callId, scope = 'user' }: RejectCallRequest & { readonly callId: string }
): Promise<Call> {
  const devices = scope === 'device' ? await devicesOf(context, actor) : []
  const command = { type: 'reject' as const, actor: endpoint(actor), scope, devices }
  return actUnlimited(context, actor, { callId, command })
}

/** The user's registered devices. The actor's own is registered first, so that it is one of them. */
async function devicesOf(context: Context, actor: Actor): Promise<string[]> {
  await registerDevice(context, actor)
  const known = await context.store.mailboxes.devices(actor.user, context.clock.now())
  return known.map(({ device }) => device)
}

/**
 * A cancel that arrives before its create leaves a tombstone: the late create then ends as `cancelled`. A stranger gets the same reply, so
 * that it does not show whether the call exists. @throws AppError rate_limited, wrong_party, wrong_state
 */
export async function cancelCall(context: Context, actor: Actor, callId: string): Promise<Call> {
  const command = { type: 'cancel' as const, actor: endpoint(actor) }
  const record = await readRecord(context, callId)
  const refused = refusedCreate(record, actor.user)
  if (refused)
    return runUnlimited(context, actor, async () => ({ result: viewTombstone(callId, refused), isRepeat: true }))
  if (!isParty(record, actor.user)) await chargeEarlyCancel(context, actor, callId)
  return runUnlimited(context, actor, async () => {
    const { before, state } = await updateRecord(context, { id: callId }, (record, now) =>
      decideCallCancel(record, command, now)
    )
    recordKeepalive(context, actor)
    const now = context.clock.now()
    const call = callIn(state)
    if (call && wasPartyOf(call, actor.user))
      return { result: viewCall(call, now, actor.user), isRepeat: before === state }
    return { result: viewTombstone(callId, earlyCancelTombstone(endpoint(actor), now)), isRepeat: false }
  })
}

/** A create that was in flight may be committed by the time the budget is refused: its caller may always cancel it. */
async function chargeEarlyCancel(context: Context, { user }: Actor, callId: string): Promise<void> {
  try {
    await context.budgets.spend(user, 'cancels')
  } catch (error) {
    if (!isParty(await readRecord(context, callId), user)) throw error
  }
}

const isParty = (record: CallIdRecord | null, user: string) => {
  const call = callIn(record)
  return call !== null && wasPartyOf(call, user)
}

export function reportConnected(
  context: Context,
  actor: Actor,
  { callId, stats }: ConnectedRequest & { readonly callId: string }
): Promise<Call> {
  return act(context, actor, { callId, command: { type: 'connected', actor: endpoint(actor), stats } })
}

export function hangUpCall(
  context: Context,
  actor: Actor,
  { callId, reason = 'hangup' }: HangUpCallRequest & { readonly callId: string }
): Promise<Call> {
  const command = { type: 'hangup' as const, actor: endpoint(actor), reason }
  return actUnlimited(context, actor, { callId, command })
}

export function holdCall(context: Context, actor: Actor, callId: string): Promise<Call> {
  return act(context, actor, { callId, command: { type: 'hold', actor: endpoint(actor) } })
}

export function resumeCall(context: Context, actor: Actor, callId: string): Promise<Call> {
  return act(context, actor, { callId, command: { type: 'resume', actor: endpoint(actor) } })
}

export function updateCallMedia(
  context: Context,
  actor: Actor,
  { callId, audio, video }: UpdateCallMediaRequest & { readonly callId: string }
): Promise<Call> {
  return act(context, actor, { callId, command: { type: 'media', actor: endpoint(actor), audio, video } })
}

interface Action {
  readonly callId: string
  readonly command: CallCommand
}

async function act(context: Context, actor: Actor, action: Action): Promise<Call> {
  return (await run(context, actor, action)).result
}

/** Not rate limited if it changes the call. */
function actUnlimited(context: Context, actor: Actor, action: Action): Promise<Call> {
  return runUnlimited(context, actor, () => run(context, actor, action))
}

async function run(context: Context, actor: Actor, { callId, command }: Action) {
  const target = { id: callId, acting: keepaliveIfDue(context, actor) }
  const { before, state } = await updateCall(context, target, (call, now) => decideCall(call, command, now))
  recordKeepalive(context, actor)
  ringNextInBackground(context, state)
  return { result: viewCall(state, context.clock.now(), actor.user), isRepeat: before === state }
}
