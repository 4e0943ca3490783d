// A device proves itself, and gets a token.
import { recordUse } from '../../domain/credential/credential.js'
import { signedBytes } from '../../domain/credential/signed-bytes.js'
import { AppError } from '../../errors.js'
import { joinIds } from '../../id-text.js'
import type { DeviceToken, DeviceTokenRequest } from '../../schemas/device-credential.js'
import { type Context, perContext } from '../context.js'
import { checkNonce, useNonce } from './nonces.js'
import { isSignedBy, matchingDigest } from './proofs.js'
import { readCredential, type StoredCredential, writeCredential } from './records.js'
import { createSigningKeys, type SigningKeys } from './signing-keys.js'

const signingKeys = perContext<{ made?: SigningKeys }>(() => ({}))

export function signingKeysOf(context: Context): SigningKeys {
  const kept = signingKeys(context)
  kept.made ??= createSigningKeys(context.config)
  return kept.made
}

/** @throws AppError no_device_credentials */
export function requireSigningKeys({ config }: Context): void {
  if (config.signingKeys.length === 0) throw new AppError('no_device_credentials')
}

/**
 * The same refusal whether the user, the device or its credential does not exist, or the proof is wrong.
 * @throws AppError invalid_credential, invalid_nonce, rate_limited, no_device_credentials
 */
export async function issueDeviceToken(context: Context, request: DeviceTokenRequest): Promise<DeviceToken> {
  requireSigningKeys(context)
  const { user, device, nonce } = request
  const proof = proofIn(request)
  if (proof.kind === 'signature') checkNonce(context, proof.nonce)
  // Before the credential is read: a token that is issued while the credential is revoked is older than the revocation.
  const issuedAt = context.clock.now()
  const stored = await readCredential(context, { user, device })
  const proven = prove(stored, request, proof)
  // Only with a proof of the device, so that no other client takes memory for used nonces. Who repeats a request of the device spends nothing.
  await context.budgets.check(joinIds(user, device), 'deviceTokens')
  if (nonce !== undefined) await useNonce(context, nonce)
  await context.budgets.spend(joinIds(user, device), 'deviceTokens')
  await recordProof(context, request, proven)
  const token = await signingKeysOf(context).sign({ user, device }, issuedAt)
  return { token, expiresInMs: context.config.deviceTokenTtlMs }
}

type Proof =
  | { readonly kind: 'signature'; readonly nonce: string; readonly signature: string }
  | { readonly kind: 'key'; readonly key: string }

/** @throws AppError invalid_request unless it is exactly one of both */
function proofIn({ nonce, signature, key }: DeviceTokenRequest): Proof {
  if (key !== undefined && nonce === undefined && signature === undefined) return { kind: 'key', key }
  if (key === undefined && nonce !== undefined && signature !== undefined)
    return { kind: 'signature', nonce, signature }
  throw new AppError('invalid_request', { detail: 'Give either nonce and signature, or key' })
}

interface Proven {
  readonly stored: StoredCredential
  /** Of the key; null: it was a signature. */
  readonly digest: string | null
}

/** @throws AppError invalid_credential */
function prove(stored: StoredCredential | null, { user, device }: DeviceTokenRequest, proof: Proof): Proven {
  const state = stored?.state ?? null
  if (proof.kind === 'key') {
    const digest = matchingDigest(state, proof.key)
    if (stored !== null && digest !== null) return { stored, digest }
  } else {
    const message = signedBytes('token', [proof.nonce, user, device])
    const isProven = isSignedBy(state?.publicKey ?? null, message, proof.signature)
    if (stored !== null && isProven) return { stored, digest: null }
  }
  throw new AppError('invalid_credential')
}

/** Nearly always writes nothing. If the credential has changed meanwhile, the device has to prove itself again. @throws AppError invalid_credential */
async function recordProof(context: Context, owner: DeviceTokenRequest, { stored, digest }: Proven): Promise<void> {
  const { user, device } = owner
  const next = recordUse(stored.state, digest, context.clock.now())
  if (next === stored.state) return
  const isWritten = await writeCredential(context, { user, device }, { before: stored, next })
  if (!isWritten) throw new AppError('invalid_credential')
}
