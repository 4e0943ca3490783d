// Requests without a valid token are charged to the address they come from: public pages and unknown paths here, refused tokens in
// auth.ts.
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { AddressBudget } from '../services/address-budget.js'
import { networkOf } from './network.js'

/** Health probes. They must not fail when a load balancer shares its address with clients. */
const EXEMPT = new Set(['/healthz', '/readyz'])
/** Routes below these paths require a token or a secret. */
const AUTHENTICATED = ['/v1/', '/internal/']

/**
 * Register it after CORS, so that preflights are not charged: a reply to one costs no more than a refusal, which would break a page.
 */
export function limitAddresses(app: FastifyInstance, budget: AddressBudget): void {
  app.addHook('onRequest', (request, _reply, done) => {
    if (isPublic(request)) chargeAddress(budget, request)
    done()
  })
}

/** @throws AppError rate_limited */
export function chargeAddress(budget: AddressBudget, { ip }: FastifyRequest): void {
  budget.spend(networkOf(ip))
}

function isPublic({ url, is404 }: FastifyRequest): boolean {
  if (AUTHENTICATED.some(prefix => url.startsWith(prefix))) return is404
  return !EXEMPT.has(url.split('?', 1)[0] ?? '')
}
