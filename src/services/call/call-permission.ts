// Whether a caller may ring a callee: blocks, back-off, and the application's policy.
import { askPolicy } from '../../adapters/policy.js'
import type { CommandOf } from '../../domain/call/command.js'
import { type CallIdRecord, callIn, tombstoneOf } from '../../domain/call/tombstone.js'
import { AppError } from '../../errors.js'
import type { Context } from '../context.js'
import { type CalleeRelation, readCalleeRelation, refuseDuringBackoff } from './contacts.js'
import { readRecord } from './update-call.js'

export type CreateCommand = Omit<CommandOf<'create'>, 'attempt' | 'isMuted'>

export type Permission =
  | { readonly repeated: null; readonly relation: CalleeRelation }
  /** The record of an earlier create by this caller with this id. It was permitted then. */
  | { readonly repeated: CallIdRecord }

/**
 * Whether the caller may ring the callee. It is checked before any lease is taken, so that a refusal leaves nothing behind. The record is
 * read only if the result depends on it: before a policy is asked, and before an error is thrown.
 * @throws AppError callee_unreachable, rate_limited, policy_denied, policy_unavailable
 */
export async function checkPermission(context: Context, command: CreateCommand): Promise<Permission> {
  const hasPolicy = context.config.policyUrl !== null
  const repeated = hasPolicy ? await findRepeated(context, command) : null
  if (repeated) return { repeated }
  try {
    return { repeated: null, relation: await requirePermission(context, command) }
  } catch (error) {
    const earlier = hasPolicy ? null : await findRepeated(context, command)
    if (earlier) return { repeated: earlier }
    throw error
  }
}

async function findRepeated(context: Context, { callId, actor }: CreateCommand): Promise<CallIdRecord | null> {
  const record = await readRecord(context, callId)
  return callIn(record) !== null || tombstoneOf(record, actor.user) !== null ? record : null
}

/** A blocked caller gets the same error as for an unreachable callee. */
async function requirePermission(context: Context, command: CreateCommand): Promise<CalleeRelation> {
  const relation = await readCalleeRelation(context, command.actor.user, command.to)
  const isReachable = relation.isReachable && !relation.isBlocked
  if (context.config.offlineCalls === 'reject' && !isReachable) throw new AppError('callee_unreachable')
  refuseDuringBackoff(context, relation)
  await askPolicyForCall(context, command)
  return relation
}

async function askPolicyForCall({ config, log }: Context, command: CreateCommand): Promise<void> {
  if (config.policyUrl === null) return
  const { callId, actor: caller, to, media, metadata } = command
  const answer = await askPolicy(config, { action: 'call', callId, caller, to, media, metadata }, log)
  if (!answer.allow) throw new AppError('policy_denied', answer.reason ? { detail: answer.reason } : {})
}
