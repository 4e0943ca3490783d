// Creating a call: idempotent by its id, exclusive by its leases, decided at the lease when two people call each other.
import { askPolicy } from '../../adapters/policy.js'
import type { CommandOf, Refusal } from '../../domain/call/command.js'
import { type CallState, viewCall } from '../../domain/call/state.js'
import { type CallRecord, callIn, createIn, nextAttempt, tombstoneOf } from '../../domain/call/tombstone.js'
import { endpoint } from '../../domain/endpoint.js'
import { parseDescription } from '../../domain/negotiation/sdp.js'
import { AppError } from '../../errors.js'
import { idFromKey } from '../../ids.js'
import type { CreateCallRequest, CreateCallResponse } from '../../schemas/call.js'
import type { Actor } from '../../schemas/claims.js'
import { formatCursor } from '../../store/cursor.js'
import type { Cursor, Deliveries } from '../../store/mail.js'
import type { Acting, Outcome } from '../aggregate-kind.js'
import { mustBeChosen } from '../chosen-id.js'
import type { Context } from '../context.js'
import { actAs } from '../device/keepalive.js'
import { NO_DELIVERY } from '../mail.js'
import { checkMetadata } from '../metadata-bounds.js'
import { type CallerStanding, chargesOf, mustNotWait, readStanding } from './contacts.js'
import {
  activate,
  claimsOf,
  findObstacle,
  type LeaseRequest,
  ROUNDS_MAX,
  releaseClosed,
  releaseLeases,
  releaseUnbacked,
  writeTombstone
} from './leases.js'
import { type Created, repeatCreate } from './repeat-create.js'
import { claimRecord, readCall, readRecord } from './update-call.js'

/**
 * Rings the callee. A repeat with the same callId (or Idempotency-Key) answers with the first result; one after a fault of the store, or of
 * the server, tries again.
 * @throws AppError cannot_call_self, invalid_sdp, caller_busy, callee_busy, callee_unreachable, call_glare, call_id_taken,
 *   call_ended (the id was given up), policy_denied, policy_unavailable, store_unavailable
 */
export async function createCall(
  context: Context,
  actor: Actor,
  body: CreateCallRequest,
  idempotencyKey?: string
): Promise<CreateCallResponse> {
  if (body.to === actor.user) throw new AppError('cannot_call_self')
  checkMetadata(body.metadata)
  mustBeChosen('callId', body.callId)
  const callId = body.callId ?? (idempotencyKey ? idFromKey(actor.user, idempotencyKey) : context.ids.unique())
  const caller = endpoint(actor)
  const part = actAs(context, actor)
  const command = {
    type: 'create' as const,
    callId,
    actor: caller,
    to: body.to,
    media: body.media ?? null,
    metadata: body.metadata ?? {},
    offer: body.offer ? parseDescription(body.offer.sdp) : null,
    ringMs: body.ringTimeoutMs ?? context.config.ringTimeoutMs
  }
  const { head, ...created } = await create(context, command, part.acting)
  context.metrics.callsCreated.inc({ resolution: created.resolution })
  return { ...created, cursor: formatCursor(await part.cursor(head)) }
}

type Create = Omit<CommandOf<'create'>, 'attempt' | 'isMuted'>

/** There is most likely nothing under the id, so nothing is read there: if there is something, the commit conflicts. */
async function create(context: Context, command: Create, by: Acting): Promise<Created> {
  const { callId, actor: caller, to } = command
  const judged = await judge(context, command)
  if (judged.repeats) return repeatCreate(context, { callId, caller }, judged.repeats)
  const { record, deliveries, head } = await takeAndCommit(context, { command, by, standing: judged.standing })
  const call = callIn(record)
  if (call === null || deliveries === null) return repeatCreate(context, { callId, caller }, record)
  const delivery = (judged.standing.isBlocked ? null : deliveries.get(to)) ?? NO_DELIVERY
  return { call: viewCall(call, context.clock.now()), resolution: 'created', delivery, head }
}

type Judged =
  | { readonly repeats: null; readonly standing: CallerStanding }
  /** It need not be judged: the caller's create with this id was judged before. */
  | { readonly repeats: CallRecord }

/**
 * Whether the caller may ring the callee. Asked before any lease is taken, so that a refusal leaves nothing behind.
 * @throws AppError callee_unreachable, rate_limited, policy_denied, policy_unavailable
 */
async function judge(context: Context, command: Create): Promise<Judged> {
  const isAsked = context.config.policyUrl !== null
  const repeats = isAsked ? await findRepeated(context, command) : null
  if (repeats) return { repeats }
  try {
    return { repeats: null, standing: await mayRing(context, command) }
  } catch (error) {
    const found = isAsked ? null : await findRepeated(context, command)
    if (found) return { repeats: found }
    throw error
  }
}

async function findRepeated(context: Context, { callId, actor }: Create): Promise<CallRecord | null> {
  const record = await readRecord(context, callId)
  return callIn(record) !== null || tombstoneOf(record, actor.user) !== null ? record : null
}

/** A blocked caller gets what an unreachable callee gives. */
async function mayRing(context: Context, command: Create): Promise<CallerStanding> {
  const standing = await readStanding(context, command.actor.user, command.to)
  const isReachable = standing.isReachable && !standing.isBlocked
  if (context.config.offlineCalls === 'reject' && !isReachable) throw new AppError('callee_unreachable')
  mustNotWait(context, standing)
  await askPolicyForCall(context, command)
  return standing
}

interface Committed {
  readonly record: CallRecord
  /** Null: the record was there before, or has the tombstone of this create. */
  readonly deliveries: Deliveries | null
  readonly head: Cursor | null
}

interface Judgement {
  readonly command: Create
  readonly by: Acting
  readonly standing: CallerStanding
}

async function takeAndCommit(context: Context, { command, by, standing }: Judgement): Promise<Committed> {
  const { callId, actor: caller, to } = command
  const { isKnown, isBlocked: isMuted } = standing
  let request: LeaseRequest = { callId, caller, to, attempt: 1, isKnown, isMuted }
  let charges = chargesOf(context, { caller: caller.user, callee: to }, standing)
  const passed: LeaseRequest[] = []
  const decide = (found: CallRecord | null, now: number) => {
    const attempt = Math.max(request.attempt, nextAttempt(found, caller.user))
    if (attempt > request.attempt) passed.push(request)
    request = { ...request, attempt }
    const decision = createIn(found, { ...command, attempt, isMuted }, now)
    return decision.state === found ? decision : { ...decision, claims: claimsOf(context, request), charges }
  }
  try {
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const outcome = await claimRecord(context, callId, decide, { isNew: true, acting: by })
      if (!('refused' in outcome)) return await settleLeases(context, request, outcome)
      charges = []
      const obstacle = await findObstacle(context, request, outcome.refused)
      const merged = obstacle.status === 'glare' ? await mergeGlare(context, request, obstacle.call) : null
      if (merged) return merged
      if (obstacle.status === 'busy') {
        return await abandonCreate(context, request, { code: obstacle.user === to ? 'callee_busy' : 'caller_busy' })
      }
    }
    return await abandonCreate(context, request, { code: 'callee_busy' })
  } catch (error) {
    // A quota that is spent comes before any lease is taken.
    if (!(error instanceof AppError && error.code === 'rate_limited')) await giveUp(context, request)
    throw error
  } finally {
    await Promise.all(passed.map(each => releaseClosed(context, each))).catch(error =>
      context.log.warn({ err: error, callId }, 'the leases of a closed attempt wait to be taken over')
    )
  }
}

/** Releases the leases that the record is not behind: a cancel or a take-over came first, or the id is the caller's call to another user. */
async function settleLeases(context: Context, request: LeaseRequest, outcome: Outcome<CallRecord>): Promise<Committed> {
  const { before, state: record, deliveries, head } = outcome
  await releaseUnbacked(context, request, record)
  return { record, deliveries: before === record || callIn(before) ? null : deliveries, head }
}

/** Never fails: leases that stay are taken over. */
async function giveUp(context: Context, request: LeaseRequest): Promise<void> {
  await abandonCreate(context, request, { code: 'failed', attempt: request.attempt }).catch(error =>
    context.log.warn({ err: error, callId: request.callId }, 'the leases of a failed create wait to be taken over')
  )
}

async function askPolicyForCall({ config, log }: Context, command: Create): Promise<void> {
  if (config.policyUrl === null) return
  const { callId, actor: caller, to, media, metadata } = command
  const answer = await askPolicy(config, { action: 'call', callId, caller, to, media, metadata }, log)
  if (!answer.allow) throw new AppError('policy_denied', answer.reason ? { detail: answer.reason } : {})
}

/**
 * The create has failed. Its call is made unable to exist before its leases are released: a retry may be at work on the same ones
 * (rule 1). An id that is another caller's call will never be this one's (rule 3).
 */
async function abandonCreate(context: Context, request: LeaseRequest, because: Refusal): Promise<Committed> {
  const record = await writeTombstone(context, request, because)
  await releaseUnbacked(context, request, record)
  return { record, deliveries: null, head: null }
}

/**
 * The callee's call to this caller rings already: this create becomes its accept, which needs the caller's lease for it active. Null: their
 * call has ended meanwhile.
 */
async function mergeGlare(context: Context, request: LeaseRequest, theirs: CallState): Promise<Committed | null> {
  if (context.config.onGlare === 'reject') return abandonCreate(context, request, { code: 'call_glare' })
  if (!(await activate(context, theirs, request.caller.user)))
    return abandonCreate(context, request, { code: 'caller_busy' })
  // A lease that was taken after the end of its call would stay.
  if ((await readCall(context, theirs.callId))?.phase === 'ended') {
    await releaseLeases(context, theirs)
    return null
  }
  return abandonCreate(context, request, { code: 'merged', into: theirs.callId })
}
