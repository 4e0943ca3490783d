// Whether a device proves itself. What is compared takes the same work whether the device exists or not: a signature is verified with
// some key, and digests are compared in constant time.
import { createPublicKey, hash, type KeyObject, timingSafeEqual, verify } from 'node:crypto'
import { Point } from '@noble/ed25519'
import type { CredentialState } from '../../domain/credential/credential.js'

/** Of RFC 8032, section 7.1, test 3. It stands for the key of a device that has none. */
const NO_DEVICE_KEY = '_FHNjmIYoaONpH7QAjDwWAgW7RO6MwOsXeuRFUiQgCU'

/**
 * Whether the text is the one encoding of a point of the curve (RFC 8032, section 5.1.3), in base64url without padding (RFC 8037, section 2), and
 * the point is not of small order: for such a key anyone can make a signature. OpenSSL, and so `node:crypto`, checks none of it.
 */
export function isPublicKey(text: string): boolean {
  const bytes = Buffer.from(text, 'base64url')
  if (bytes.toString('base64url') !== text) return false
  try {
    return !Point.fromBytes(bytes).isSmallOrder()
  } catch {
    return false
  }
}

const keyObjectOf = (x: string): KeyObject => createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })

/** @param publicKey base64url of 32 bytes; null: the device has none, and the result is false */
export function isSignedBy(publicKey: string | null, message: Buffer, signature: string): boolean {
  const isValid = verify(null, message, keyObjectOf(publicKey ?? NO_DEVICE_KEY), Buffer.from(signature, 'base64url'))
  return publicKey !== null && isValid
}

/** A key is 256 random bits, so one pass of SHA-256 keeps it as safe as a slow function would. */
export const digestOf = (secret: string): string => hash('sha256', secret, 'base64url')

/** The digest that is the key's; null: the device has no such key. */
export function matchingDigest(state: CredentialState | null, key: string): string | null {
  const given = digestOf(key)
  // Always two comparisons: how many keys there are does not show.
  const known = [state?.keyDigests[0], state?.keyDigests[1]]
  const matches = known.map(
    digest => timingSafeEqual(Buffer.from(given), Buffer.from(digest ?? digestOf(''))) && digest !== undefined
  )
  return matches.includes(true) ? given : null
}
