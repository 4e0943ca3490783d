// Verifies tokens: those of the operator, by shared secret or key set, and those that the server signs for devices, which name one of its
// keys. A verified token is cached by its text, so its signature is checked once and not on every request. With a key set it
// is checked again after each change of the set, so that the tokens of a withdrawn key stop working.
import fastifyJwt, { type FastifyJWTOptions } from '@fastify/jwt'
import type { FastifyInstance } from 'fastify'
import type { JWTHeaderParameters } from 'jose'
import { LRUCache } from 'lru-cache'
import { createKeySet, type KeySet } from '../adapters/jwks.js'
import type { Clock } from '../clock.js'
import type { Config } from '../config.js'
import { DEVELOPMENT_SECRET } from '../development.js'
import { AppError } from '../errors.js'
import { createSigningKeys } from '../services/credentials/signing-keys.js'
import { type ClaimOptions, type Claims, checkTimes, type VerifiedToken, verifiedTokenOf } from './token-claims.js'

export interface Tokens {
  /**
   * Finds the token in the cache, synchronously, because this is all that nearly every request needs. Undefined: it has to be verified.
   * @throws AppError token_expired, unauthorized
   */
  findVerified(token: string): VerifiedToken | undefined
  /** Whether a token that was verified earlier is still valid. False: it has to be verified again. @throws AppError token_expired */
  isCurrent(token: VerifiedToken): boolean
  /** @throws AppError unauthorized, token_expired, invalid_subject, keys_unavailable */
  verify(token: string): Promise<VerifiedToken>
}

const CACHED_TOKENS = 10_000
const NO_AUDIENCE =
  'JWKS_URL is set and JWT_AUDIENCE is not: a token that the identity provider issued for any other application is accepted here'

const OWN_TOKENS: Omit<ClaimOptions, 'now'> = {
  ...{ issuer: 'server' as const, userClaim: 'sub', deviceClaim: 'device', adminRole: null, adminRoleClaim: '' },
  ...{ leewayMs: 0, mustExpire: true, keysVersion: 0 }
}

/** The secrets of JWT_SECRET do not change while the process runs. */
const FIXED_KEYS: Pick<KeySet, 'version' | 'isCurrent'> = { version: () => 0, isCurrent: () => true }

export async function createTokens(app: FastifyInstance, config: Config, clock: Clock): Promise<Tokens> {
  const { jwksUrl, jwtLeewayMs: leewayMs, jwtUserClaim: userClaim, jwtDeviceClaim: deviceClaim, development } = config
  const { adminRole, adminRoleClaim } = config
  const options = { userClaim, deviceClaim, adminRole, adminRoleClaim, leewayMs, mustExpire: !development }
  const keySet = jwksUrl === null ? null : createKeySet(jwksUrl, { clock, log: app.log })
  const keys = keySet ?? FIXED_KEYS
  const [secret, ...olderSecrets] = development ? [DEVELOPMENT_SECRET] : config.jwtSecret
  await app.register(fastifyJwt, { ...verifierOptions(keySet, secret, config), decoratorName: 'jwtPayload' })
  if (keySet !== null && config.jwtAudience === null) app.log.warn(NO_AUDIENCE)
  const ownKeys = createSigningKeys(config)
  const verifiedTokens = new LRUCache<string, VerifiedToken>({ max: CACHED_TOKENS })

  /** `app.jwt.verify` returns claims with a secret, a promise with a key set. */
  async function verifySignature(token: string): Promise<Claims> {
    try {
      return await app.jwt.verify<Claims | Promise<Claims>>(token)
    } catch (error) {
      const claims = verifyWithOlder(token, error)
      if (claims !== null) return claims
      throw refusal(error)
    }
  }

  /** For rotation: a token signed with a secret other than the first one. Null: its signature is invalid. */
  function verifyWithOlder(token: string, error: unknown): Claims | null {
    if ((error as { code?: unknown }).code !== 'FAST_JWT_INVALID_SIGNATURE') return null
    for (const key of olderSecrets) {
      try {
        return app.jwt.verify<Claims>(token, { key })
      } catch {}
    }
    return null
  }

  async function verifyOperators(token: string): Promise<VerifiedToken> {
    // Read before the verification: if the set changes meanwhile, the next request verifies the token again, because the key that
    // verified it may be withdrawn.
    const keysVersion = keys.version()
    const claims = await verifySignature(token)
    return verifiedTokenOf(claims, { ...options, issuer: 'operator', now: clock.now(), keysVersion })
  }

  /** No setting of the operator's tokens applies: neither claims, issuer and audience, nor the leeway, because the clock is the same. */
  async function verifyOwn(token: string): Promise<VerifiedToken> {
    const claims = await ownKeys.verify(token)
    return verifiedTokenOf(claims, { ...OWN_TOKENS, now: clock.now() })
  }

  function isCurrent(token: VerifiedToken): boolean {
    if (token.issuer === 'operator' && !keys.isCurrent(token.keysVersion)) return false
    checkTimes(token, clock.now())
    return true
  }

  return {
    isCurrent,
    findVerified(token) {
      const verified = verifiedTokens.get(token)
      return verified && isCurrent(verified) ? verified : undefined
    },
    async verify(token) {
      const verified = ownKeys.isOwn(token) ? await verifyOwn(token) : await verifyOperators(token)
      checkTimes(verified, clock.now())
      verifiedTokens.set(token, verified)
      return verified
    }
  }
}

/** Either HS256 with secrets, or asymmetric algorithms with public keys. Never both: a public key must not pass as an HS256 secret. */
function verifierOptions(keySet: KeySet | null, secret: string | undefined, config: Config): FastifyJWTOptions {
  const { jwtIssuer, jwtAudience } = config
  const claims = {
    ...(jwtIssuer === null ? {} : { allowedIss: jwtIssuer }),
    ...(jwtAudience === null ? {} : { allowedAud: jwtAudience }),
    requiredClaims: [...(jwtIssuer === null ? [] : ['iss']), ...(jwtAudience === null ? [] : ['aud'])],
    // token-claims.ts checks them on every request, by the injected clock.
    ignoreExpiration: true,
    ignoreNotBefore: true
  }
  if (keySet === null) return { secret: secret ?? '', verify: { algorithms: ['HS256'], ...claims } }
  const keyOf = async ({ header }: { header: object }) => {
    const key = await keySet.find(header as JWTHeaderParameters)
    if (key === null) throw new AppError('unauthorized', { detail: 'The key set has no key for this token' })
    return key
  }
  return { secret: { public: keyOf }, verify: { algorithms: ['RS256', 'ES256', 'EdDSA'], ...claims } }
}

function refusal(error: unknown): AppError {
  // fast-jwt wraps the error that `keyOf` threw.
  const thrown = (error as { originalError?: unknown }).originalError ?? error
  if (thrown instanceof AppError) return thrown
  // fast-jwt's texts say which check failed. A header or payload that is no JSON is a SyntaxError.
  const { code = '', message = '' } = thrown as { code?: string; message?: string }
  const otherwise = thrown instanceof SyntaxError ? 'The token is malformed.' : 'The token cannot be verified'
  const detail = code.startsWith('FAST_JWT_') ? message : otherwise
  return new AppError('unauthorized', { detail, cause: error })
}
