// Requests that no token pays for are charged to the address they come from: public pages and unknown paths here, refused tokens
// in auth.ts.
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { AddressBudget } from '../services/address-budget.js'
import { networkOf } from './network.js'

/** Probes must not fail because a balancer shares its address with clients. */
const EXEMPT = new Set(['/healthz', '/readyz'])
/** Scopes that ask for a token or a secret themselves. */
const AUTHENTICATED = ['/v1/', '/internal/']

/** Comes after CORS: a preflight is answered before it is counted. It costs no more than its refusal, which would break a page. */
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
