// A device sets its own public key: with an enrollment code, or with its token and the proof of what it has.
import { redeemCode, setPublicKey } from '../../domain/credential/credential.js'
import { readCode } from '../../domain/credential/enrollment-code.js'
import { signedBytes } from '../../domain/credential/signed-bytes.js'
import { AppError } from '../../errors.js'
import type { Actor } from '../../schemas/claims.js'
import type { Endpoint } from '../../schemas/common.js'
import type { EnrollDeviceRequest, SetDeviceKeyRequest } from '../../schemas/device-credential.js'
import type { Context } from '../context.js'
import { digestOf, isPublicKey, isSignedBy, matchingDigest } from './proofs.js'
import { changeCredential, readCredential, writeCredential } from './records.js'
import { requireSigningKeys } from './tokens.js'

/** @throws AppError invalid_request */
export function requirePublicKey(publicKey: string): void {
  if (isPublicKey(publicKey)) return
  const message =
    'must be an Ed25519 public key: the 32 bytes of a point of the curve that is not of small order, in base64url'
  throw new AppError('invalid_request', {
    detail: `body/publicKey ${message}`,
    extra: { issues: [{ path: 'body/publicKey', message }] }
  })
}

/** The device must be able to sign with the key that it sends. @throws AppError invalid_credential */
function requireOwnSignature(publicKey: string, message: Buffer, signature: string): void {
  if (isSignedBy(publicKey, message, signature)) return
  throw new AppError('invalid_credential', { detail: 'The signature is not that of publicKey' })
}

const rawKey = (publicKey: string) => Buffer.from(publicKey, 'base64url')

/** @throws AppError invalid_enrollment_code, invalid_credential, invalid_request, no_device_credentials */
export async function enrollDevice(context: Context, request: EnrollDeviceRequest): Promise<Endpoint> {
  requireSigningKeys(context)
  const { publicKey, signature } = request
  requirePublicKey(publicKey)
  const code = readCode(request.code)
  if (code === null) throw new AppError('invalid_enrollment_code')
  requireOwnSignature(publicKey, signedBytes('enroll', [code, rawKey(publicKey)]), signature)
  const digest = digestOf(code)
  const owner = await context.store.deviceCredentials.findCode(digest)
  if (owner === null) throw new AppError('invalid_enrollment_code')
  const redeemed = await changeCredential(context, owner, (state, now) => redeemCode(state, { digest, publicKey }, now))
  if (redeemed === null) throw new AppError('invalid_enrollment_code')
  return { user: owner.user, device: owner.device }
}

/**
 * A token alone does not replace a key: with a stolen one the thief would have the device for good. A repeat succeeds.
 * @throws AppError invalid_credential, invalid_request, no_device_credentials
 */
export async function setDeviceKey(
  context: Context,
  { user, device }: Actor,
  request: SetDeviceKeyRequest
): Promise<void> {
  requireSigningKeys(context)
  const { publicKey, signature } = request
  requirePublicKey(publicKey)
  const message = signedBytes('key', [user, device, rawKey(publicKey)])
  requireOwnSignature(publicKey, message, signature)
  const before = await readCredential(context, { user, device })
  if (before?.state.publicKey === publicKey) return
  const isProven =
    request.key === undefined
      ? isSignedBy(before?.state.publicKey ?? null, message, request.currentSignature ?? '')
      : matchingDigest(before?.state ?? null, request.key) !== null
  if (before === null || !isProven) throw new AppError('invalid_credential')
  const next = setPublicKey(before.state, publicKey, context.clock.now())
  const isWritten = await writeCredential(context, { user, device }, { before, next })
  if (!isWritten) throw new AppError('invalid_credential')
}
