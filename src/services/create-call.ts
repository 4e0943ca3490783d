// Creating a call: idempotent by its id, exclusive by its leases, decided at the lease when two people call each other.
import { askPolicy } from '../adapters/policy.js'
import { formatCursor } from '../delivery/cursor.js'
import { decideCall } from '../domain/call.js'
import type { Refusal } from '../domain/command.js'
import { standing } from '../domain/party.js'
import { parseDescription } from '../domain/sdp.js'
import { type CallState, viewCall } from '../domain/state.js'
import { AppError } from '../errors.js'
import { idFromKey } from '../ids.js'
import type { CreateCallBody, CreateCallReply } from '../schemas/call.js'
import type { Actor } from '../schemas/claims.js'
import type { Delivery, Endpoint } from '../schemas/common.js'
import type { Context } from './context.js'
import { type Claim, claimBoth, releaseBoth } from './leases.js'
import { checkMetadata } from './metadata.js'
import { registerDevice } from './sign-of-life.js'
import { acceptTimes } from './times.js'
import { readCall, transact } from './transact.js'

export type Created = Omit<CreateCallReply, 'cursor'>

/**
 * Rings the callee. A repeat with the same callId (or Idempotency-Key) answers with the first result.
 * @throws AppError cannot_call_self, invalid_sdp, caller_busy, callee_busy, callee_unreachable, call_glare, call_id_taken,
 *   call_ended (the id was given up), policy_denied, policy_unavailable, store_unavailable
 */
export async function createCall(
  context: Context,
  actor: Actor,
  body: CreateCallBody,
  idempotencyKey?: string
): Promise<CreateCallReply> {
  if (body.to === actor.user) throw new AppError('cannot_call_self')
  checkMetadata(body.metadata)
  const callId = body.callId ?? (idempotencyKey ? idFromKey(actor.user, idempotencyKey) : context.ids.unique())
  const claim: Claim = { callId, caller: { user: actor.user, device: actor.device }, to: body.to }
  const command = {
    type: 'create' as const,
    callId,
    actor: claim.caller,
    to: body.to,
    media: body.media ?? null,
    metadata: body.metadata ?? {},
    offer: body.offer ? parseDescription(body.offer.sdp) : null,
    ringMs: body.ringTimeoutMs ?? context.config.ringTimeoutMs
  }
  const [known, cursor] = await Promise.all([readCall(context, callId), registerDevice(context, actor)])
  const created =
    known === null
      ? await ring(context, claim, body, (state, now) => decideCall(state, command, now))
      : await repeated(context, decideCall(known, command, context.clock.now()).state)
  context.metrics.callsCreated.inc({ resolution: created.resolution })
  return { ...created, cursor: formatCursor(cursor) }
}

type DecideCreate = (state: CallState | null, now: number) => ReturnType<typeof decideCall>

async function ring(context: Context, claim: Claim, body: CreateCallBody, decide: DecideCreate): Promise<Created> {
  await askWhetherToRing(context, claim, body)
  const claimed = await claimBoth(context, claim)
  if (claimed.status === 'glare') return cross(context, claim, claimed.call)
  if (claimed.status === 'busy') {
    return give(context, claim, { code: claimed.user === claim.to ? 'callee_busy' : 'caller_busy' })
  }
  const { before, state, deliveries } = await transact(context, claim.callId, decide, null)
  // A cancel or a fence came first: the tombstone stays, and what was claimed for it goes back.
  if (state.phase === 'ended') await releaseBoth(context, claim)
  if (before !== null) return repeated(context, state)
  const delivery = deliveries.get(claim.to) ?? NOBODY
  return { call: viewCall(state, context.clock.now()), resolution: 'created', delivery }
}

/** Asked before anything is claimed, so that a no leaves nothing behind. */
async function askWhetherToRing(context: Context, claim: Claim, body: CreateCallBody): Promise<void> {
  const { config, store, clock, log } = context
  if (config.offlineCalls === 'reject' && (await store.mailboxes.devices(claim.to, clock.now())).length === 0) {
    throw new AppError('callee_unreachable')
  }
  if (config.policyUrl === null) return
  const { media, metadata } = body
  const answer = await askPolicy(
    config,
    { action: 'call', ...claim, media: media ?? null, metadata: metadata ?? {} },
    log
  )
  if (!answer.allow) throw new AppError('policy_denied', answer.reason ? { detail: answer.reason } : {})
}

/**
 * Somebody made this call already, or made it impossible: it is what it is, and every retry is told the same. A merge that was
 * cut short between its tombstone and its accept is finished here.
 */
async function repeated(context: Context, state: CallState): Promise<Created> {
  if (state.refusal !== null) throw new AppError(state.refusal, { extra: standing(state) })
  const merged = state.mergedInto === null ? null : await readCall(context, state.mergedInto)
  if (merged?.phase === 'ringing') return acceptTheirs(context, state.caller, merged)
  const call = viewCall(merged ?? state, context.clock.now())
  return { call, resolution: merged ? 'merged' : 'existing', delivery: NOBODY }
}

/** The create failed. Its call is made unable to exist before its leases go: a retry may be at work on the same ones. */
async function give(context: Context, claim: Claim, because: Refusal): Promise<Created> {
  return repeated(context, await entomb(context, claim, because))
}

async function entomb(context: Context, claim: Claim, because: Refusal): Promise<CallState> {
  const { callId, caller, to } = claim
  const { state } = await transact(context, callId, (call, now) =>
    decideCall(call, { type: 'refuse', callId, actor: caller, to, because }, now)
  )
  if (state.phase === 'ended') await releaseBoth(context, claim)
  return state
}

/** Glare: the callee's call to us rings already, so this create becomes its accept. */
async function cross(context: Context, claim: Claim, theirs: CallState): Promise<Created> {
  if (context.config.onGlare === 'reject') return give(context, claim, { code: 'call_glare' })
  const mine = await entomb(context, claim, { code: 'merged', into: theirs.callId })
  if (mine.mergedInto !== theirs.callId) return repeated(context, mine)
  return acceptTheirs(context, claim.caller, theirs)
}

async function acceptTheirs(context: Context, actor: Endpoint, theirs: CallState): Promise<Created> {
  const accept = { type: 'accept' as const, actor, ...acceptTimes(context.config) }
  const { state, deliveries } = await transact(context, theirs.callId, (call, now) => decideCall(call, accept, now))
  const delivery = deliveries.get(theirs.caller.user) ?? NOBODY
  return { call: viewCall(state, context.clock.now()), resolution: 'merged', delivery }
}

const NOBODY: Delivery = { online: 0, queued: 0 }
