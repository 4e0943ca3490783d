// Signs a user or one of their devices out. First their tokens are refused, so that nothing comes back; then each device leaves what it is in. If
// the node dies in between, the device is missed as one that lost its connection, and the operator may repeat the request.
import { decideCall } from '../../domain/call/decide-call.js'
import { unchanged } from '../../domain/call/decision.js'
import { leaveRoom } from '../../domain/room/participants.js'
import { NO_CHANGE, PART, type ParticipantRecord } from '../../domain/room/state.js'
import type { Endpoint } from '../../schemas/common.js'
import type { Revocation } from '../../store/revocations.js'
import { listLiveCalls } from '../call/leases.js'
import { updateCall } from '../call/update-call.js'
import type { Context } from '../context.js'
import { isInCall } from '../device/lifecycle.js'
import { schedulePresenceCheck } from '../presence/publish-presence.js'
import { clearWatch } from '../presence/watch-list.js'
import { revokeTokens } from '../revocations.js'
import { currentParticipations, removeMemberships } from '../room/memberships.js'
import { changeOpenRoom } from '../room/update-room.js'

/**
 * The streams and polls of the device end, on each node within a second; its calls are hung up, it leaves its rooms, and its mailbox, tickets,
 * watch list and push subscription are deleted. `device` null: all devices of the user. Idempotent.
 * @throws AppError too_many_revocations, and then nothing has changed; store_unavailable
 */
export async function signOut(
  context: Context,
  { user, device }: { readonly user: string; readonly device: string | null }
): Promise<Revocation> {
  const revocation = await revokeTokens(context, {
    ...{ user, device, kind: 'sign_out' as const },
    issuedAfter: context.clock.now()
  })
  const devices = device === null ? await devicesOf(context, user) : [device]
  await Promise.all(devices.map(each => leave(context, { user, device: each })))
  schedulePresenceCheck(context, user)
  return revocation
}

/** Also devices whose records have expired: they may still be in a call or room, or be woken by a push. */
async function devicesOf({ store, clock }: Context, user: string): Promise<readonly string[]> {
  const now = clock.now()
  const [registered, joined, subscribed] = await Promise.all([
    store.mailboxes.devices(user, now),
    store.memberships.list(user),
    store.pushSubscriptions.list(user, now)
  ])
  return [...new Set([...[...registered, ...joined].map(({ device }) => device), ...subscribed.keys()])]
}

async function leave(context: Context, device: Endpoint): Promise<void> {
  await Promise.all([leaveCalls(context, device), leaveRooms(context, device)])
  await clearWatch(context, device)
  await context.store.mailboxes.remove(device.user, device.device)
}

/** A call that rings for the user rings on: another device may answer, or the user signs in again. */
async function leaveCalls(context: Context, device: Endpoint): Promise<void> {
  const command = { type: 'hangup' as const, actor: device, reason: 'hangup' as const }
  const calls = await listLiveCalls(context, device.user)
  const leaving = calls.map(found =>
    updateCall(context, { id: found.callId }, (call, now) =>
      call !== null && isInCall(call, device) ? decideCall(call, command, now) : unchanged(call ?? found)
    )
  )
  await Promise.all(leaving)
}

async function leaveRooms(context: Context, device: Endpoint): Promise<void> {
  const participations = await currentParticipations(context, device)
  const leaving = participations.map(async ({ roomId, participant }) => {
    const part = PART.participantOf(device)
    await changeOpenRoom(context, { roomId, parts: [part, PART.user(device.user)] }, (room, now) => {
      const record = room.get<ParticipantRecord>(part)
      return record === null ? NO_CHANGE : leaveRoom(room, record, { reason: 'left', by: device, now })
    })
    await removeMemberships(context, roomId, [{ ...device, participantId: participant.participantId }])
  })
  await Promise.all(leaving)
}
