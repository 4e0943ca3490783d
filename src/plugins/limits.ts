// Charges requests to the budgets of the user, over all nodes (services/budget-slices.ts). Replies have the headers of
// draft-ietf-httpapi-ratelimit-headers; @fastify/rate-limit writes an older form of them.
import rateLimit from '@fastify/rate-limit'
import type { FastifyInstance, FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify'
import { AppError } from '../errors.js'
import type { BudgetSlices } from '../services/budget-slices.js'
import { type Budgets, type Limits, limitOf } from '../services/budgets.js'

export type LimitClass = 'calls' | 'signals' | 'reads'

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * The budget of the user that a request is charged to. False: the request ends or gives up something, which always works; it is charged
     * only if it changes nothing (services/unlimited-action.ts). None: it is not charged.
     */
    limit?: LimitClass | false
  }
}

interface LimitParts {
  readonly config: Limits
  readonly budgets: Budgets
}

/** Charges the routes that are added afterwards. Call it after authenticate(), because budgets belong to users. */
export async function limitRates(app: FastifyInstance, { config, budgets: { slices } }: LimitParts): Promise<void> {
  // skipOnError: without the store nothing can be counted. If the request needs the store, its handler fails.
  await app.register(rateLimit, { global: false, skipOnError: true, store: slices.store })
  const charges = {
    calls: charge(app, slices, { name: 'calls', ...limitOf('calls', config) }),
    signals: charge(app, slices, { name: 'signals', ...limitOf('signals', config) }),
    reads: charge(app, slices, { name: 'reads', ...limitOf('reads', config) })
  }
  app.addHook('onRoute', route => {
    const limit = route.config?.limit
    if (!limit) return
    const before = route.onRequest ?? []
    route.onRequest = [...(Array.isArray(before) ? before : [before]), charges[limit]]
  })
}

interface RequestCharge {
  readonly name: LimitClass
  readonly max: number
  readonly windowMs: number
}

function charge(
  app: FastifyInstance,
  slices: BudgetSlices,
  { name, max, windowMs }: RequestCharge
): onRequestHookHandler {
  const keyOf = (request: FastifyRequest) => `${name}:${request.actor.user}`
  const count = app.createRateLimit({ max, timeWindow: windowMs, keyGenerator: keyOf })
  const limit = { max, windowMs }
  const policy = `"${name}";q=${max};w=${windowMs / 1000}`

  function setHeaders(reply: FastifyReply, remaining: number, seconds: number): void {
    reply.header('ratelimit-policy', policy)
    reply.header('ratelimit', `"${name}";r=${remaining};t=${seconds}`)
  }

  async function takeAndCount(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const spent = await count(request)
    // ttl is 0 if the store did not reply: the window is unknown.
    if (spent.isAllowed || spent.ttl === 0) return
    setHeaders(reply, spent.remaining, spent.ttlInSeconds)
    if (!spent.isExceeded) return
    reply.header('retry-after', spent.ttlInSeconds)
    throw new AppError('rate_limited', { detail: `More than ${max} ${name} in ${windowMs / 1000} s` })
  }

  return (request, reply, done) => {
    const status = slices.spendLocal(keyOf(request), limit)
    if (status === null) {
      takeAndCount(request, reply).then(() => done(), done)
      return
    }
    setHeaders(reply, status.remaining, Math.ceil(status.endsInMs / 1000))
    done()
  }
}
