// Whether a party of a call may transfer it to a user, and whom the transfer rings: blocks, back-off, and the application's policy.
import type { CallState, Transfer } from '../../domain/call/state.js'
import { redirectOf } from '../../domain/policy/answer.js'
import { AppError } from '../../errors.js'
import type { Endpoint } from '../../schemas/common.js'
import type { TimelineOutcome } from '../../schemas/timeline.js'
import type { Context } from '../context.js'
import { askPolicy } from '../policy/ask-policy.js'
import { policyDenied } from '../policy/denial.js'
import { canWake } from '../push/wake.js'
import { type CalleeRelation, readTargetRelation, refuseDuringBackoff } from './contacts.js'

export interface TransferPlan {
  readonly actor: Endpoint
  readonly to: { readonly user: string; readonly device: string | null }
  readonly ringMs: number
  /** What the policy decided about it, in order. */
  readonly policy?: readonly TimelineOutcome[]
  readonly replaces?: Transfer['replaces']
}

interface PermittedTransfer {
  /** As the policy has rewritten it. */
  readonly plan: TransferPlan
  /** Of the target with the transferor. A target who blocks the other party counts as blocking, too. */
  readonly relation: CalleeRelation
}

/**
 * It is checked before anything is written.
 * @throws AppError callee_unreachable, rate_limited, policy_denied, policy_unavailable, redirect_loop
 */
export async function permitTransfer(
  context: Context,
  plan: TransferPlan,
  { callId, transferee }: { readonly callId: CallState['callId']; readonly transferee: Endpoint }
): Promise<PermittedTransfer> {
  let permitted = await relate(context, plan, transferee)
  if (context.config.policyUrl !== null) permitted = await askAboutTransfer(context, permitted, { callId, transferee })
  const { relation } = permitted
  const mayRing = !relation.isBlocked && (relation.isReachable || canWake(context, relation))
  if (context.config.offlineCalls === 'reject' && !mayRing) throw new AppError('callee_unreachable')
  refuseDuringBackoff(context, relation)
  return permitted
}

async function relate(context: Context, plan: TransferPlan, transferee: Endpoint): Promise<PermittedTransfer> {
  const [mine, theirs] = await Promise.all(
    [plan.actor.user, transferee.user].map(user => readTargetRelation(context, user, plan.to))
  )
  if (!mine || !theirs) throw new TypeError('two relations')
  const relation = {
    ...mine,
    isBlocked: mine.isBlocked || theirs.isBlocked,
    isKnown: mine.isKnown || theirs.isKnown,
    retryAt: Math.max(mine.retryAt, theirs.retryAt)
  }
  return { plan, relation }
}

/** A redirect rings all devices of the user. It is not attended: the other call goes on. */
async function askAboutTransfer(
  context: Context,
  first: PermittedTransfer,
  { callId, transferee }: { readonly callId: string; readonly transferee: Endpoint }
): Promise<PermittedTransfer> {
  let permitted = first
  const policy: TimelineOutcome[] = []
  for (const redirectedFrom: string[] = []; ; ) {
    const { plan, relation } = permitted
    refuseDuringBackoff(context, relation)
    const { actor: caller, to, ringMs: ringTimeoutMs, replaces } = plan
    const question = {
      action: 'transfer',
      callId,
      caller,
      transferee,
      to: to.user,
      ...(replaces && { toCall: replaces.callId }),
      redirectedFrom,
      ringTimeoutMs
    } as const
    const { answer, outcome } = await askPolicy<'transfer'>(context, question)
    if (!answer.allow) throw policyDenied(answer)
    policy.push(outcome === 'not_sent' || outcome === 'denied' ? 'failed' : outcome)
    const ringMs = answer.ringTimeoutMs ?? plan.ringMs
    const next = redirectOf(question, answer)?.[0]?.user
    if (next === undefined) return { plan: { ...plan, ringMs, policy }, relation }
    if (next === transferee.user) throw new AppError('redirect_loop')
    redirectedFrom.push(to.user)
    const redirected = await relate(context, { actor: caller, ringMs, to: { user: next, device: null } }, transferee)
    const isBlocked = relation.isBlocked || redirected.relation.isBlocked
    permitted = { ...redirected, relation: { ...redirected.relation, isBlocked } }
  }
}
