// Asking users into a room: their devices ring, one of them answers, all others hear why it rings no more.
import { askPolicy } from '../../adapters/policy.js'
import { endpoint } from '../../domain/endpoint.js'
import { partsOfAccess } from '../../domain/room/access.js'
import * as rules from '../../domain/room/invitation.js'
import {
  decideCancel,
  partsOfCancel,
  partsReadForCancel,
  viewEarlyCancel
} from '../../domain/room/invitation-cancel.js'
import { type Invitation, NO_CHANGE, PART, type RoomParts } from '../../domain/room/state.js'
import { AppError } from '../../errors.js'
import { idFromKey } from '../../ids.js'
import type { Actor } from '../../schemas/claims.js'
import type { Delivery } from '../../schemas/common.js'
import type {
  AcceptInvitationResponse,
  InvitationState,
  InviteUsersRequest,
  InviteUsersResponse,
  SentInvitation
} from '../../schemas/invitation.js'
import { formatCursor } from '../../store/cursor.js'
import { type CalleeRelation, chargeAttempt, readCalleeRelation, recordAttempt } from '../call/contacts.js'
import { refuseDerivedId } from '../chosen-id.js'
import type { Context } from '../context.js'
import { recordKeepalive, registerDevice } from '../device/keepalive.js'
import { NO_DELIVERY } from '../mail.js'
import { checkMetadata } from '../metadata-bounds.js'
import { runUnlimited, type UnlimitedResult } from '../unlimited-action.js'
import { type ReadRoom, readRoom } from './parts.js'
import type { InvitationPath, RoomPath } from './paths.js'
import { changeRoom } from './update-room.js'

type InviteRequest = InviteUsersRequest & { readonly idempotencyKey?: string | undefined }

/**
 * Rings all registered devices of each user. Whoever rings already goes on as before.
 * @throws AppError not_in_room, not_permitted, room_not_found, room_closed, invitation_id_taken, too_many_invitations,
 *   policy_unavailable
 */
export async function inviteUsers(
  context: Context,
  actor: Actor,
  { roomId, ...request }: RoomPath & InviteRequest
): Promise<InviteUsersResponse & { readonly isNew: boolean }> {
  const asked = toCommand(context, actor, request)
  const { refused, mutedUsers } = await checkInvitees(context, roomId, asked)
  const isAllowed = ({ user }: { user: string }) => !refused.some(each => each.user === user)
  const command = { ...asked, invitees: asked.invitees.filter(isAllowed), mutedUsers }
  const users = command.invitees.map(({ user }) => user).filter(user => !mutedUsers.includes(user))
  // Before the commit: if this node dies in between, one room too many is looked into, one too few is not.
  const now = context.clock.now()
  const until = now + command.ringMs
  await Promise.all(users.map(user => context.store.invitations.add(user, roomId, { until, now })))
  const basis = {
    roomId,
    read: rules.partsReadForInvite(command),
    parts: rules.partsOfInvite(command),
    payer: actor.user
  }
  const { decision, room } = await changeRoom(context, basis, (read, at) => rules.decideInvite(read, command, at))
  recordKeepalive(context, actor)
  const invitations: SentInvitation[] = []
  const usersInside = rules.usersInRoom(room)
  for (const { user, invitationId } of command.invitees) {
    const relation = (decision.writes[PART.invitation(user)] ?? room.get(PART.invitation(user))) as Invitation | null
    const reason = rules.inviteRefusal(room, { actor, user, usersInside }, now)
    const isRepeat = relation?.invitationId === invitationId
    const ahead = viewEarlyCancel(room, { user, invitationId })
    if (ahead) invitations.push({ ...ahead, delivery: NO_DELIVERY })
    else if (relation !== null && (isRepeat || reason === null))
      invitations.push(await viewSentInvitation(context, relation))
    else if (reason !== null) refused.push({ user, reason })
  }
  return { invitations, refused, isNew: Object.keys(decision.writes).length > 0 }
}

function toCommand(context: Context, actor: Actor, request: InviteRequest): rules.InviteCommand {
  const { users, invitationId, metadata = {}, ringTimeoutMs = context.config.ringTimeoutMs, idempotencyKey } = request
  checkMetadata(metadata)
  refuseDerivedId('invitationId', invitationId)
  if (invitationId !== undefined && users.length > 1) {
    throw new AppError('invalid_request', {
      detail: 'An invitationId is for one user; for several use Idempotency-Key'
    })
  }
  const idOf = (user: string) => (idempotencyKey ? idFromKey(actor.user, idempotencyKey, user) : context.ids.unique())
  const invitees = users.map(user => ({ user, invitationId: invitationId ?? idOf(user) }))
  const { roomMaxInvitations: perRoom, roomMaxInvitationsPerUser: perInviter } = context.config
  return { actor, invitees, metadata, ringMs: ringTimeoutMs, bounds: { perRoom, perInviter } }
}

interface InviteeChecks {
  readonly refused: InviteUsersResponse['refused']
  /** Those who block the inviter: what they are sent reaches no device. */
  readonly mutedUsers: readonly string[]
}

/**
 * Judges each user who would ring now, before anything is kept: a repeat is not judged again, and a refusal leaves nothing behind.
 * Each costs the inviter as much as a call. @throws AppError rate_limited, policy_unavailable
 */
async function checkInvitees(context: Context, roomId: string, command: rules.InviteCommand): Promise<InviteeChecks> {
  const room = await readRoom(context, roomId, rules.partsReadForInvite(command))
  const { events } = rules.decideInvite(room, command, context.clock.now())
  const ringing = command.invitees.filter(({ user }) => events.some(({ to }) => 'user' in to && to.user === user))
  // The request itself is charged as one.
  if (ringing.length > 1) await context.budgets.spend(command.actor.user, 'calls', ringing.length - 1)
  const mutedUsers: string[] = []
  const answers = await Promise.all(
    ringing.map(async invitee => {
      const { user } = invitee
      const relation = await readCalleeRelation(context, command.actor.user, user)
      if (relation.isBlocked) mutedUsers.push(user)
      const isRefused = await isOverLimit(context, { caller: command.actor.user, callee: user }, relation)
      if (isRefused) return { user, reason: 'rate_limited' as const }
      return askPolicyForInvitee(context, { roomId, room, command }, invitee)
    })
  )
  return { refused: answers.filter(answer => answer !== null), mutedUsers }
}

async function isOverLimit(
  context: Context,
  pair: { caller: string; callee: string },
  relation: CalleeRelation
): Promise<boolean> {
  try {
    await chargeAttempt(context, pair, relation)
    return false
  } catch (error) {
    if (error instanceof AppError && error.code === 'rate_limited') return true
    throw error
  }
}

async function askPolicyForInvitee(
  { config, log }: Context,
  { roomId, room, command }: { roomId: string; room: ReadRoom; command: rules.InviteCommand },
  { user, invitationId }: rules.InviteCommand['invitees'][number]
): Promise<InviteUsersResponse['refused'][number] | null> {
  if (config.policyUrl === null) return null
  const { actor, metadata } = command
  const caller = endpoint(actor)
  const asked = { action: 'invitation' as const, roomId, caller, media: room.settings?.callType, metadata }
  const { allow, reason: detail } = await askPolicy(config, { ...asked, to: user, invitationId }, log)
  return allow ? null : { user, reason: 'policy', ...(detail ? { detail } : {}) }
}

async function viewSentInvitation(context: Context, invitation: Invitation): Promise<SentInvitation> {
  const now = context.clock.now()
  const delivery =
    invitation.ended || invitation.isMuted ? NO_DELIVERY : await countDevices(context, invitation.user, now)
  return { ...rules.viewInvitation(invitation, now), by: rules.endedByForInviter(invitation.ended), delivery }
}

async function countDevices({ store }: Context, user: string, now: number): Promise<Delivery> {
  const devices = await store.mailboxes.devices(user, now)
  const online = devices.filter(device => device.online).length
  return { online, queued: devices.length - online }
}

/** @throws AppError invitation_not_found, invitation_ended, not_permitted, too_many_devices */
export async function acceptInvitation(
  context: Context,
  actor: Actor,
  path: InvitationPath
): Promise<AcceptInvitationResponse> {
  const cursor = await registerDevice(context, actor)
  const { result: invitation } = await answer(context, actor, { ...path, outcome: 'accepted' })
  return { invitation, cursor: formatCursor(cursor) }
}

/** For all devices of the user. @throws AppError invitation_not_found, invitation_ended */
export async function declineInvitation(
  context: Context,
  actor: Actor,
  path: InvitationPath
): Promise<InvitationState> {
  const invitation = await runUnlimited(context, actor, () => answer(context, actor, { ...path, outcome: 'declined' }))
  recordKeepalive(context, actor)
  return invitation
}

async function answer(
  context: Context,
  actor: Actor,
  { roomId, invitationId, outcome }: InvitationPath & Pick<rules.InvitationAnswer, 'outcome'>
): Promise<UnlimitedResult<InvitationState>> {
  const { decision, room } = await changeRoom(context, { roomId, parts: partsOfAccess(actor) }, (before, now) =>
    rules.decideAnswer(before, { actor, invitationId, outcome }, now)
  )
  const written = decision.writes[PART.invitation(actor.user)]
  const invitation = (written ?? room.get(PART.invitation(actor.user))) as Invitation
  const pair = { caller: invitation.from.user, callee: actor.user }
  if (written) {
    await recordAttempt(context, pair, outcome === 'accepted' ? 'answered' : 'failed')
  }
  return { result: rules.viewInvitation(invitation, context.clock.now()), isRepeat: !written }
}

/**
 * By whoever invited, or a moderator. Before its invitation comes it prevents it.
 * @throws AppError invitation_not_found, invitation_ended, not_permitted, too_many_invitations
 */
export function cancelInvitation(context: Context, actor: Actor, path: InvitationPath): Promise<void> {
  return runUnlimited(context, actor, () => cancelInRoom(context, actor, path))
}

async function cancelInRoom(
  context: Context,
  actor: Actor,
  { roomId, invitationId }: InvitationPath
): Promise<UnlimitedResult<void>> {
  const command = { actor, invitationId }
  const basis = { roomId, read: partsReadForCancel(command), parts: (room: RoomParts) => partsOfCancel(room, command) }
  const { decision } = await changeRoom(context, basis, (room, now) => decideCancel(room, command, now))
  recordKeepalive(context, actor)
  return { result: undefined, isRepeat: decision === NO_CHANGE }
}
