// From a token's text to what it grants. Verified tokens are cached by their text, so that a signature is checked once and not on
// every request: with a key set, once for each state of the set, so that a withdrawn key's tokens stop working.
import fastifyJwt, { type FastifyJWTOptions } from '@fastify/jwt'
import type { FastifyInstance } from 'fastify'
import type { JWTHeaderParameters } from 'jose'
import { LRUCache } from 'lru-cache'
import { createKeySet, type KeySet } from '../adapters/jwks.js'
import type { Clock } from '../clock.js'
import type { Config } from '../config.js'
import { DEVELOPMENT_SECRET } from '../development.js'
import { AppError } from '../errors.js'
import { type Claims, checkTimes, type Grant, grantOf } from './token-claims.js'

export interface Tokens {
  /** Synchronous, because nearly every request ends here; undefined when the token has to be verified. Throws token_expired. */
  recall(token: string): Grant | undefined
  /** The same for a grant that `recall` or `verify` returned earlier. */
  recheck(grant: Grant): Grant | undefined
  /** Throws unauthorized, token_expired or invalid_subject. */
  verify(token: string): Promise<Grant>
}

const CACHED_TOKENS = 10_000
const NO_AUDIENCE =
  'JWKS_URL is set and JWT_AUDIENCE is not: a token that the identity provider issued for any other application is accepted here'

/** Shared secrets never change while the process lives. */
const SECRETS: Pick<KeySet, 'version' | 'isCurrent'> = { version: () => 0, isCurrent: () => true }

export async function createTokens(app: FastifyInstance, config: Config, clock: Clock): Promise<Tokens> {
  const { jwksUrl, jwtLeewayMs: leewayMs, development } = config
  const keySet = jwksUrl === null ? null : createKeySet(jwksUrl, { clock, log: app.log })
  const keys = keySet ?? SECRETS
  const [secret, ...olderSecrets] = development ? [DEVELOPMENT_SECRET] : config.jwtSecret
  await app.register(fastifyJwt, { ...trustIn(keySet, secret, config), decoratorName: 'jwtPayload' })
  if (keySet !== null && config.jwtAudience === null) app.log.warn(NO_AUDIENCE)
  const grants = new LRUCache<string, Grant>({ max: CACHED_TOKENS })

  /** With a secret the answer is at hand; with a key set it is a promise. */
  async function verifySignature(token: string): Promise<Claims> {
    try {
      return await app.jwt.verify<Claims | Promise<Claims>>(token)
    } catch (error) {
      const claims = verifyWithOlder(token, error)
      if (claims !== null) return claims
      throw refusal(error)
    }
  }

  /** During a rotation: a token of a secret that does not sign any more. */
  function verifyWithOlder(token: string, error: unknown): Claims | null {
    if ((error as { code?: unknown }).code !== 'FAST_JWT_INVALID_SIGNATURE') return null
    for (const key of olderSecrets) {
      try {
        return app.jwt.verify<Claims>(token, { key })
      } catch {}
    }
    return null
  }

  const recheck = (grant: Grant) => (keys.isCurrent(grant.keysVersion) ? checkTimes(grant, clock.now()) : undefined)

  return {
    recheck,
    recall(token) {
      const grant = grants.get(token)
      return grant && recheck(grant)
    },
    async verify(token) {
      // Read first: a set that arrives meanwhile makes it verify once more, and not trust a key that was withdrawn.
      const keysVersion = keys.version()
      const claims = await verifySignature(token)
      const now = clock.now()
      const options = { now, leewayMs, mustExpire: !development, keysVersion }
      const grant = checkTimes(grantOf(claims, options), now)
      grants.set(token, grant)
      return grant
    }
  }
}

/** Secrets and HS256, or public keys and the algorithms of public keys. Never both, so neither can pose as the other. */
function trustIn(keySet: KeySet | null, secret: string | undefined, config: Config): FastifyJWTOptions {
  const { jwtIssuer, jwtAudience } = config
  const claims = {
    ...(jwtIssuer === null ? {} : { allowedIss: jwtIssuer }),
    ...(jwtAudience === null ? {} : { allowedAud: jwtAudience }),
    requiredClaims: [...(jwtIssuer === null ? [] : ['iss']), ...(jwtAudience === null ? [] : ['aud'])],
    // Checked in token-claims.ts, on every request and by our clock.
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
  // fast-jwt wraps what the search for a key threw.
  const thrown = (error as { originalError?: unknown }).originalError ?? error
  if (thrown instanceof AppError) return thrown
  return new AppError('unauthorized', { detail: 'The token does not verify', cause: error })
}
