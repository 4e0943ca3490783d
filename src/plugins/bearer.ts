// The token of a request, in its header Authorization.
import { AppError } from '../errors.js'

/** Undefined: there is no such header. @throws AppError unauthorized if it is another scheme or malformed */
export function bearerToken(authorization: string | undefined): string | undefined {
  if (authorization === undefined) return undefined
  // RFC 6750, section 2.1; the scheme's name is case-insensitive (RFC 9110, section 11.1).
  const token = /^Bearer +([\w.~+/-]+=*) *$/i.exec(authorization)?.[1]
  if (token === undefined)
    throw new AppError('unauthorized', { detail: 'The header must be Authorization: Bearer <token>' })
  return token
}
