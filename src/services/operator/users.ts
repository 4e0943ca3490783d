// A user as operators see them: devices, calls, rooms, and which of their tokens are refused.
import { AppError } from '../../errors.js'
import { nodeOfConnection } from '../../ids.js'
import type { AdminDevice, AdminUserReply, RevocationReply, RevocationView } from '../../schemas/admin-user.js'
import type { Revocation } from '../../store/revocations.js'
import type { DeviceState } from '../../store/store.js'
import { listCalls } from '../call/read-call.js'
import type { Context } from '../context.js'
import { readPresence, toOwnPresence } from '../presence/read-presence.js'
import { revokeTokens } from '../revocations.js'
import { signOut } from './sign-out.js'

/** A user, or one device of theirs. */
export interface RevocablePath {
  readonly user: string
  readonly deviceId?: string
}

/** Users are not registered: one who has never connected has no devices. */
export async function getUser(context: Context, user: string): Promise<AdminUserReply> {
  const { store, clock } = context
  const [devices, presence, calls, joined] = await Promise.all([
    store.mailboxes.devices(user, clock.now()),
    readPresence(context, user),
    listCalls(context, { user }),
    store.memberships.list(user)
  ])
  return {
    presence: toOwnPresence(user, presence.current),
    devices: devices.map(viewDevice),
    calls,
    rooms: joined.map(({ roomId, device, participantId }) => ({ roomId, device, participantId })),
    revocations: store.revocations.list(user).map(viewRevocation)
  }
}

/** @throws AppError too_many_revocations, store_unavailable */
export async function signOutForOperator(context: Context, path: RevocablePath): Promise<RevocationReply> {
  return { revocation: viewRevocation(await signOut(context, toRevocable(path))) }
}

const YEAR_MS = 365 * 24 * 3_600_000

/** @throws AppError invalid_request, too_many_revocations, store_unavailable */
export async function refuseTokens(
  context: Context,
  path: RevocablePath,
  { issuedAfter: text }: { readonly issuedAfter: string }
): Promise<RevocationReply> {
  const issuedAfter = Date.parse(text)
  if (!(issuedAfter >= 0 && issuedAfter <= context.clock.now() + YEAR_MS))
    throw new AppError('invalid_request', { detail: 'body/issuedAfter must be after 1970 and at most a year ahead' })
  const revoked = { ...toRevocable(path), kind: 'tokens' as const, issuedAfter }
  return { revocation: viewRevocation(await revokeTokens(context, revoked)) }
}

/** Idempotent. @throws AppError store_unavailable */
export async function acceptTokens({ store, clock }: Context, path: RevocablePath): Promise<void> {
  const { user, device } = toRevocable(path)
  await store.revocations.remove(user, device, clock.now())
}

const toRevocable = ({ user, deviceId }: RevocablePath) => ({ user, device: deviceId ?? null })

const textOf = (at: number) => new Date(at).toISOString()

function viewDevice({ device, online, seenAt, status, connection }: DeviceState): AdminDevice {
  const node = connection === '' ? null : nodeOfConnection(connection)
  return { device, online, node, lastSeenAt: textOf(seenAt), status: status === '' ? null : status }
}

const viewRevocation = ({ device, kind, issuedAfter, at, expiresAt }: Revocation): RevocationView => ({
  ...{ device, kind, issuedAfter: textOf(issuedAfter), changedAt: textOf(at), expiresAt: textOf(expiresAt) }
})
