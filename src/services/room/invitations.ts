// Invitations: a participant invites users to a room. All devices of each user ring until one of them answers or the invitation ends.
import { partsOfAccess } from '../../domain/room/access.js'
import * as rules from '../../domain/room/invitation.js'
import {
  decideInvitationCancel,
  partsOfCancel,
  partsReadForCancel,
  viewEarlyCancel
} from '../../domain/room/invitation-cancel.js'
import { endedByForInviter } from '../../domain/room/invitation-end.js'
import { type Invitation, NO_CHANGE, PART, type RoomDecision, type RoomParts } from '../../domain/room/state.js'
import { AppError } from '../../errors.js'
import { idFromKey } from '../../ids.js'
import type { Actor } from '../../schemas/claims.js'
import type { Delivery } from '../../schemas/common.js'
import type {
  AcceptInvitationReply,
  InvitationState,
  InviteUsersReply,
  InviteUsersRequest,
  SentInvitation
} from '../../schemas/invitation.js'
import { formatCursor } from '../../store/cursor.js'
import { recordRingAttempt } from '../call/contacts.js'
import { refuseDerivedId } from '../chosen-id.js'
import type { Context } from '../context.js'
import { recordKeepalive, registerDevice } from '../device/keepalive.js'
import { NO_DELIVERY } from '../mail.js'
import { checkMetadata } from '../metadata-bounds.js'
import { runUnlimited, type UnlimitedResult } from '../unlimited-action.js'
import { checkInvitees } from './invitee-checks.js'
import type { ReadRoom } from './parts.js'
import type { InvitationPath, RoomPath } from './paths.js'
import { changeRoom } from './update-room.js'

type InviteRequest = InviteUsersRequest & { readonly idempotencyKey?: string | undefined }

/**
 * Rings all registered devices of each user. An invitation that already rings for a user stays as it is and is returned.
 * @throws AppError not_in_room, not_permitted, room_not_found, room_closed, invitation_id_taken, too_many_invitations,
 *   policy_unavailable
 */
export async function inviteUsers(
  context: Context,
  actor: Actor,
  { roomId, ...request }: RoomPath & InviteRequest
): Promise<InviteUsersReply & { readonly isNew: boolean }> {
  const requested = toCommand(context, actor, request)
  const { command, refused } = await checkInvitees(context, roomId, requested)
  const now = context.clock.now()
  await indexInvitations(context, roomId, { command, now })
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
  for (const invitee of command.invitees) {
    const reason = rules.inviteRefusal(room, { ...invitee, actor, usersInside }, now)
    const sent = await viewSent(context, { ...invitee, room, decision, isRefused: reason !== null })
    if (sent !== null) invitations.push(sent)
    else if (reason !== null) refused.push({ user: invitee.user, reason })
  }
  return { invitations, refused, isNew: Object.keys(decision.writes).length > 0 }
}

/**
 * Adds the room to the index of each user whose devices will ring. The index is written before the commit: if this node dies in between,
 * readers of the index find no invitation in the room, but an invitation that rings is never missing from the index.
 */
async function indexInvitations(
  context: Context,
  roomId: string,
  { command, now }: { readonly command: rules.InviteCommand; readonly now: number }
): Promise<void> {
  const rung = command.invitees.filter(({ user }) => !command.mutedUsers?.includes(user))
  await Promise.all(
    rung.map(({ user, ringMs = command.ringMs }) =>
      context.store.invitations.add(user, roomId, { until: now + ringMs, now })
    )
  )
}

interface SentInvitee {
  readonly user: string
  readonly invitationId: string
  readonly room: ReadRoom
  readonly decision: RoomDecision
  readonly isRefused: boolean
}

/** What the reply says of one user. Null: the user was refused, and this is no repeat of an earlier invitation. */
async function viewSent(
  context: Context,
  { user, invitationId, room, decision, isRefused }: SentInvitee
): Promise<SentInvitation | null> {
  const cancelled = viewEarlyCancel(room, { user, invitationId })
  if (cancelled) return { ...cancelled, delivery: NO_DELIVERY }
  const invitation = (decision.writes[PART.invitation(user)] ?? room.get(PART.invitation(user))) as Invitation | null
  if (invitation === null || (isRefused && invitation.invitationId !== invitationId)) return null
  const now = context.clock.now()
  const { ended, isMuted } = invitation
  const delivery = ended || isMuted ? NO_DELIVERY : await countDevices(context, user, now)
  return { ...rules.viewInvitation(invitation, now), by: endedByForInviter(ended), delivery }
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
): Promise<AcceptInvitationReply> {
  const cursor = await registerDevice(context, actor)
  const { result: invitation } = await answer(context, actor, { ...path, outcome: 'accepted' })
  return { invitation, cursor: formatCursor(cursor) }
}

/** Declines the invitation for all devices of the user. @throws AppError invitation_not_found, invitation_ended */
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
  if (written) await recordRingAttempt(context, pair, outcome === 'accepted' ? 'answered' : 'failed')
  return { result: rules.viewInvitation(invitation, context.clock.now()), isRepeat: !written }
}

/**
 * Allowed for the inviter and for moderators. A cancel that arrives before its invitation prevents it.
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
  const { decision } = await changeRoom(context, basis, (room, now) => decideInvitationCancel(room, command, now))
  recordKeepalive(context, actor)
  return { result: undefined, isRepeat: decision === NO_CHANGE }
}
