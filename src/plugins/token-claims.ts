// The claims of a verified token. `exp` and `nbf` are checked on every request, against the injected clock; the others once. Settings name
// the claims of the user and the device.
import { Value } from 'typebox/value'
import { AppError } from '../errors.js'
import { type Actor, RoomClaims } from '../schemas/claims.js'
import { ID_FORMATS, isId } from '../schemas/common.js'

/** Who signed a token: the operator's identity provider or shared secret, or this server, for a device. */
export type Issuer = 'operator' | 'server'

export interface VerifiedToken {
  readonly issuer: Issuer
  readonly user: string
  /** Null leaves the choice to the request. */
  readonly device: string | null
  /** Milliseconds since the epoch, the leeway included. Null: never, in development only. */
  readonly expiresAt: number | null
  /** Milliseconds since the epoch. Null: it has no claim `iat`. */
  readonly issuedAt: number | null
  readonly rooms: RoomClaims | null
  /** It has ADMIN_ROLE. Not enough for access, see operator-tokens.ts. */
  readonly isOperator: boolean
  /** By `nbf` and `iat`. Milliseconds since the epoch, the leeway included. */
  readonly notBefore: number
  /** The version of the key set that it was verified with. */
  readonly keysVersion: number
  /** The actor of the last request with this token: reused while the device is the same, as it nearly always is. */
  lastActor: Actor | null
}

export interface Claims {
  readonly exp?: unknown
  readonly nbf?: unknown
  readonly iat?: unknown
  readonly rooms?: unknown
  readonly [name: string]: unknown
}

export interface ClaimOptions {
  readonly issuer: Issuer
  readonly userClaim: string
  readonly deviceClaim: string
  readonly adminRole: string | null
  readonly adminRoleClaim: string
  readonly now: number
  readonly leewayMs: number
  /** False in development only. */
  readonly mustExpire: boolean
  readonly keysVersion: number
}

/** A later instant is a mistake, such as milliseconds instead of seconds. */
const MAX_YEARS_AHEAD = 10
const MAX_AHEAD_MS = MAX_YEARS_AHEAD * 365.25 * 24 * 3_600_000

/** A claim `iat` may be this far ahead, where JWT_LEEWAY_MS is smaller. */
const ISSUED_AHEAD_MS = 10_000

/** @throws AppError unauthorized, invalid_subject */
export function verifiedTokenOf(claims: Claims, options: ClaimOptions): VerifiedToken {
  const { exp, nbf, iat, rooms } = claims
  const user = idIn(claims, options.userClaim)
  if (user === null) throw invalidSubject(`The token has no claim ${options.userClaim}`)
  if (exp === undefined && options.mustExpire) {
    throw new AppError('unauthorized', { detail: 'The token has no claim exp, which is required' })
  }
  const { issuer, now, leewayMs, keysVersion } = options
  const issuedAt = iat === undefined ? null : instantOf('iat', iat, now)
  return {
    issuer,
    user,
    device: idIn(claims, options.deviceClaim),
    expiresAt: exp === undefined ? null : instantOf('exp', exp, now) + leewayMs,
    issuedAt,
    rooms: rooms === undefined ? null : roomClaims(rooms),
    isOperator: hasRole(claims, options),
    notBefore: Math.max(
      nbf === undefined ? 0 : instantOf('nbf', nbf, now) - leewayMs,
      // Otherwise no sign-out would refuse it: decision 45.
      (issuedAt ?? 0) - Math.max(leewayMs, ISSUED_AHEAD_MS)
    ),
    keysVersion,
    lastActor: null
  }
}

/** @throws AppError token_expired, unauthorized */
export function checkTimes({ expiresAt, notBefore }: VerifiedToken, now: number): void {
  if (expiresAt !== null && expiresAt <= now)
    throw new AppError('token_expired', { detail: 'The claim exp is in the past' })
  if (notBefore > now)
    throw new AppError('unauthorized', { detail: 'The claim nbf or iat is in the future: the token is not valid yet' })
}

/** Null: there is no such claim. @throws AppError invalid_subject */
function idIn(claims: Claims, name: string): string | null {
  const value = findClaim(claims, name)
  if (value === undefined) return null
  if (typeof value !== 'string') throw invalidSubject(`The claim ${name} must be a string, not ${typeNameOf(value)}`)
  if (!isId(value)) throw invalidSubject(`The claim ${name} ${ID_FORMATS.id.rule}`)
  return value
}

/** The claim is the role, or an array that has it. */
function hasRole(claims: Claims, { adminRole, adminRoleClaim }: ClaimOptions): boolean {
  if (adminRole === null) return false
  const roles = findClaim(claims, adminRoleClaim)
  return roles === adminRole || (Array.isArray(roles) && roles.includes(adminRole))
}

/** The claim of exactly this name, such as a URL; else the member at this path of names, separated by dots. */
function findClaim(claims: Claims, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name]
  let found: unknown = claims
  for (const member of name.split('.')) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, member)) return undefined
    found = (found as Claims)[member]
  }
  return found
}

function typeNameOf(value: unknown): string {
  if (value === null) return 'null'
  if (typeof value === 'object') return Array.isArray(value) ? 'an array' : 'an object'
  return `a ${typeof value}`
}

const invalidSubject = (detail: string) => new AppError('invalid_subject', { detail })

/** A NumericDate (RFC 7519, section 2: seconds, possibly with a fraction) in milliseconds. */
function instantOf(name: 'exp' | 'nbf' | 'iat', seconds: unknown, now: number): number {
  if (typeof seconds === 'number' && seconds >= 0 && seconds * 1000 <= now + MAX_AHEAD_MS) {
    return Math.floor(seconds * 1000)
  }
  const detail = `The claim ${name} must be seconds since 1970, at most ${MAX_YEARS_AHEAD} years ahead`
  throw new AppError('unauthorized', { detail })
}

function roomClaims(rooms: unknown): RoomClaims {
  if (Value.Check(RoomClaims, rooms)) return rooms
  throw invalidSubject('The claim rooms must map room ids to {role?, grants?, mode?}')
}
