// Protects the routes of operators and services with a secret, sent as Bearer token. Wrong secrets are limited for each network, on each
// node by itself: a flood then costs no Redis command, and secrets of 32 bytes cannot be guessed with the limits of all nodes together.
import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import type { Clock } from '../clock.js'
import { AppError } from '../errors.js'
import { createAddressBudget } from '../services/address-budget.js'
import { networkOf } from './network.js'

const WRONG_SECRETS = { max: 10, windowMs: 60_000, what: 'wrong secrets' }

/** Routes that are added to `app` afterwards require one of the secrets. Others are refused as unauthorized or rate_limited. */
export type GuardBySecret = (app: FastifyInstance, secrets: readonly string[]) => void

/** All routes of one guard share the count of wrong secrets. */
export function createSecretGuard(clock: Clock): GuardBySecret {
  const budget = createAddressBudget(WRONG_SECRETS, clock)

  return (app, secrets) => {
    const expected = secrets.map(secret => digest(`Bearer ${secret}`))
    app.addHook('onRequest', async ({ ip, headers: { authorization } }) => {
      // Not counted: it contains no secret.
      if (authorization === undefined) throw new AppError('unauthorized')
      const network = networkOf(ip)
      // Before the comparison: if the right secret were still accepted, guessing could continue at full speed.
      budget.check(network)
      if (isOneOf(digest(authorization), expected)) return
      budget.spend(network)
      throw new AppError('unauthorized')
    })
  }
}

const digest = (text: string) => createHash('sha256').update(text).digest()

/** Compares digests, which have equal length, and always all of them, so that the time reveals nothing about the secrets. */
function isOneOf(given: Buffer, expected: readonly Buffer[]): boolean {
  return expected.filter(each => timingSafeEqual(given, each)).length > 0
}
