// What a verified token grants. Its times are checked on every request, against the injected clock; all else once.
import { Value } from 'typebox/value'
import { AppError } from '../errors.js'
import { type Actor, RoomClaims } from '../schemas/claims.js'
import { ID_PATTERN } from '../schemas/common.js'

export interface Grant {
  readonly user: string
  /** The claim `device`; null leaves the choice to the request. */
  readonly device: string | null
  /** Milliseconds since the epoch, the leeway included; null when it never expires, which is for development only. */
  readonly expiresAt: number | null
  readonly rooms: RoomClaims | null
  /** Milliseconds since the epoch, the leeway included. */
  readonly notBefore: number
  /** The key set it was verified with. */
  readonly keysVersion: number
  /** The actor that was made of it last; one token nearly always comes from one device. */
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

export interface GrantOptions {
  readonly now: number
  readonly leewayMs: number
  /** False in development only. */
  readonly mustExpire: boolean
  readonly keysVersion: number
}

/** An instant later than this is no date but a mistake, such as milliseconds in place of seconds. */
const MAX_YEARS_AHEAD = 10
const MAX_AHEAD_MS = MAX_YEARS_AHEAD * 365.25 * 24 * 3_600_000

const ID = new RegExp(ID_PATTERN)

/** @throws AppError unauthorized, invalid_subject */
export function grantOf({ sub, device, exp, nbf, iat, rooms }: Claims, options: GrantOptions): Grant {
  if (typeof sub !== 'string' || !ID.test(sub)) {
    throw new AppError('invalid_subject', { detail: `The claim sub has to match ${ID_PATTERN}` })
  }
  if (device !== undefined && (typeof device !== 'string' || !ID.test(device))) {
    throw new AppError('invalid_subject', { detail: `The claim device has to match ${ID_PATTERN}` })
  }
  if (exp === undefined && options.mustExpire) {
    throw new AppError('unauthorized', { detail: 'The token has no claim exp; it must expire' })
  }
  const { now, leewayMs, keysVersion } = options
  // RFC 7519, section 4.1.6, gives `iat` no part in validity; one that is no date is refused all the same.
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
export function checkTimes(grant: Grant, now: number): Grant {
  if (grant.expiresAt !== null && grant.expiresAt <= now) throw new AppError('token_expired')
  if (grant.notBefore > now) throw new AppError('unauthorized', { detail: 'The token is not valid yet' })
  return grant
}

/** RFC 7519, section 2: NumericDate, in seconds, perhaps with a fraction. To milliseconds. */
function instantOf(name: 'exp' | 'nbf' | 'iat', seconds: unknown, now: number): number {
  if (typeof seconds === 'number' && seconds >= 0 && seconds * 1000 <= now + MAX_AHEAD_MS) {
    return Math.floor(seconds * 1000)
  }
  const detail = `The claim ${name} must be seconds since 1970, at most ${MAX_YEARS_AHEAD} years ahead`
  throw new AppError('unauthorized', { detail })
}

function roomClaims(rooms: unknown): RoomClaims {
  if (Value.Check(RoomClaims, rooms)) return rooms
  throw new AppError('invalid_subject', { detail: 'The claim rooms has to map room ids to {role?, grants?}' })
}
