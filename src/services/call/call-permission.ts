// Whether a caller may ring the callees: blocks, back-off, and the application's policy (call-routes.ts), which may redirect the call.
import { type CallIdRecord, callIn, tombstoneOf } from '../../domain/call/tombstone.js'
import { AppError } from '../../errors.js'
import type { Context } from '../context.js'
import { canWake } from '../push/wake.js'
import { type CreateCommand, findRoutes, type Route } from './call-routes.js'
import { checkRingBudgets, refuseDuringBackoff } from './contacts.js'
import { consultationLease } from './transfer-plan.js'
import { readRecord } from './update-call.js'

/** Whom the call rings. Of several, those who may not be rung are left out. */
interface Routes {
  /** As the policy has rewritten it. */
  readonly command: CreateCommand
  readonly routes: readonly Route[]
}

export type Permission =
  | ({ readonly repeated: null } & Routes)
  /** The record of an earlier create by this caller with this id. It was permitted then. */
  | { readonly repeated: CallIdRecord }

/**
 * Whether the caller may ring the callees. It is checked before any lease is taken, so that a refusal leaves nothing behind. The record is
 * read only if the result depends on it: before a policy is asked, and before an error is thrown. The call may have been made or cancelled
 * while the policy was asked.
 * @throws AppError callee_unreachable, rate_limited, policy_denied, policy_unavailable, redirect_loop
 */
export async function checkPermission(context: Context, command: CreateCommand): Promise<Permission> {
  const repeated = context.config.policyUrl === null ? null : await findRepeated(context, command)
  if (repeated) return { repeated }
  try {
    return { repeated: null, ...(await requirePermission(context, command)) }
  } catch (error) {
    const earlier = await findRepeated(context, command)
    if (earlier) return { repeated: earlier }
    throw error
  }
}

/** The record of an earlier create of the caller with this id. */
export async function findRepeated(context: Context, { callId, actor }: CreateCommand): Promise<CallIdRecord | null> {
  const record = await readRecord(context, callId)
  return callIn(record) !== null || tombstoneOf(record, actor.user) !== null ? record : null
}

/**
 * Of several callees those who may not be rung are left out as `unreachable`, whatever the reason: only if none is left is it thrown.
 * @throws AppError callee_unreachable, rate_limited, policy_denied, policy_unavailable, redirect_loop
 */
async function requirePermission(context: Context, requested: CreateCommand): Promise<Routes> {
  const { actor, consultationOf } = requested
  const uncounted =
    consultationOf === undefined ? {} : { uncounted: await consultationLease(context, actor, consultationOf) }
  const found = await findRoutes(context, { ...requested, ...uncounted })
  const routes = await Promise.all(found.routes.map(route => judgeRoute(context, found.command, route)))
  const [first] = routes
  if (first === undefined) throw new AppError('callee_unreachable')
  if (routes.every(({ refusal }) => refusal !== null)) throw worstOf(routes)
  return { ...found, routes }
}

/** Of several refusals the one that a retry may overcome comes first. */
const worstOf = (routes: readonly Route[]): unknown => {
  const refusals = routes.map(({ refusal }) => refusal)
  const isLimited = (refusal: unknown) => refusal instanceof AppError && refusal.code === 'rate_limited'
  const isOther = (refusal: unknown) => refusal instanceof AppError && refusal.code === 'callee_unreachable'
  return refusals.find(isLimited) ?? refusals.find(isOther) ?? refusals[0]
}

/** A blocked caller gets the same error as for an unreachable callee. */
async function judgeRoute(context: Context, command: CreateCommand, route: Route): Promise<Route> {
  if (route.refusal !== null) return route
  try {
    const { isReachable, isBlocked } = route.relation
    const mayRing = !isBlocked && (isReachable || canWake(context, route.relation))
    const whenOffline = command.whenOffline ?? context.config.offlineCalls
    if (whenOffline === 'reject' && !mayRing) throw new AppError('callee_unreachable')
    refuseDuringBackoff(context, route.relation)
    if (command.targets.length > 1)
      await checkRingBudgets(context, { caller: command.actor.user, callee: route.target.user }, route.relation)
    return route
  } catch (refusal) {
    if (refusal instanceof AppError) return { ...route, refusal }
    throw refusal
  }
}
