// Routes for operators and services, which show a secret as their Bearer token. Guesses are limited per network, by this node: a
// flood of them costs no command of Redis, and secrets are long enough that a fleet's worth of guesses is none.
import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { LRUCache } from 'lru-cache'
import type { Clock } from '../clock.js'
import { AppError } from '../errors.js'
import { networkOf } from './network.js'

const MAX_FAILURES = 10
const WINDOW_MS = 60_000
const NETWORKS_MAX = 10_000

interface Failures {
  count: number
  readonly until: number
}

/** Every route added to `app` from here on takes one of the secrets. @throws AppError unauthorized, rate_limited */
export type GuardBySecret = (app: FastifyInstance, secrets: readonly string[]) => void

/** What is guarded by one guard shares its count of failures. */
export function createSecretGuard(clock: Clock): GuardBySecret {
  const failures = new LRUCache<string, Failures>({ max: NETWORKS_MAX })

  function failuresOf(network: string): Failures {
    const known = failures.get(network)
    if (known && known.until > clock.now()) return known
    const fresh = { count: 0, until: clock.now() + WINDOW_MS }
    failures.set(network, fresh)
    return fresh
  }

  return (app, secrets) => {
    const expected = secrets.map(secret => digest(`Bearer ${secret}`))
    app.addHook('onRequest', async ({ ip, headers: { authorization } }) => {
      // A request without a secret is no guess.
      if (authorization === undefined) throw new AppError('unauthorized')
      const failed = failuresOf(networkOf(ip))
      // Before the comparison: were the right secret still taken, guessing would go on at full speed.
      if (failed.count >= MAX_FAILURES) {
        const detail = `More than ${MAX_FAILURES} wrong secrets in ${WINDOW_MS / 1000} s`
        throw new AppError('rate_limited', { detail, retryAfterMs: failed.until - clock.now() })
      }
      if (isOneOf(digest(authorization), expected)) return
      failed.count++
      throw new AppError('unauthorized')
    })
  }
}

const digest = (text: string) => createHash('sha256').update(text).digest()

/** Digests are of one length, and all are compared whole: the time it takes tells nothing of the secrets. */
function isOneOf(shown: Buffer, expected: readonly Buffer[]): boolean {
  return expected.filter(each => timingSafeEqual(shown, each)).length > 0
}
