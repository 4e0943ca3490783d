// Creating a call. It is idempotent by its id and exclusive by its leases; a glare is detected when the leases are claimed.
import { isInvited } from '../../domain/call/called.js'
import { outcomesOfCreate } from '../../domain/call/creation.js'
import type { CallState } from '../../domain/call/state.js'
import { requireTargets } from '../../domain/call/targets.js'
import { type CallIdRecord, callIn, decideCreate, nextAttempt } from '../../domain/call/tombstone.js'
import { viewCall } from '../../domain/call/view.js'
import { endpoint } from '../../domain/endpoint.js'
import { readOptionalCandidates } from '../../domain/negotiation/candidate.js'
import { parseDescription } from '../../domain/negotiation/sdp.js'
import { AppError } from '../../errors.js'
import { idFromKey } from '../../ids.js'
import type { CreateCallReply, CreateCallRequest } from '../../schemas/call.js'
import type { Actor } from '../../schemas/claims.js'
import type { CandidateOutcomes } from '../../schemas/signal.js'
import type { Charge } from '../../store/budget-counters.js'
import { formatCursor } from '../../store/cursor.js'
import type { ActingDevice, LeaseRefusal, UpdateResult } from '../aggregate-rules.js'
import { refuseDerivedId } from '../chosen-id.js'
import type { Context } from '../context.js'
import { actAs } from '../device/keepalive.js'
import { addDeliveries, NO_DELIVERY } from '../mail.js'
import { checkMetadata } from '../metadata-bounds.js'
import { abandonCreate, abandonFailed, type CommittedCreate } from './abandon-create.js'
import { checkPermission } from './call-permission.js'
import type { CreateCommand } from './call-routes.js'
import { type PlannedCallee, planCallees, ringingAtOnce, toNewCallees } from './callees.js'
import { ringAttemptCharges } from './contacts.js'
import { prepareMerge } from './glare.js'
import { ROUNDS_MAX, resolveLeaseConflict } from './lease-conflicts.js'
import { claimsOf, type LeaseRequest, releaseClosedAttempt, releaseStaleLeases } from './leases.js'
import { type CreatedCall, repeatCreate } from './repeat-create.js'
import { updateRecordWithLeases } from './update-call.js'

const CALLEE_OFFERS = 'body/offer must be left out if offerer is callee'

/**
 * Rings the callee. A repeat with the same callId or Idempotency-Key gets the reply of the first request; a repeat after a fault of the
 * store or the server is the next attempt.
 * @throws AppError cannot_call_self, invalid_sdp, caller_busy, callee_busy, callee_unreachable, call_glare, call_id_taken,
 *   call_ended (the create stalled), policy_denied, policy_unavailable, redirect_loop, store_unavailable
 */
export async function createCall(
  context: Context,
  actor: Actor,
  { idempotencyKey, ...body }: CreateCallRequest & { readonly idempotencyKey?: string | undefined }
): Promise<CreateCallReply> {
  const ringMs = body.ringTimeoutMs ?? context.config.ringTimeoutMs
  const targets = requireTargets(actor.user, body.to).map(target => ({ ...target, ringMs: target.ringMs ?? ringMs }))
  if (body.offer && body.offerer === 'callee') throw new AppError('invalid_request', { detail: CALLEE_OFFERS })
  checkMetadata(body.metadata)
  // The request has paid for one of them.
  if (targets.length > 1) await context.budgets.spend(actor.user, 'calls', targets.length - 1)
  refuseDerivedId('callId', body.callId)
  const command = {
    type: 'create' as const,
    callId: body.callId ?? (idempotencyKey ? idFromKey(actor.user, idempotencyKey) : context.ids.unique()),
    actor: endpoint(actor),
    targets,
    strategy: body.ringStrategy ?? 'all',
    media: body.media ?? null,
    metadata: body.metadata ?? {},
    offer: body.offer ? parseDescription(body.offer.sdp, context.config.maxSdpBytes) : null,
    offerer: body.offerer,
    whenOffline: body.whenOffline,
    consultationOf: body.consultationOf,
    batch: readOptionalCandidates(body)
  }
  const device = actAs(context, actor)
  const isIdChosen = body.callId !== undefined || idempotencyKey !== undefined
  const { head, ...created } = await create(context, { command, isIdChosen }, device.acting)
  context.metrics.callsCreated.inc({ resolution: created.resolution })
  const cursor = formatCursor(await device.cursor(head))
  const outcomes = created.resolution === 'existing' && outcomesOfCreate({ ...command, callees: [], attempt: 1 })
  return { ...created, cursor, ...(outcomes && { outcomes }) }
}

interface CreateRequest {
  readonly command: CreateCommand
  /** By the client, as callId or by an Idempotency-Key. */
  readonly isIdChosen: boolean
}

async function create(
  context: Context,
  { command: requested, isIdChosen }: CreateRequest,
  acting: ActingDevice
): Promise<CreatedCall> {
  const { callId, actor: caller } = requested
  const repeat = (record: CallIdRecord) => repeatCreate(context, { callId, caller, isIdChosen }, record)
  const permission = await checkPermission(context, requested)
  if (permission.repeated) return repeat(permission.repeated)
  const { command, routes } = permission
  const creation = newCreation(context, { command, acting, callees: await planCallees(context, command, routes) })
  const { record, deliveries, head } = await commitWithLeases(context, creation)
  const call = callIn(record)
  if (call === null || deliveries === null) return repeat(record)
  const delivery = call.called
    .filter(isInvited)
    .map(({ user }) => deliveries.get(user) ?? NO_DELIVERY)
    .reduce(addDeliveries, NO_DELIVERY)
  const { outcomes } = creation
  const view = viewCall(call, context.clock.now(), caller.user)
  const created = { call: view, resolution: 'created' as const, delivery, head }
  return outcomes ? { ...created, outcomes } : created
}

/** A create while its call is committed. */
interface Creation {
  readonly command: CreateCommand
  readonly acting: ActingDevice
  /** One of several who turns out to be busy is left out. */
  callees: readonly PlannedCallee[]
  /** The current attempt. */
  request: LeaseRequest
  /** Empty once they are taken. */
  charges: readonly Charge[]
  outcomes?: CandidateOutcomes | undefined
  /** Attempts that turned out to be closed when the record was read; their leases have to be released. */
  readonly closedAttempts: LeaseRequest[]
}

function newCreation(
  context: Context,
  { command, acting, callees }: Pick<Creation, 'command' | 'acting' | 'callees'>
): Creation {
  const { callId, actor: caller } = command
  const attempt = {
    callId,
    caller,
    attempt: 1,
    callees: ringingAtOnce(command, callees),
    isForSeveral: callees.length > 1,
    uncounted: command.uncounted
  }
  // Those who wait are charged when their turn begins (ring-next.ts).
  const charged = callees.filter(({ user }) => attempt.callees.some(ringing => ringing.user === user))
  return {
    command,
    acting,
    callees,
    request: attempt,
    charges: charged.flatMap(({ user, relation }) =>
      ringAttemptCharges(context, { caller: caller.user, callee: user }, relation)
    ),
    closedAttempts: []
  }
}

/** Commits the call and its leases together, or a tombstone. */
async function commitWithLeases(context: Context, creation: Creation): Promise<CommittedCreate> {
  const { command, acting, closedAttempts } = creation
  const target = { id: command.callId, isNew: true, acting } as const
  try {
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const result = await updateRecordWithLeases(context, target, (record, now) =>
        decideWithClaims(context, creation, { record, now })
      )
      if (!('refused' in result)) return await settleLeases(context, creation.request, result)
      creation.charges = []
      const committed = await settleRefusedClaim(context, creation, result)
      if (committed) return committed
    }
    return await abandonCreate(context, creation.request, { code: 'callee_busy' })
  } catch (error) {
    // A spent budget refuses the commit before any lease is taken.
    if (!(error instanceof AppError && error.code === 'rate_limited')) await abandonFailed(context, creation.request)
    throw error
  } finally {
    await Promise.all(closedAttempts.map(each => releaseClosedAttempt(context, each))).catch(error =>
      context.log.warn(
        { err: error, callId: command.callId },
        'leases of a closed attempt not released; they are taken over'
      )
    )
  }
}

function decideWithClaims(
  context: Context,
  creation: Creation,
  { record, now }: { readonly record: CallIdRecord | null; readonly now: number }
) {
  const { command, request, callees } = creation
  const attempt = Math.max(request.attempt, nextAttempt(record, command.actor.user))
  if (attempt > request.attempt) creation.closedAttempts.push(request)
  creation.request = { ...request, attempt }
  const decision = decideCreate(record, { ...command, attempt, callees: toNewCallees(command, callees) }, now)
  creation.outcomes = decision.outcomes
  if (decision.state === record) return decision
  return { ...decision, claims: claimsOf(context, creation.request), charges: creation.charges }
}

/** A claim was refused. Null: the conflicting lease is gone, or its callee is left out: claim again. */
async function settleRefusedClaim(
  context: Context,
  creation: Creation,
  { refused }: LeaseRefusal
): Promise<CommittedCreate | null> {
  const { request } = creation
  const conflict = await resolveLeaseConflict(context, request, refused)
  if (conflict.status === 'glare') return closeForMerge(context, request, conflict.call)
  if (conflict.status === 'gone' || leaveOut(creation, conflict.user)) return null
  const { user, callId: activeCallId } = conflict
  const isCaller = user === request.caller.user
  return abandonCreate(context, request, isCaller ? { code: 'caller_busy', activeCallId } : { code: 'callee_busy' })
}

/** One of several callees is busy. False: none is left to ring, or it is no callee. */
function leaveOut(creation: Creation, user: string): boolean {
  const { command, request } = creation
  const callees = creation.callees.map(each => (each.user === user ? { ...each, leftOut: 'busy' as const } : each))
  const ringing = ringingAtOnce(command, callees)
  if (user === request.caller.user || ringing.length === 0) return false
  creation.callees = callees
  creation.request = { ...request, callees: ringing }
  return true
}

/** The second step of a glare, see glare.ts. Null: the other call has ended, claim again. */
async function closeForMerge(
  context: Context,
  request: LeaseRequest,
  ringing: CallState
): Promise<CommittedCreate | null> {
  const because = await prepareMerge(context, request.caller.user, ringing)
  return because && abandonCreate(context, request, because)
}

/** Releases the leases that are stale after the commit: the create was cancelled or fenced before, or the id is another call. */
async function settleLeases(
  context: Context,
  request: LeaseRequest,
  { before, state: record, deliveries, head }: UpdateResult<CallIdRecord>
): Promise<CommittedCreate> {
  await releaseStaleLeases(context, request, record)
  return { record, deliveries: before === record || callIn(before) ? null : deliveries, head }
}
