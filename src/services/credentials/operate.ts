// What operators do with the credentials of devices.
import { randomBytes } from 'node:crypto'
import {
  addCode,
  addKey,
  type CredentialState,
  ENROLLMENT_CODE_TTL_MS,
  setPublicKey
} from '../../domain/credential/credential.js'
import { CODE_LENGTH, formatCode, readCode } from '../../domain/credential/enrollment-code.js'
import { AppError } from '../../errors.js'
import { joinIds, splitIds } from '../../id-text.js'
import type { Endpoint } from '../../schemas/common.js'
import type {
  CredentialsQuery,
  CredentialsReply,
  CredentialView,
  EnrollmentCode,
  NewDeviceKey
} from '../../schemas/device-credential.js'
import type { Context } from '../context.js'
import { timestampOf } from '../mail.js'
import { signOut } from '../operator/sign-out.js'
import { requirePublicKey } from './enrollment.js'
import { digestOf } from './proofs.js'
import { changeCredential, parseCredential, readCredential } from './records.js'
import { requireSigningKeys } from './tokens.js'

function viewOf({ user, device }: Endpoint, state: CredentialState, now: number): CredentialView {
  const { publicKey, keyDigests, code, createdAt, usedAt } = state
  const codeExpiresInMs = code === null || code.redeemedBy !== null ? 0 : Math.max(0, code.expiresAt - now)
  return {
    ...{ user, device, publicKey, keys: keyDigests.length },
    ...{ createdAt: timestampOf(createdAt), usedAt: timestampOf(usedAt) },
    codeExpiresInMs: codeExpiresInMs === 0 ? null : codeExpiresInMs
  }
}

/** @throws AppError credential_not_found */
export async function getCredential(context: Context, owner: Endpoint): Promise<CredentialView> {
  const stored = await readCredential(context, owner)
  if (stored === null) throw new AppError('credential_not_found')
  return viewOf(owner, stored.state, context.clock.now())
}

/** @throws AppError invalid_request, too_many_credentials, no_device_credentials */
export async function putPublicKey(context: Context, owner: Endpoint, publicKey: string): Promise<CredentialView> {
  requireSigningKeys(context)
  requirePublicKey(publicKey)
  const state = await changeCredential(context, owner, (before, now) => setPublicKey(before, publicKey, now))
  return viewOf(owner, state, context.clock.now())
}

/** The key is shown this once. @throws AppError too_many_credentials, no_device_credentials */
export async function createKey(context: Context, owner: Endpoint): Promise<NewDeviceKey> {
  requireSigningKeys(context)
  const key = randomBytes(32).toString('base64url')
  await changeCredential(context, owner, (before, now) => addKey(before, digestOf(key), now))
  return { key }
}

/** The code is shown this once. @throws AppError too_many_credentials, no_device_credentials */
export async function createEnrollmentCode(context: Context, owner: Endpoint): Promise<EnrollmentCode> {
  requireSigningKeys(context)
  const code = formatCode(randomBytes(CODE_LENGTH))
  const digest = digestOf(readCode(code) ?? '')
  await context.store.deviceCredentials.putCode(digest, owner, ENROLLMENT_CODE_TTL_MS)
  await changeCredential(context, owner, (before, now) => addCode(before, digest, now))
  return { code, expiresInMs: ENROLLMENT_CODE_TTL_MS }
}

/**
 * Removes key and code, then signs the device out: its tokens are refused, its streams end. The tokens are refused by an instant after the removal, and
 * a token's `iat` is read before its credential: none is newer. A repeat signs it out again. @throws AppError too_many_revocations
 */
export async function revokeCredential(context: Context, owner: Endpoint): Promise<void> {
  await removeCredential(context, owner)
  await signOut(context, owner)
}

async function removeCredential(context: Context, owner: Endpoint): Promise<void> {
  const { store, clock, config } = context
  for (;;) {
    const now = clock.now()
    const expected = await store.deviceCredentials.get(owner, now)
    if (expected === null) return
    const change = { expected, next: null, expiresAt: now }
    const result = await store.deviceCredentials.replace(owner, change, { now, max: config.maxDeviceCredentials })
    if (result === 'written') return
  }
}

/** @throws AppError invalid_request for a malformed `after` */
export async function listCredentials(
  context: Context,
  { limit, after, user }: CredentialsQuery
): Promise<CredentialsReply> {
  const now = context.clock.now()
  const from = after === undefined ? null : readPosition(after)
  // One more, to know whether there is another page.
  const found = await context.store.deviceCredentials.list({ after: from, limit: limit + 1, user }, now)
  const page = found.slice(0, limit)
  const last = page.at(-1)
  return {
    credentials: page.map(({ user, device, text }) => viewOf({ user, device }, parseCredential(text), now)),
    next: last && found.length > limit ? Buffer.from(joinIds(last.user, last.device)).toString('base64url') : null
  }
}

function readPosition(after: string): Endpoint {
  const [user, device, ...more] = splitPosition(Buffer.from(after, 'base64url').toString())
  if (user === undefined || device === undefined || more.length > 0)
    throw new AppError('invalid_request', { detail: 'querystring/after must be next of an earlier reply' })
  return { user, device }
}

function splitPosition(joined: string): string[] {
  try {
    return splitIds(joined)
  } catch {
    return []
  }
}
