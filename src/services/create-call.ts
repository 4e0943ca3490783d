// Creating a call: idempotent by its id, exclusive by its leases, decided at the lease when two people call each other.
import { askPolicy } from '../adapters/policy.js'
import { formatCursor } from '../delivery/cursor.js'
import type { Deliveries } from '../delivery/dispatch.js'
import { decideCall } from '../domain/call.js'
import type { Refusal } from '../domain/command.js'
import { standing } from '../domain/party.js'
import { parseDescription } from '../domain/sdp.js'
import { type CallState, viewCall } from '../domain/state.js'
import { AppError } from '../errors.js'
import { idFromKey } from '../ids.js'
import type { CreateCallBody, CreateCallReply } from '../schemas/call.js'
import type { Actor } from '../schemas/claims.js'
import type { Delivery } from '../schemas/common.js'
import { commitAccept } from './accept-call.js'
import type { Context } from './context.js'
import { type LeaseRequest, releaseUnbacked, takeLeases, upgradeLease } from './leases.js'
import { checkMetadata } from './metadata.js'
import { registerDevice } from './sign-of-life.js'
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
  const request: LeaseRequest = { callId, caller: { user: actor.user, device: actor.device }, to: body.to }
  const command = {
    type: 'create' as const,
    callId,
    actor: request.caller,
    to: body.to,
    media: body.media ?? null,
    metadata: body.metadata ?? {},
    offer: body.offer ? parseDescription(body.offer.sdp) : null,
    ringMs: body.ringTimeoutMs ?? context.config.ringTimeoutMs
  }
  const [known, cursor] = await Promise.all([readCall(context, callId), registerDevice(context, actor)])
  const created =
    known === null
      ? await create(context, request, body, (state, now) => decideCall(state, command, now))
      : await repeated(context, decideCall(known, command, context.clock.now()).state)
  context.metrics.callsCreated.inc({ resolution: created.resolution })
  return { ...created, cursor: formatCursor(cursor) }
}

type DecideCreate = (state: CallState | null, now: number) => ReturnType<typeof decideCall>

async function create(
  context: Context,
  request: LeaseRequest,
  body: CreateCallBody,
  decide: DecideCreate
): Promise<Created> {
  await mayRing(context, request, body)
  const { state, deliveries } = await takeAndCommit(context, request, decide).catch(async error => {
    await abandonCreate(context, request, { code: 'call_ended' }).catch(cause =>
      context.log.warn({ err: cause, callId: request.callId }, 'the leases of a failed create wait to be taken over')
    )
    throw error
  })
  if (deliveries === null) return repeated(context, state)
  const delivery = deliveries.get(request.to) ?? NOBODY
  return { call: viewCall(state, context.clock.now()), resolution: 'created', delivery }
}

interface Committed {
  readonly state: CallState
  /** Null: the state was there before, or is the tombstone of this create. */
  readonly deliveries: Deliveries | null
}

async function takeAndCommit(context: Context, request: LeaseRequest, decide: DecideCreate): Promise<Committed> {
  const leases = await takeLeases(context, request)
  if (leases.status === 'glare') return mergeGlare(context, request, leases.call)
  if (leases.status === 'busy') {
    return abandonCreate(context, request, { code: leases.user === request.to ? 'callee_busy' : 'caller_busy' })
  }
  const { before, state, deliveries } = await transact(context, request.callId, decide, null)
  // A cancel or a fence may have come first, or the caller's call to somebody else under this id.
  await releaseUnbacked(context, request, state)
  return { state, deliveries: before === null ? deliveries : null }
}

/** Asked before any lease is taken, so that a refusal leaves nothing behind. */
async function mayRing(context: Context, request: LeaseRequest, body: CreateCallBody): Promise<void> {
  const { config, store, clock, log } = context
  if (config.offlineCalls === 'reject' && (await store.mailboxes.devices(request.to, clock.now())).length === 0) {
    throw new AppError('callee_unreachable')
  }
  if (config.policyUrl === null) return
  const { media, metadata } = body
  const answer = await askPolicy(
    config,
    { action: 'call', ...request, media: media ?? null, metadata: metadata ?? {} },
    log
  )
  if (!answer.allow) throw new AppError('policy_denied', answer.reason ? { detail: answer.reason } : {})
}

/**
 * The call exists already, or was made impossible: every retry gets what the first request got. A merge that was cut short
 * between its tombstone and its accept is finished here.
 */
async function repeated(context: Context, state: CallState): Promise<Created> {
  if (state.refusal !== null) throw new AppError(state.refusal, { extra: standing(state) })
  const merged = state.mergedInto === null ? null : await readCall(context, state.mergedInto)
  if (merged?.phase === 'ringing') return acceptMerged(context, state, merged.callId)
  return resultOf(context, state, merged)
}

function resultOf(context: Context, state: CallState, merged: CallState | null): Created {
  const call = viewCall(merged ?? state, context.clock.now())
  return { call, resolution: merged ? 'merged' : 'existing', delivery: NOBODY }
}

/**
 * The create has failed. Its call is made unable to exist before its leases are released: a retry may be at work on the same ones
 * (rule 1). An id that is another caller's call will never be this one's (rule 3).
 */
async function abandonCreate(context: Context, request: LeaseRequest, because: Refusal): Promise<Committed> {
  const { callId, caller, to } = request
  const { state } = await transact(context, callId, (call, now) =>
    decideCall(call, { type: 'refuse', callId, actor: caller, to, because }, now)
  )
  await releaseUnbacked(context, request, state)
  if (state.caller.user !== caller.user) throw new AppError('call_id_taken')
  return { state, deliveries: null }
}

/** The callee's call to this caller rings already: this create becomes its accept, which needs the caller's lease for it active. */
async function mergeGlare(context: Context, request: LeaseRequest, theirs: CallState): Promise<Committed> {
  if (context.config.onGlare === 'reject') return abandonCreate(context, request, { code: 'call_glare' })
  const upgrade = await upgradeLease(context, theirs, request.caller.user)
  if (upgrade.status === 'full') return abandonCreate(context, request, { code: 'caller_busy' })
  return abandonCreate(context, request, { code: 'merged', into: theirs.callId })
}

/** When another device has answered, or the call has ended in this moment, that is the result. */
async function acceptMerged(context: Context, mine: CallState, callId: string): Promise<Created> {
  try {
    const { state, deliveries } = await commitAccept(context, callId, mine.caller)
    const delivery = deliveries.get(state.caller.user) ?? NOBODY
    return { call: viewCall(state, context.clock.now()), resolution: 'merged', delivery }
  } catch (error) {
    const isOver = error instanceof AppError && (error.code === 'call_ended' || error.code === 'answered_elsewhere')
    if (!isOver) throw error
    return resultOf(context, mine, await readCall(context, callId))
  }
}

const NOBODY: Delivery = { online: 0, queued: 0 }
