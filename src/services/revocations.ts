// Refuses tokens that are valid and were revoked: those of a user or device that an operator signed out, and those that were issued too early.
import { AppError } from '../errors.js'
import { ISSUER_LEAD_TTL_MS, type IssuedToken, type Revocation } from '../store/revocations.js'
import { type Context, perContext } from './context.js'

const DAY_MS = 24 * 3_600_000

/** @throws AppError token_revoked; store_unavailable until this node knows the revocations */
export function requireNotRevoked({ store }: Pick<Context, 'store'>, token: IssuedToken): void {
  const revocation = store.revocations.revocationOf(token)
  if (revocation === null) return
  const { kind, issuedAfter } = revocation
  const because = kind === 'sign_out' ? 'An operator signed the user or device out' : 'Earlier tokens are refused'
  const detail = `${because}: get a token whose iat is after ${new Date(issuedAfter).toISOString()}`
  throw new AppError('token_revoked', { detail })
}

/** The largest lead that this node has noted, and until when it need not note it again. */
const notedLeads = perContext(() => ({ leadMs: 0, until: 0 }))

/**
 * Called before a token of the operator's issuer is accepted for the first time. One that is ahead of the clock shows that the issuer is: sign-outs
 * then refuse tokens that are as much ahead, this one among them. In whole seconds, as most issuers write `iat`. Without the store it is accepted all the same.
 */
export async function noteIssuer(context: Context, { issuedAt }: { readonly issuedAt: number | null }): Promise<void> {
  const now = context.clock.now()
  const leadMs = issuedAt === null ? 0 : Math.ceil((issuedAt - now) / 1000) * 1000
  const noted = notedLeads(context)
  if (leadMs <= 0 || (leadMs <= noted.leadMs && now < noted.until)) return
  try {
    await context.store.revocations.noteIssuerLead(leadMs)
    Object.assign(noted, { leadMs, until: now + ISSUER_LEAD_TTL_MS / 2 })
  } catch (error) {
    context.log.warn({ err: error, leadMs }, 'the lead of an issuer was not noted: a sign-out may miss a token')
  }
}

/**
 * A sign-out allows for the clock of the issuer: no token that was accepted before it is accepted after it. Resolves to the revocation in force, which
 * may refuse more tokens than asked. @throws AppError too_many_revocations, store_unavailable
 */
export async function revokeTokens(
  { store, clock, config }: Context,
  { issuedAfter: asked, ...revoked }: Pick<Revocation, 'user' | 'device' | 'issuedAfter' | 'kind'>
): Promise<Revocation> {
  const issuedAfter = asked + (revoked.kind === 'sign_out' ? await store.revocations.issuerLeadMs() : 0)
  const at = clock.now()
  const expiresAt = Math.max(at, issuedAfter) + config.revocationDays * DAY_MS
  const revocation = { ...revoked, issuedAfter, at, expiresAt }
  const inForce = await store.revocations.put(revocation, { max: config.revocationsMax })
  if (inForce === null) throw new AppError('too_many_revocations')
  return inForce
}
