// Which invitees of a request may ring, and how: the budgets of the inviter, blocks, and the policy.
import { endpoint } from '../../domain/endpoint.js'
import * as rules from '../../domain/room/invitation.js'
import { AppError } from '../../errors.js'
import type { InviteUsersReply } from '../../schemas/invitation.js'
import { type CalleeRelation, chargeRingAttempt, readCalleeRelation } from '../call/contacts.js'
import type { Context } from '../context.js'
import { askPolicy } from '../policy/ask-policy.js'
import { type ReadRoom, readRoom } from './parts.js'

type RefusedInvitee = InviteUsersReply['refused'][number]

interface InviteeChecks {
  /** Without the refused users, and as the policy has rewritten it. The invitations of users who block the inviter ring no device. */
  readonly command: rules.InviteCommand
  readonly refused: RefusedInvitee[]
}

/**
 * Checks each user whose devices would ring now, before anything is written: a repeat is not checked again, and a refusal leaves nothing
 * behind. The inviter is charged for each of them as for a call.
 * @throws AppError rate_limited, policy_unavailable, and what rules.decideInvite throws
 */
export async function checkInvitees(
  context: Context,
  roomId: string,
  command: rules.InviteCommand
): Promise<InviteeChecks> {
  const room = await readRoom(context, roomId, rules.partsReadForInvite(command))
  const { events } = rules.decideInvite(room, command, context.clock.now())
  const ringing = command.invitees.filter(({ user }) => events.some(({ to }) => 'user' in to && to.user === user))
  // The request was charged as one call before it was handled.
  if (ringing.length > 1) await context.budgets.spend(command.actor.user, 'calls', ringing.length - 1)
  const mutedUsers: string[] = []
  const checked = await Promise.all(
    ringing.map(async (invitee): Promise<rules.Invitee | RefusedInvitee> => {
      const { user } = invitee
      const relation = await readCalleeRelation(context, command.actor.user, user)
      if (relation.isBlocked) mutedUsers.push(user)
      const isRefused = await isOverLimit(context, { caller: command.actor.user, callee: user }, relation)
      if (isRefused) return { user, reason: 'rate_limited' as const }
      return askPolicyForInvitee(context, { roomId, room, command }, invitee)
    })
  )
  const refused = checked.filter(each => 'reason' in each)
  const permitted = new Map(checked.flatMap(each => ('reason' in each ? [] : [[each.user, each]])))
  const invitees = command.invitees
    .filter(({ user }) => !refused.some(each => each.user === user))
    .map(invitee => permitted.get(invitee.user) ?? invitee)
  return { command: { ...command, invitees, mutedUsers }, refused }
}

async function isOverLimit(
  context: Context,
  pair: { caller: string; callee: string },
  relation: CalleeRelation
): Promise<boolean> {
  try {
    await chargeRingAttempt(context, pair, relation)
    return false
  } catch (error) {
    if (error instanceof AppError && error.code === 'rate_limited') return true
    throw error
  }
}

async function askPolicyForInvitee(
  context: Context,
  { roomId, room, command }: { roomId: string; room: ReadRoom; command: rules.InviteCommand },
  invitee: rules.Invitee
): Promise<rules.Invitee | RefusedInvitee> {
  if (context.config.policyUrl === null) return invitee
  const { actor, metadata, ringMs } = command
  const { user, invitationId } = invitee
  const { answer } = await askPolicy<'invitation'>(context, {
    ...{ action: 'invitation', roomId, invitationId, caller: endpoint(actor), to: user },
    ...{ media: room.settings?.callType ?? 'video', metadata, ringTimeoutMs: ringMs }
  })
  if (!answer.allow) return { user, reason: 'policy', ...(answer.reason ? { detail: answer.reason } : {}) }
  return { ...invitee, metadata: answer.metadata ?? metadata, ringMs: answer.ringTimeoutMs ?? ringMs }
}
