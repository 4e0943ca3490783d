// Creating a call: idempotent by its id, exclusive by its leases, decided at the lease when two people call each other.
import { askPolicy } from '../adapters/policy.js'
import { formatCursor } from '../delivery/cursor.js'
import type { CommandOf, Refusal } from '../domain/command.js'
import { parseDescription } from '../domain/sdp.js'
import { type CallState, viewCall } from '../domain/state.js'
import {
  type CallRecord,
  callIn,
  createIn,
  nextAttempt,
  type RecordDecision,
  type Tombstone,
  tombstoneOf,
  viewTombstone
} from '../domain/tombstone.js'
import { AppError } from '../errors.js'
import { idFromKey } from '../ids.js'
import type { Call, CreateCallBody, CreateCallReply } from '../schemas/call.js'
import type { Actor } from '../schemas/claims.js'
import type { Cursor, Deliveries } from '../store/mail.js'
import { commitAccept } from './accept-call.js'
import type { Acting, UserClaim } from './aggregate-kind.js'
import { mustBeChosen } from './chosen-id.js'
import { type CallerStanding, chargeAttempt, readStanding } from './contacts.js'
import type { Context } from './context.js'
import {
  activate,
  claimsOf,
  findObstacle,
  type LeaseRequest,
  ROUNDS_MAX,
  releaseUnbacked,
  writeTombstone
} from './leases.js'
import { NO_DELIVERY } from './mail.js'
import { checkMetadata } from './metadata.js'
import { takingPart } from './sign-of-life.js'
import { claimRecord, readCall, readRecord } from './transact.js'

interface Created extends Omit<CreateCallReply, 'cursor'> {
  /** The newest entry of the caller's mailbox; null: it was not read. */
  readonly head: Cursor | null
}

/**
 * Rings the callee. A repeat with the same callId (or Idempotency-Key) answers with the first result; one after a fault of the store, or of
 * the server, tries again.
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
  mustBeChosen('callId', body.callId)
  const callId = body.callId ?? (idempotencyKey ? idFromKey(actor.user, idempotencyKey) : context.ids.unique())
  const record = await readRecord(context, callId)
  const caller = { user: actor.user, device: actor.device }
  const attempt = nextAttempt(record, actor.user)
  const request: LeaseRequest = { callId, caller, to: body.to, attempt }
  const command = {
    type: 'create' as const,
    callId,
    actor: caller,
    attempt,
    to: body.to,
    media: body.media ?? null,
    metadata: body.metadata ?? {},
    offer: body.offer ? parseDescription(body.offer.sdp) : null,
    ringMs: body.ringTimeoutMs ?? context.config.ringTimeoutMs
  }
  const isRepeat = callIn(record) !== null || tombstoneOf(record, actor.user) !== null
  const part = takingPart(context, actor)
  const { head, ...created } =
    record && isRepeat
      ? await repeated(context, request, record)
      : await create(context, request, { body, command, by: part.acting })
  context.metrics.callsCreated.inc({ resolution: created.resolution })
  return { ...created, cursor: formatCursor(await part.cursor(head)) }
}

type DecideCreate = (
  record: CallRecord | null,
  now: number
) => RecordDecision & { readonly claims?: readonly UserClaim[] }

async function create(
  context: Context,
  asked: LeaseRequest,
  { body, command, by }: { body: CreateCallBody; command: CommandOf<'create'>; by: Acting }
): Promise<Created> {
  const { isKnown, isBlocked: isMuted } = await mayRing(context, asked, body)
  const request = { ...asked, isKnown, isMuted }
  const decide: DecideCreate = (found, now) => {
    const decision = createIn(found, { ...command, isMuted }, now)
    return decision.state === found ? decision : { ...decision, claims: claimsOf(context, request) }
  }
  const { record, deliveries, head } = await takeAndCommit(context, request, { decide, by }).catch(async error => {
    await abandonCreate(context, request, { code: 'failed', attempt: request.attempt }).catch(cause =>
      context.log.warn({ err: cause, callId: request.callId }, 'the leases of a failed create wait to be taken over')
    )
    throw error
  })
  const call = callIn(record)
  if (call === null || deliveries === null) return repeated(context, request, record)
  const delivery = (isMuted ? null : deliveries.get(request.to)) ?? NO_DELIVERY
  return { call: viewCall(call, context.clock.now()), resolution: 'created', delivery, head }
}

interface Committed {
  readonly record: CallRecord
  /** Null: the record was there before, or has the tombstone of this create. */
  readonly deliveries: Deliveries | null
  readonly head: Cursor | null
}

async function takeAndCommit(
  context: Context,
  request: LeaseRequest,
  { decide, by }: { decide: DecideCreate; by: Acting }
): Promise<Committed> {
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const outcome = await claimRecord(context, request.callId, decide, { known: null, acting: by })
    if (!('refused' in outcome)) {
      const { before, state: record, deliveries, head } = outcome
      // A cancel or a fence may have come first, or the caller's call to somebody else under this id.
      await releaseUnbacked(context, request, record)
      return { record, deliveries: before === record || callIn(before) ? null : deliveries, head }
    }
    const obstacle = await findObstacle(context, request, outcome.refused)
    if (obstacle.status === 'glare') return mergeGlare(context, request, obstacle.call)
    if (obstacle.status === 'busy') {
      return abandonCreate(context, request, { code: obstacle.user === request.to ? 'callee_busy' : 'caller_busy' })
    }
  }
  return abandonCreate(context, request, { code: 'callee_busy' })
}

/**
 * Asked before any lease is taken, so that a refusal leaves nothing behind. A blocked caller gets what an unreachable callee gives.
 * @throws AppError callee_unreachable, rate_limited, policy_denied, policy_unavailable
 */
async function mayRing(context: Context, request: LeaseRequest, body: CreateCallBody): Promise<CallerStanding> {
  const pair = { caller: request.caller.user, callee: request.to }
  const standing = await readStanding(context, pair.caller, pair.callee)
  const isReachable = standing.isReachable && !standing.isBlocked
  if (context.config.offlineCalls === 'reject' && !isReachable) throw new AppError('callee_unreachable')
  await chargeAttempt(context, pair, standing)
  await askPolicyForCall(context, request, body)
  return standing
}

async function askPolicyForCall({ config, log }: Context, request: LeaseRequest, body: CreateCallBody): Promise<void> {
  if (config.policyUrl === null) return
  const { callId, caller, to } = request
  const { media, metadata } = body
  const answer = await askPolicy(
    config,
    { action: 'call', callId, caller, to, media: media ?? null, metadata: metadata ?? {} },
    log
  )
  if (!answer.allow) throw new AppError('policy_denied', answer.reason ? { detail: answer.reason } : {})
}

/**
 * The call exists already, or was made impossible: every retry gets what the first request got. A merge that was cut short
 * between its tombstone and its accept is finished here.
 */
async function repeated(context: Context, request: LeaseRequest, record: CallRecord): Promise<Created> {
  const { callId, caller } = request
  const call = callIn(record)
  if (call) {
    if (call.caller.user !== caller.user) throw new AppError('call_id_taken')
    return existing(viewCall(call, context.clock.now()))
  }
  const tombstone = tombstoneOf(record, caller.user)
  // Another request of the same attempt met a fault.
  if (tombstone === null) throw new AppError('store_unavailable')
  const view = viewTombstone(callId, tombstone)
  const { because } = tombstone
  if (because.code === 'cancelled') return existing(view)
  if (because.code === 'merged') return acceptMerged(context, tombstone, because.into)
  const { state: currentState, version, reason } = view
  throw new AppError(because.code, { extra: { callId, currentState, version, reason } })
}

const existing = (call: Call): Created => ({ call, resolution: 'existing', delivery: NO_DELIVERY, head: null })

/**
 * The create has failed. Its call is made unable to exist before its leases are released: a retry may be at work on the same ones
 * (rule 1). An id that is another caller's call will never be this one's (rule 3).
 */
async function abandonCreate(context: Context, request: LeaseRequest, because: Refusal): Promise<Committed> {
  const record = await writeTombstone(context, request, because)
  await releaseUnbacked(context, request, record)
  return { record, deliveries: null, head: null }
}

/** The callee's call to this caller rings already: this create becomes its accept, which needs the caller's lease for it active. */
async function mergeGlare(context: Context, request: LeaseRequest, theirs: CallState): Promise<Committed> {
  if (context.config.onGlare === 'reject') return abandonCreate(context, request, { code: 'call_glare' })
  if (!(await activate(context, theirs, request.caller.user)))
    return abandonCreate(context, request, { code: 'caller_busy' })
  return abandonCreate(context, request, { code: 'merged', into: theirs.callId })
}

/** When another device has answered, or the call is over already, that is the result. */
async function acceptMerged(context: Context, mine: Tombstone, callId: string): Promise<Created> {
  const theirs = await readCall(context, callId)
  if (theirs?.phase === 'ringing') {
    try {
      const { state, deliveries } = await commitAccept(context, callId, mine.caller)
      const delivery = deliveries.get(state.caller.user) ?? NO_DELIVERY
      return { call: viewCall(state, context.clock.now()), resolution: 'merged', delivery, head: null }
    } catch (error) {
      if (!(error instanceof AppError) || !['call_ended', 'answered_elsewhere'].includes(error.code)) throw error
    }
  }
  const merged = await readCall(context, callId)
  if (merged === null) throw new AppError('call_ended')
  return { call: viewCall(merged, context.clock.now()), resolution: 'merged', delivery: NO_DELIVERY, head: null }
}
