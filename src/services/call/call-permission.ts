// Whether a caller may ring a callee, and whom the call rings: blocks, back-off, and the application's policy, which may redirect it.
import type { CommandOf } from '../../domain/call/command.js'
import { type CallIdRecord, callIn, tombstoneOf } from '../../domain/call/tombstone.js'
import { redirectOf } from '../../domain/policy/answer.js'
import { AppError } from '../../errors.js'
import type { PolicyAllowance } from '../../schemas/policy.js'
import type { TimelineOutcome } from '../../schemas/timeline.js'
import type { Context } from '../context.js'
import { askPolicy } from '../policy/ask-policy.js'
import { policyDenied } from '../policy/denial.js'
import { canWake } from '../push/wake.js'
import { type CalleeRelation, readCalleeRelation, refuseDuringBackoff } from './contacts.js'
import { readRecord } from './update-call.js'

export interface CreateCommand extends Omit<CommandOf<'create'>, 'attempt' | 'isMuted' | 'wakes'> {
  /** Undefined: as OFFLINE_CALLS says. */
  readonly whenOffline?: 'reject' | 'ring' | undefined
}

/** Whom the call rings, and how. */
interface Route {
  /** As the policy has rewritten it. */
  readonly command: CreateCommand
  /** Of its callee. A user who blocks the caller and from whom the call is redirected counts as blocking, too. */
  readonly relation: CalleeRelation
}

export type Permission =
  | ({ readonly repeated: null } & Route)
  /** The record of an earlier create by this caller with this id. It was permitted then. */
  | { readonly repeated: CallIdRecord }

/**
 * Whether the caller may ring the callee. It is checked before any lease is taken, so that a refusal leaves nothing behind. The record is
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

/** A blocked caller gets the same error as for an unreachable callee. */
async function requirePermission(context: Context, command: CreateCommand): Promise<Route> {
  const route = await findRoute(context, command)
  const { isReachable, isBlocked } = route.relation
  const mayRing = !isBlocked && (isReachable || canWake(context, route.relation))
  const whenOffline = command.whenOffline ?? context.config.offlineCalls
  if (whenOffline === 'reject' && !mayRing) throw new AppError('callee_unreachable')
  refuseDuringBackoff(context, route.relation)
  return route
}

/**
 * Asks the policy about the callee, and about each user to whom it redirects the call. It is asked also about a callee who blocks the caller
 * or is unreachable: its answer must not show a block.
 */
async function findRoute(context: Context, requested: CreateCommand): Promise<Route> {
  const { user } = requested.actor
  let command = requested
  let relation = await readCalleeRelation(context, user, command.to)
  const policy: TimelineOutcome[] = []
  if (context.config.policyUrl === null) return { command, relation }
  for (const redirectedFrom: string[] = []; ; ) {
    refuseDuringBackoff(context, relation)
    const { callId, actor: caller, to, media, metadata, ringMs: ringTimeoutMs } = command
    const question = { action: 'call', callId, caller, to, redirectedFrom, media, metadata, ringTimeoutMs } as const
    const { answer, outcome } = await askPolicy<'call'>(context, question)
    if (!answer.allow) throw policyDenied(answer)
    policy.push(outcome === 'not_sent' || outcome === 'denied' ? 'failed' : outcome)
    const next = redirectOf(question, answer)
    command = { ...rewrite(command, answer), to: next ?? to }
    if (next === null) return { command: { ...command, policy }, relation }
    redirectedFrom.push(to)
    const { isBlocked } = relation
    const nextRelation = await readCalleeRelation(context, user, next)
    relation = { ...nextRelation, isBlocked: isBlocked || nextRelation.isBlocked }
  }
}

const rewrite = (command: CreateCommand, answer: PolicyAllowance<'call'>): CreateCommand => ({
  ...command,
  media: answer.media ?? command.media,
  metadata: answer.metadata ?? command.metadata,
  ringMs: answer.ringTimeoutMs ?? command.ringMs,
  maxMs: answer.maxDurationMs ?? command.maxMs
})
