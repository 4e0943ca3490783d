// From a token's text to what it grants. Verified tokens are remembered by their text, so that a signature is checked once and
// not on every request; times are checked on every request, against the injected clock.
import fastifyJwt, { type FastifyJWTOptions } from '@fastify/jwt'
import type { FastifyInstance } from 'fastify'
import type { JWTHeaderParameters } from 'jose'
import { LRUCache } from 'lru-cache'
import { Value } from 'typebox/value'
import { createKeySet } from '../adapters/jwks.js'
import type { Clock } from '../clock.js'
import type { Config } from '../config.js'
import { DEVELOPMENT_SECRET } from '../development.js'
import { AppError } from '../errors.js'
import { type Actor, RoomClaims } from '../schemas/claims.js'
import { ID_PATTERN } from '../schemas/common.js'

export interface Grant {
  readonly user: string
  /** The claim `device`; null leaves the choice to the request. */
  readonly device: string | null
  /** Milliseconds since the epoch; 0 when it never expires. */
  readonly expiresAt: number
  readonly rooms: RoomClaims | null
  readonly notBefore: number
  /** When the signature has to be checked again: a key may have been withdrawn. */
  readonly freshUntil: number
  /** The actor that was made of it last; one token nearly always comes from one device. */
  lastActor: Actor | null
}

export interface Tokens {
  /** Synchronous, because nearly every request ends here; undefined when the token has to be verified. Throws token_expired. */
  recall(token: string): Grant | undefined
  /** Throws unauthorized, token_expired or invalid_subject. */
  verify(token: string): Promise<Grant>
}

const REMEMBERED_TOKENS = 10_000
const REMEMBER_MS = 600_000

interface Claims {
  readonly sub?: unknown
  readonly device?: unknown
  readonly exp?: unknown
  readonly nbf?: unknown
  readonly rooms?: unknown
}

export async function createTokens(app: FastifyInstance, config: Config, clock: Clock): Promise<Tokens> {
  await app.register(fastifyJwt, { ...trust(config, clock), decoratorName: 'jwtPayload' })
  const grants = new LRUCache<string, Grant>({ max: REMEMBERED_TOKENS })

  async function verifySignature(token: string): Promise<Claims> {
    try {
      // With a secret the answer is at hand; with a key set it is a promise.
      return await app.jwt.verify<Claims | Promise<Claims>>(token)
    } catch (error) {
      throw refusal(error)
    }
  }

  return {
    recall(token) {
      const grant = grants.get(token)
      if (grant === undefined || grant.freshUntil <= clock.now()) return undefined
      return inTime(grant, clock.now())
    },
    async verify(token) {
      const claims = await verifySignature(token)
      const grant = inTime(grantOf(claims, clock.now()), clock.now())
      grants.set(token, grant)
      return grant
    }
  }
}

/** What is believed: one secret and HS256, or public keys and the algorithms of public keys. Never both, so neither can pose as the other. */
function trust(config: Config, clock: Clock): FastifyJWTOptions {
  const { jwksUrl, jwtSecret, jwtIssuer, jwtAudience } = config
  const claims = {
    ...(jwtIssuer === null ? {} : { allowedIss: jwtIssuer }),
    ...(jwtAudience === null ? {} : { allowedAud: jwtAudience }),
    requiredClaims: [...(jwtIssuer === null ? [] : ['iss']), ...(jwtAudience === null ? [] : ['aud'])],
    // Ours to check, on every request and by our clock.
    ignoreExpiration: true,
    ignoreNotBefore: true
  }
  if (jwksUrl === null) {
    return { secret: jwtSecret ?? DEVELOPMENT_SECRET, verify: { algorithms: ['HS256'], ...claims } }
  }
  const findKey = createKeySet(jwksUrl, clock)
  const keyOf = async ({ header }: { header: object }) => {
    const key = await findKey(header as JWTHeaderParameters)
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

const ID = new RegExp(ID_PATTERN)

function grantOf({ sub, device, exp, nbf, rooms }: Claims, now: number): Grant {
  if (typeof sub !== 'string' || !ID.test(sub)) {
    throw new AppError('invalid_subject', { detail: `The claim sub has to match ${ID_PATTERN}` })
  }
  if (device !== undefined && (typeof device !== 'string' || !ID.test(device))) {
    throw new AppError('invalid_subject', { detail: `The claim device has to match ${ID_PATTERN}` })
  }
  return {
    user: sub,
    device: device ?? null,
    expiresAt: instant(exp),
    rooms: rooms === undefined ? null : roomClaims(rooms),
    notBefore: instant(nbf),
    freshUntil: now + REMEMBER_MS,
    lastActor: null
  }
}

function roomClaims(rooms: unknown): RoomClaims {
  if (Value.Check(RoomClaims, rooms)) return rooms
  throw new AppError('invalid_subject', { detail: 'The claim rooms has to map room ids to {role?, grants?}' })
}

/** RFC 7519, section 2: NumericDate, in seconds, perhaps with a fraction. */
function instant(seconds: unknown): number {
  if (seconds === undefined) return 0
  if (typeof seconds === 'number' && Number.isFinite(seconds)) return Math.floor(seconds * 1000)
  throw new AppError('unauthorized', { detail: 'The token does not verify' })
}

function inTime(grant: Grant, now: number): Grant {
  if (grant.expiresAt !== 0 && grant.expiresAt <= now) throw new AppError('token_expired')
  if (grant.notBefore > now) throw new AppError('unauthorized', { detail: 'The token is not valid yet' })
  return grant
}
