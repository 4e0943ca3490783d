// The claims of a verified token. `exp` and `nbf` are checked on every request, against the injected clock; the others once.
import { Value } from 'typebox/value'
import { AppError } from '../errors.js'
import { type Actor, RoomClaims } from '../schemas/claims.js'
import { ID_PATTERN } from '../schemas/common.js'

export interface VerifiedToken {
  readonly user: string
  /** The claim `device`; null leaves the choice to the request. */
  readonly device: string | null
  /** Milliseconds since the epoch, the leeway included. Null: never, in development only. */
  readonly expiresAt: number | null
  readonly rooms: RoomClaims | null
  /** Milliseconds since the epoch, the leeway included. */
  readonly notBefore: number
  /** The version of the key set that it was verified with. */
  readonly keysVersion: number
  /** The actor of the last request with this token: reused while the device is the same, as it nearly always is. */
  lastActor: Actor | null
}

export interface Claims {
  readonly sub?: unknown
  readonly device?: unknown
  readonly exp?: unknown
  readonly nbf?: unknown
  readonly iat?: unknown
  readonly rooms?: unknown
}

export interface ClaimOptions {
  readonly now: number
  readonly leewayMs: number
  /** False in development only. */
  readonly mustExpire: boolean
  readonly keysVersion: number
}

/** A later instant is a mistake, such as milliseconds instead of seconds. */
const MAX_YEARS_AHEAD = 10
const MAX_AHEAD_MS = MAX_YEARS_AHEAD * 365.25 * 24 * 3_600_000

const ID = new RegExp(ID_PATTERN)

/** @throws AppError unauthorized, invalid_subject */
export function verifiedTokenOf({ sub, device, exp, nbf, iat, rooms }: Claims, options: ClaimOptions): VerifiedToken {
  if (typeof sub !== 'string' || !ID.test(sub)) {
    throw new AppError('invalid_subject', { detail: `The claim sub must match ${ID_PATTERN}` })
  }
  if (device !== undefined && (typeof device !== 'string' || !ID.test(device))) {
    throw new AppError('invalid_subject', { detail: `The claim device must match ${ID_PATTERN}` })
  }
  if (exp === undefined && options.mustExpire) {
    throw new AppError('unauthorized', { detail: 'The token has no claim exp, which is required' })
  }
  const { now, leewayMs, keysVersion } = options
  // RFC 7519, section 4.1.6: `iat` does not decide validity. A value that is not a date is refused nevertheless.
  if (iat !== undefined) instantOf('iat', iat, now)
  return {
    user: sub,
    device: device ?? null,
    expiresAt: exp === undefined ? null : instantOf('exp', exp, now) + leewayMs,
    rooms: rooms === undefined ? null : roomClaims(rooms),
    notBefore: nbf === undefined ? 0 : instantOf('nbf', nbf, now) - leewayMs,
    keysVersion,
    lastActor: null
  }
}

/** @throws AppError token_expired, unauthorized */
export function checkTimes(token: VerifiedToken, now: number): void {
  if (token.expiresAt !== null && token.expiresAt <= now) throw new AppError('token_expired')
  if (token.notBefore > now) throw new AppError('unauthorized', { detail: 'The token is not valid yet' })
}

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
  throw new AppError('invalid_subject', { detail: 'The claim rooms must map room ids to {role?, grants?}' })
}
