// Call actions: one verb, one function. Each is a command for the rules, committed by transact.
import { decideCall } from '../domain/call.js'
import type { CallCommand } from '../domain/command.js'
import { sideOf } from '../domain/party.js'
import { viewCall } from '../domain/state.js'
import { AppError } from '../errors.js'
import type { Call, HangupBody, RejectBody } from '../schemas/call.js'
import type { Actor } from '../schemas/claims.js'
import type { Endpoint } from '../schemas/common.js'
import type { Context } from './context.js'
import { listLiveCalls } from './leases.js'
import { noteSignOfLife, registerDevice } from './sign-of-life.js'
import { readCall, transact } from './transact.js'

/** @throws AppError call_not_found, also for somebody else's call */
export async function getCall(context: Context, actor: Actor, callId: string): Promise<Call> {
  const state = await readCall(context, callId)
  if (state === null) throw new AppError('call_not_found')
  sideOf(state, actor.user)
  return viewCall(state, context.clock.now())
}

/** The user's live calls, oldest first. */
export async function listCalls(context: Context, actor: Pick<Actor, 'user'>): Promise<Call[]> {
  const live = await listLiveCalls(context, actor.user)
  return live.sort((a, b) => a.createdAt - b.createdAt).map(state => viewCall(state, context.clock.now()))
}

export function reportRinging(context: Context, actor: Actor, callId: string): Promise<Call> {
  return act(context, actor, callId, { type: 'ringing', actor: endpoint(actor) })
}

export async function rejectCall(context: Context, actor: Actor, callId: string, body: RejectBody): Promise<Call> {
  const scope = body.scope ?? 'user'
  const devices = scope === 'device' ? await devicesOf(context, actor) : []
  return act(context, actor, callId, { type: 'reject', actor: endpoint(actor), scope, devices })
}

/** The user's registered devices, the actor's own among them: it may change its mind, and must have been rung then. */
async function devicesOf(context: Context, actor: Actor): Promise<string[]> {
  await registerDevice(context, actor)
  const known = await context.store.mailboxes.devices(actor.user, context.clock.now())
  return known.map(({ device }) => device)
}

/** Before its create it leaves a tombstone, so that the late create ends `cancelled`. */
export function cancelCall(context: Context, actor: Actor, callId: string): Promise<Call> {
  return act(context, actor, callId, { type: 'cancel', callId, actor: endpoint(actor) })
}

export function reportConnected(context: Context, actor: Actor, callId: string): Promise<Call> {
  return act(context, actor, callId, { type: 'connected', actor: endpoint(actor) })
}

export function hangUpCall(context: Context, actor: Actor, callId: string, body: HangupBody): Promise<Call> {
  return act(context, actor, callId, { type: 'hangup', actor: endpoint(actor), reason: body.reason ?? 'hangup' })
}

export function holdCall(context: Context, actor: Actor, callId: string): Promise<Call> {
  return act(context, actor, callId, { type: 'hold', actor: endpoint(actor) })
}

export function resumeCall(context: Context, actor: Actor, callId: string): Promise<Call> {
  return act(context, actor, callId, { type: 'resume', actor: endpoint(actor) })
}

async function act(context: Context, actor: Actor, callId: string, command: CallCommand): Promise<Call> {
  const { state } = await transact(context, callId, (call, now) => decideCall(call, command, now))
  noteSignOfLife(context, actor)
  return viewCall(state, context.clock.now())
}

export const endpoint = (actor: Actor): Endpoint => ({ user: actor.user, device: actor.device })
