// Routes for operators and services, which show a secret as their Bearer token. Guesses are limited per network, by this node: a
// flood of them costs no command of Redis, and secrets are long enough that a fleet's worth of guesses is none.
import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import type { Clock } from '../clock.js'
import { AppError } from '../errors.js'
import { createAddressBudget } from '../services/address-budget.js'
import { networkOf } from './network.js'

const WRONG_SECRETS = { max: 10, windowMs: 60_000, what: 'wrong secrets' }

/** Every route added to `app` from here on takes one of the secrets. @throws AppError unauthorized, rate_limited */
export type GuardBySecret = (app: FastifyInstance, secrets: readonly string[]) => void

/** What is guarded by one guard shares its count of failures. */
export function createSecretGuard(clock: Clock): GuardBySecret {
  const budget = createAddressBudget(WRONG_SECRETS, clock)

  return (app, secrets) => {
    const expected = secrets.map(secret => digest(`Bearer ${secret}`))
    app.addHook('onRequest', async ({ ip, headers: { authorization } }) => {
      // A request without a secret is no guess.
      if (authorization === undefined) throw new AppError('unauthorized')
      const network = networkOf(ip)
      // Before the comparison: were the right secret still taken, guessing would go on at full speed.
      budget.check(network)
      if (isOneOf(digest(authorization), expected)) return
      budget.spend(network)
      throw new AppError('unauthorized')
    })
  }
}

const digest = (text: string) => createHash('sha256').update(text).digest()

/** Digests are of one length, and all are compared whole: the time it takes tells nothing of the secrets. */
function isOneOf(shown: Buffer, expected: readonly Buffer[]): boolean {
  return expected.filter(each => timingSafeEqual(shown, each)).length > 0
}
