// Tokens of the identity provider that give access to the admin API: those with ADMIN_ROLE in the claim ADMIN_ROLE_CLAIM.
import type { FastifyInstance } from 'fastify'
import { AppError } from '../errors.js'
import type { Context } from '../services/context.js'
import { noteIssuer, requireNotRevoked } from '../services/revocations.js'
import { createTokens } from './tokens.js'

export interface OperatorTokens {
  /**
   * The user of the token. A token that names a device, or that this server signed for one, never has access: devices are in the hands of others.
   * @throws AppError unauthorized, token_expired, token_revoked, keys_unavailable, store_unavailable
   */
  userOf(token: string): Promise<string>
}

/** Null without ADMIN_ROLE. */
export async function createOperatorTokens(app: FastifyInstance, context: Context): Promise<OperatorTokens | null> {
  const { config, clock } = context
  if (config.adminRole === null) return null
  const tokens = await createTokens(app, config, clock)
  return {
    async userOf(text) {
      const verified = tokens.findVerified(text) ?? (await tokens.verify(text).catch(refuse))
      const { issuer, user, device, isOperator, issuedAt } = verified
      if (issuer !== 'operator' || device !== null)
        throw new AppError('unauthorized', { detail: 'The token is that of a device' })
      if (!isOperator) throw new AppError('unauthorized', { detail: 'The token does not have the role of operators' })
      await noteIssuer(context, verified)
      requireNotRevoked(context, { user, device, issuedAt })
      return user
    }
  }
}

/** A token that names no valid user or device is refused as any other. */
function refuse(error: unknown): never {
  if (error instanceof AppError && error.code === 'invalid_subject')
    throw new AppError('unauthorized', { detail: error.message })
  throw error
}
