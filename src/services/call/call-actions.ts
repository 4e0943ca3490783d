// Call actions: one verb, one function. Each is a command for the rules, committed by transact.

import type { CallCommand } from '../../domain/call/command.js'
import { decideCall } from '../../domain/call/decide-call.js'
import { isPartyOf, sideOf } from '../../domain/call/party.js'
import { type CallState, viewCall } from '../../domain/call/state.js'
import {
  type CallRecord,
  callIn,
  cancelIn,
  earlyCancelTombstone,
  type FinalTombstone,
  tombstoneOf,
  viewTombstone
} from '../../domain/call/tombstone.js'
import { endpoint } from '../../domain/endpoint.js'
import { AppError } from '../../errors.js'
import type { Call, HangUpCallRequest, RejectCallRequest } from '../../schemas/call.js'
import type { Actor } from '../../schemas/claims.js'
import type { Context } from '../context.js'
import { keepaliveIfDue, recordKeepalive, registerDevice } from '../device/keepalive.js'
import { free } from '../free-action.js'
import { listLiveCalls } from './leases.js'
import { readRecord, transact, transactRecord } from './update-call.js'

/** @throws AppError call_not_found, also for the call of others */
export async function getCall(context: Context, actor: Actor, callId: string): Promise<Call> {
  const record = await readRecord(context, callId)
  const refused = refusedCreate(record, actor.user)
  if (refused) return viewTombstone(callId, refused)
  const call = callIn(record)
  if (call === null) throw new AppError('call_not_found')
  sideOf(call, actor.user)
  return viewCall(call, context.clock.now())
}

/** The user's live calls, oldest first. */
export async function listCalls(context: Context, actor: Pick<Actor, 'user'>): Promise<Call[]> {
  const live = await listLiveCalls(context, actor.user)
  return live.sort((a, b) => a.createdAt - b.createdAt).map(state => viewCall(state, context.clock.now()))
}

export function reportRinging(context: Context, actor: Actor, callId: string): Promise<Call> {
  return act(context, actor, callId, { type: 'ringing', actor: endpoint(actor) })
}

export async function rejectCall(
  context: Context,
  actor: Actor,
  callId: string,
  body: RejectCallRequest
): Promise<Call> {
  const scope = body.scope ?? 'user'
  const devices = scope === 'device' ? await devicesOf(context, actor) : []
  const command = { type: 'reject' as const, actor: endpoint(actor), scope, devices }
  return actFree(context, actor, callId, command)
}

/** The user's registered devices, the actor's own among them: it may change its mind, and must have been rung then. */
async function devicesOf(context: Context, actor: Actor): Promise<string[]> {
  await registerDevice(context, actor)
  const known = await context.store.mailboxes.devices(actor.user, context.clock.now())
  return known.map(({ device }) => device)
}

/**
 * Before its create it leaves a tombstone, so that the late create ends `cancelled`. What is answered to a user who is no side of a
 * call says nothing about whether there is one. @throws AppError rate_limited, wrong_party, wrong_state
 */
export async function cancelCall(context: Context, actor: Actor, callId: string): Promise<Call> {
  const command = { type: 'cancel' as const, actor: endpoint(actor) }
  const record = await readRecord(context, callId)
  const refused = refusedCreate(record, actor.user)
  if (refused) return free(context, actor, async () => ({ result: viewTombstone(callId, refused), isRepeat: true }))
  if (!isParty(record, actor.user)) await context.budgets.spend(actor.user, 'cancels')
  return free(context, actor, async () => {
    const { before, state } = await transactRecord(context, callId, (now, at) => cancelIn(now, command, at))
    recordKeepalive(context, actor)
    const now = context.clock.now()
    const call = callIn(state)
    if (call && isPartyOf(call, actor.user)) return { result: viewCall(call, now), isRepeat: before === state }
    return { result: viewTombstone(callId, earlyCancelTombstone(endpoint(actor), now)), isRepeat: false }
  })
}

const isParty = (record: CallRecord | null, user: string) => {
  const call = callIn(record)
  return call !== null && isPartyOf(call, user)
}

/** The user's own create, if it was refused. One that was cancelled before it came is nothing that could be read. */
function refusedCreate(record: CallRecord | null, user: string): FinalTombstone | null {
  const tombstone = tombstoneOf(record, user)
  return tombstone?.because.code === 'cancelled' ? null : tombstone
}

export function reportConnected(context: Context, actor: Actor, callId: string): Promise<Call> {
  return act(context, actor, callId, { type: 'connected', actor: endpoint(actor) })
}

export function hangUpCall(context: Context, actor: Actor, callId: string, body: HangUpCallRequest): Promise<Call> {
  const command = { type: 'hangup' as const, actor: endpoint(actor), reason: body.reason ?? 'hangup' }
  return actFree(context, actor, callId, command)
}

export function holdCall(context: Context, actor: Actor, callId: string): Promise<Call> {
  return act(context, actor, callId, { type: 'hold', actor: endpoint(actor) })
}

export function resumeCall(context: Context, actor: Actor, callId: string): Promise<Call> {
  return act(context, actor, callId, { type: 'resume', actor: endpoint(actor) })
}

async function act(context: Context, actor: Actor, callId: string, command: CallCommand): Promise<Call> {
  return (await run(context, actor, callId, command)).result
}

/** Not limited, unless nothing comes of it. */
function actFree(context: Context, actor: Actor, callId: string, command: CallCommand): Promise<Call> {
  return free(context, actor, () => run(context, actor, callId, command))
}

async function run(context: Context, actor: Actor, callId: string, command: CallCommand) {
  const decide = (call: CallState | null, now: number) => decideCall(call, command, now)
  const { before, state } = await transact(context, callId, decide, keepaliveIfDue(context, actor))
  recordKeepalive(context, actor)
  return { result: viewCall(state, context.clock.now()), isRepeat: before === state }
}
