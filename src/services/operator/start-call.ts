// An operator starts a call between two users: it rings the first one, and after its accept the second one. The operator may override no block;
// no user's budget is charged, because no user asked for the call, and the policy service is not asked, because it is the operator's own.
import { OPERATOR, OPERATOR_DEVICE } from '../../domain/call/operator-call.js'
import { decideStart, type StartCommand } from '../../domain/call/start-call.js'
import type { CallState } from '../../domain/call/state.js'
import { type CallIdRecord, callIn, nextAttempt } from '../../domain/call/tombstone.js'
import { AppError } from '../../errors.js'
import type { AdminCallReply, StartCallRequest } from '../../schemas/admin-call.js'
import type { UpdateResult } from '../aggregate-rules.js'
import { abandonFailed } from '../call/abandon-create.js'
import { devicesWoken } from '../call/callees.js'
import { type CalleeRelation, readCalleeRelation } from '../call/contacts.js'
import { ROUNDS_MAX, releaseStale } from '../call/lease-conflicts.js'
import { ringingClaim } from '../call/leases.js'
import { readRecord, updateRecordWithLeases } from '../call/update-call.js'
import { refuseDerivedId } from '../chosen-id.js'
import type { Context } from '../context.js'
import { checkMetadata } from '../metadata-bounds.js'
import { canWake } from '../push/wake.js'
import { viewForOperator } from './live-calls.js'

/**
 * A repeat with the same callId returns the call. What was refused left nothing, and is judged anew.
 * @throws AppError cannot_call_self, callee_unreachable, callee_busy, call_id_taken, store_unavailable
 */
export async function startCallAsOperator(
  context: Context,
  body: StartCallRequest
): Promise<AdminCallReply & { readonly isNew: boolean }> {
  const { from, to, callId = context.ids.unique(), ringTimeoutMs: ringMs = context.config.ringTimeoutMs } = body
  if (from === to) throw new AppError('cannot_call_self')
  checkMetadata(body.metadata)
  refuseDerivedId('callId', body.callId)
  const known = await readRecord(context, callId)
  const existing = callIn(known)
  if (existing?.creator === OPERATOR) return { call: viewForOperator(context, existing), isNew: false }
  const relation = await requireReachable(context, body)
  const command: StartCommand = {
    ...{ callId, from, to, ringMs, attempt: nextAttempt(known, OPERATOR) },
    ...{ media: body.media ?? null, metadata: body.metadata ?? {}, offerer: body.offerer ?? 'caller' },
    wakes: await devicesWoken(context, { user: from, relation })
  }
  const { before, state } = await commitStart(context, command, relation)
  const call = callIn(state)
  // A tombstone: the create stalled, and another one has taken its lease over.
  if (call === null) throw new AppError('call_ended')
  return { call: viewForOperator(context, call), isNew: callIn(before) === null }
}

/** How the first user stands to the second. @throws AppError callee_unreachable */
async function requireReachable(
  context: Context,
  { from, to, whenOffline = context.config.offlineCalls }: StartCallRequest
): Promise<CalleeRelation> {
  const [first, second] = await Promise.all([
    readCalleeRelation(context, to, from),
    readCalleeRelation(context, from, to)
  ])
  for (const relation of [first, second]) {
    const isReachable = relation.isReachable || canWake(context, relation) || whenOffline === 'ring'
    if (relation.isBlocked || !isReachable) throw new AppError('callee_unreachable')
  }
  return first
}

/** Commits the call with the lease of the first user. @throws AppError callee_busy, call_id_taken */
async function commitStart(
  context: Context,
  command: StartCommand,
  { isKnown }: CalleeRelation
): Promise<UpdateResult<CallIdRecord>> {
  const { callId, from, attempt } = command
  const claimsOf = (call: CallState) => [ringingClaim(context, call, { user: from, isKnown })]
  try {
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const result = await updateRecordWithLeases(context, { id: callId, isNew: true }, (record, now) => {
        const decision = decideStart(record, command, now)
        const call = callIn(decision.state)
        return decision.state === record || call === null ? decision : { ...decision, claims: claimsOf(call) }
      })
      if (!('refused' in result)) return result
      if (!(await releaseStale(context, result.refused))) throw new AppError('callee_busy')
    }
    throw new AppError('callee_busy')
  } catch (error) {
    if (!(error instanceof AppError && error.code === 'callee_busy')) {
      const caller = { user: OPERATOR, device: OPERATOR_DEVICE }
      await abandonFailed(context, { callId, caller, attempt, callees: [{ user: from }], isForSeveral: true })
    }
    throw error
  }
}
