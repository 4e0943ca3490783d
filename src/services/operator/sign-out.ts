// Signs a user or one of their devices out. First their tokens are refused, so that nothing comes back; then each device leaves what it is in. If
// the node dies in between, the device is missed as one that lost its connection, and the operator may repeat the request.
import { decideCall } from '../../domain/call/decide-call.js'
import { unchanged } from '../../domain/call/decision.js'
import { commandOfSignOut, type SignedOut } from '../../domain/call/sign-out.js'
import { leaveRoom } from '../../domain/room/participants.js'
import { NO_CHANGE, PART, type ParticipantRecord } from '../../domain/room/state.js'
import type { Endpoint } from '../../schemas/common.js'
import type { Revocation } from '../../store/revocations.js'
import { listLiveCalls } from '../call/leases.js'
import { ringNextInBackground } from '../call/ring-next.js'
import { updateCall } from '../call/update-call.js'
import type { Context } from '../context.js'
import { schedulePresenceCheck } from '../presence/publish-presence.js'
import { clearWatch } from '../presence/watch-list.js'
import { revokeTokens } from '../revocations.js'
import { type CurrentParticipation, currentParticipations, removeMemberships } from '../room/memberships.js'
import { endInvitationsOf } from '../room/ringing-invitations.js'
import { changeOpenRoom } from '../room/update-room.js'

/** Null for `device`: all devices of the user. */
type UserOrDevice = Pick<SignedOut, 'user' | 'device'>

/**
 * The streams and polls of the device end, on each node within a second; its calls are hung up, it leaves its rooms, also with its WHIP and WHEP
 * clients, and its mailbox, tickets, watch list and push subscription are deleted. What rings for no other device of the user stops ringing.
 * Idempotent.
 * @throws AppError too_many_revocations, and then nothing has changed; store_unavailable
 */
export async function signOut(context: Context, { user, device }: UserOrDevice): Promise<Revocation> {
  const revocation = await revokeTokens(context, {
    ...{ user, device, kind: 'sign_out' as const },
    issuedAfter: context.clock.now()
  })
  const reachable = await reachableDevices(context, user)
  const gone = device === null ? reachable : [device]
  const signedOut = { user, device, others: reachable.filter(each => !gone.includes(each)) }
  await Promise.all([leaveCalls(context, signedOut), leaveRooms(context, signedOut)])
  await Promise.all(gone.map(each => forget(context, { user, device: each })))
  // A call that was created meanwhile rings for mailboxes that are gone.
  await Promise.all([leaveCalls(context, signedOut), endInvitations(context, signedOut)])
  schedulePresenceCheck(context, user)
  return revocation
}

/** Registered devices, and those that a push can wake although their records have expired. */
async function reachableDevices({ store, clock }: Context, user: string): Promise<readonly string[]> {
  const now = clock.now()
  const [registered, subscribed] = await Promise.all([
    store.mailboxes.devices(user, now),
    store.pushSubscriptions.list(user, now)
  ])
  return [...new Set([...registered.map(({ device }) => device), ...subscribed.keys()])]
}

async function forget(context: Context, device: Endpoint): Promise<void> {
  await clearWatch(context, device)
  await context.store.mailboxes.remove(device.user, device.device)
}

async function leaveCalls(context: Context, signedOut: SignedOut): Promise<void> {
  const calls = await listLiveCalls(context, signedOut.user)
  const leaving = calls.map(async found => {
    const { state } = await updateCall(context, { id: found.callId }, (call, now) => {
      const command = call && commandOfSignOut(call, signedOut)
      return command ? decideCall(call, command, now) : unchanged(call ?? found)
    })
    ringNextInBackground(context, state)
  })
  await Promise.all(leaving)
}

/** An invitation rings for all devices of its user. */
async function endInvitations(context: Context, { user, others }: SignedOut): Promise<void> {
  if (others.length === 0) await endInvitationsOf(context, user)
}

/** A WHIP or WHEP client has a device name of its own, and leaves with the device whose token it has used. */
async function leaveRooms(context: Context, { user, device }: UserOrDevice): Promise<void> {
  const memberships = await context.store.memberships.list(user)
  const names = [...new Set(memberships.map(membership => membership.device))]
  const found = await Promise.all(names.map(name => currentParticipations(context, { user, device: name })))
  const isLeaving = ({ participant }: CurrentParticipation) =>
    device === null || participant.device === device || participant.whip?.device === device
  await Promise.all(found.flat().map(each => (isLeaving(each) ? leave(context, each) : null)))
}

async function leave(context: Context, { roomId, participant }: CurrentParticipation): Promise<void> {
  const { user, device, participantId } = participant
  const part = PART.participantOf(participant)
  await changeOpenRoom(context, { roomId, parts: [part, PART.user(user)] }, (room, now) => {
    const record = room.get<ParticipantRecord>(part)
    return record === null ? NO_CHANGE : leaveRoom(room, record, { reason: 'left', by: { user, device }, now })
  })
  await removeMemberships(context, roomId, [{ user, device, participantId }])
}
