// The Ed25519 keys of the server (SIGNING_KEYS), and the tokens that it signs with them for devices. A key id is the thumbprint of the
// public key (RFC 7638), so a token names one key of this server or none: no other key is tried, and no other algorithm is accepted.
import { createPrivateKey, createPublicKey, hash, type KeyObject } from 'node:crypto'
import { compactVerify, decodeProtectedHeader, SignJWT } from 'jose'
import type { Config } from '../../config.js'
import { AppError } from '../../errors.js'
import type { Endpoint } from '../../schemas/common.js'
import type { SigningKey } from '../../schemas/device-credential.js'

export interface SigningKeys {
  /** The public keys, the one that signs first. */
  readonly publicKeys: readonly SigningKey[]
  /** @param now milliseconds since the epoch; `iat` has them as a fraction, less CLOCK_ERROR_MS. @throws AppError no_device_credentials */
  sign(owner: Endpoint, now: number): Promise<string>
  /** Whether the header of the token names a key of this server. */
  isOwn(token: string): boolean
  /** The claims of a token that this server has signed. Their times are not checked. @throws AppError unauthorized */
  verify(token: string): Promise<Readonly<Record<string, unknown>>>
}

interface Key {
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  readonly jwk: SigningKey
}

/** An Ed25519 private key in PKCS #8 (RFC 8410, section 7), up to the 32 bytes of the seed. */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex')
/**
 * The clock of a node that signs may be ahead of that of a node that revokes, by half a round trip to Redis. A token that is issued while its credential
 * is revoked must not seem newer than the revocation.
 */
const CLOCK_ERROR_MS = 500
const NO_ISSUER = 'signalpost'

type Signing = Pick<Config, 'signingKeys' | 'publicUrl' | 'deviceTokenTtlMs'>

export function createSigningKeys({ signingKeys, publicUrl, deviceTokenTtlMs }: Signing): SigningKeys {
  const keys = signingKeys.map(keyOf)
  const byId = new Map(keys.map(key => [key.jwk.kid, key]))
  const issuer = publicUrl ?? NO_ISSUER

  return {
    publicKeys: keys.map(({ jwk }) => jwk),
    async sign({ user, device }, now) {
      const [first] = keys
      if (first === undefined) throw new AppError('no_device_credentials')
      const iat = (now - CLOCK_ERROR_MS) / 1000
      return new SignJWT({ iss: issuer, sub: user, device, iat, exp: (now + deviceTokenTtlMs) / 1000 })
        .setProtectedHeader({ alg: 'EdDSA', typ: 'JWT', kid: first.jwk.kid })
        .sign(first.privateKey)
    },
    isOwn: token => byId.has(keyIdOf(token)),
    async verify(token) {
      const key = byId.get(keyIdOf(token))
      if (key === undefined) throw refusal('The token names no key of this server')
      const claims = await verifiedClaims(token, key.publicKey)
      if (claims.iss !== issuer) throw refusal('The claim iss is not this server')
      return claims
    }
  }
}

function keyOf(seed: string): Key {
  const der = Buffer.concat([PKCS8_HEAD, Buffer.from(seed, 'base64url')])
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  const publicKey = createPublicKey(privateKey)
  const { x = '' } = publicKey.export({ format: 'jwk' })
  // RFC 7638, section 3.2, and RFC 8037, section 2: these members, in this order.
  const kid = hash('sha256', JSON.stringify({ crv: 'Ed25519', kty: 'OKP', x }), 'base64url')
  return { privateKey, publicKey, jwk: { kty: 'OKP', crv: 'Ed25519', x, kid, alg: 'EdDSA', use: 'sig' } }
}

/** '': the token has none, or is malformed. */
function keyIdOf(token: string): string {
  try {
    return decodeProtectedHeader(token).kid ?? ''
  } catch {
    return ''
  }
}

async function verifiedClaims(token: string, key: KeyObject): Promise<Readonly<Record<string, unknown>>> {
  try {
    const { payload } = await compactVerify(token, key, { algorithms: ['EdDSA'] })
    return JSON.parse(new TextDecoder().decode(payload)) as Record<string, unknown>
  } catch (cause) {
    throw refusal('The token signature is invalid.', cause)
  }
}

const refusal = (detail: string, cause?: unknown) => new AppError('unauthorized', { detail, cause })
