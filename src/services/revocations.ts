// Refuses tokens that are valid and were revoked: those of a user or device that an operator signed out, and those that were issued too early.
import { AppError } from '../errors.js'
import { type IssuedToken, type Revocation, revocationOf } from '../store/revocations.js'
import type { Context } from './context.js'

const DAY_MS = 24 * 3_600_000

/** @throws AppError token_revoked; store_unavailable until this node knows the revocations */
export function requireNotRevoked(context: Pick<Context, 'store' | 'clock' | 'config'>, token: IssuedToken): void {
  const revocation = revocationOf(context, token)
  if (revocation === null) return
  const { kind, issuedAfter } = revocation
  const because = kind === 'sign_out' ? 'An operator signed the user or device out' : 'Earlier tokens are refused'
  const detail = `${because}: get a token whose iat is after ${new Date(issuedAfter).toISOString()}`
  throw new AppError('token_revoked', { detail })
}

/** Resolves to the revocation in force, which may refuse more tokens than asked. @throws AppError too_many_revocations, store_unavailable */
export async function revokeTokens(
  { store, clock, config }: Context,
  { issuedAfter, ...revoked }: Pick<Revocation, 'user' | 'device' | 'issuedAfter' | 'kind'>
): Promise<Revocation> {
  const at = clock.now()
  const expiresAt = Math.max(at, issuedAfter) + config.revocationDays * DAY_MS
  const revocation = { ...revoked, issuedAfter, at, expiresAt }
  const inForce = await store.revocations.put(revocation, { max: config.revocationsMax })
  if (inForce === null) throw new AppError('too_many_revocations')
  return inForce
}
