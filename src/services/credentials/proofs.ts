// Whether a device proves itself. What is compared takes the same work whether the device exists or not: a signature is verified with
// some key, and digests are compared in constant time.
import { createPublicKey, hash, type KeyObject, timingSafeEqual, verify } from 'node:crypto'
import type { CredentialState } from '../../domain/credential/credential.js'

/** Of RFC 8032, section 7.1, test 3. It stands for the key of a device that has none. */
const NO_DEVICE_KEY = '_FHNjmIYoaONpH7QAjDwWAgW7RO6MwOsXeuRFUiQgCU'

/**
 * Points of small order, and other encodings of them: for such a key anyone can make a signature. The sign bit is cleared. Both of order 8,
 * then 0, 1, and p - 1, p and p + 1 with p = 2^255 - 19.
 */
const WEAK_KEYS = new Set([
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  '00'.repeat(32),
  `01${'00'.repeat(31)}`,
  ...['ec', 'ed', 'ee'].map(first => `${first}${'ff'.repeat(30)}7f`)
])

/** Whether the text is 32 bytes in base64url, and not one of the keys that prove nothing. */
export function isPublicKey(text: string): boolean {
  const bytes = Buffer.from(text, 'base64url')
  if (bytes.length !== 32 || bytes.toString('base64url') !== text) return false
  const last = bytes[31] ?? 0
  return !WEAK_KEYS.has(Buffer.concat([bytes.subarray(0, 31), Buffer.from([last & 127])]).toString('hex'))
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
