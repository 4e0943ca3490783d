// Protects the routes of operators and services with a secret, sent as Bearer token; operators may send a token with ADMIN_ROLE instead. Wrong secrets are limited for each network, on each
// node by itself: a flood then costs no Redis command, and secrets of 32 bytes cannot be guessed with the limits of all nodes together.
import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import type { Clock } from '../clock.js'
import { AppError, ERRORS } from '../errors.js'
import { createAddressBudget } from '../services/address-budget.js'
import { bearerToken } from './bearer.js'
import { networkOf } from './network.js'
import type { OperatorTokens } from './operator-tokens.js'

const WRONG_SECRETS = { max: 10, windowMs: 60_000, what: 'wrong secrets' }

declare module 'fastify' {
  interface FastifyRequest {
    /** The user of the token with ADMIN_ROLE that the request was accepted with. Undefined: it has a secret, or was refused. */
    operator?: string
  }
}

/**
 * Routes that are added to `app` afterwards require one of the secrets or, with `tokens`, the token of an operator. Others are refused as
 * unauthorized or rate_limited.
 */
export type GuardBySecret = (app: FastifyInstance, secrets: readonly string[], tokens?: OperatorTokens | null) => void

/** All routes of one guard share the count of wrong secrets. */
export function createSecretGuard(clock: Clock): GuardBySecret {
  const budget = createAddressBudget(WRONG_SECRETS, clock)

  return (app, secrets, tokens = null) => {
    const expected = secrets.map(secret => digest(`Bearer ${secret}`))
    app.addHook('onRequest', async request => {
      const { authorization } = request.headers
      // Not counted: it contains no secret.
      if (authorization === undefined) throw new AppError('unauthorized')
      const network = networkOf(request.ip)
      // Before the comparison: if the right secret were still accepted, guessing could continue at full speed.
      budget.check(network)
      if (isOneOf(digest(authorization), expected)) return
      try {
        if (tokens === null) throw new AppError('unauthorized')
        request.operator = await tokens.userOf(bearerToken(authorization) ?? '')
      } catch (error) {
        if (isGuess(error)) budget.spend(network)
        throw error
      }
    })
  }
}

/** A token that has expired was once valid: the page of an operator may send it a few times more, and must not lock the others out. */
function isGuess(error: unknown): boolean {
  return error instanceof AppError && ERRORS[error.code].status < 500 && error.code !== 'token_expired'
}

const digest = (text: string) => createHash('sha256').update(text).digest()

/** Compares digests, which have equal length, and always all of them, so that the time reveals nothing about the secrets. */
function isOneOf(given: Buffer, expected: readonly Buffer[]): boolean {
  return expected.filter(each => timingSafeEqual(given, each)).length > 0
}
