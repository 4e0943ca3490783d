// A log line for each change that an operator makes, also for one that was refused. `operator` is the user of a token with ADMIN_ROLE; null for
// a secret, and for a request that was refused.
import type { FastifyInstance, FastifyRequest } from 'fastify'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Members of the query and the body that the audit line names, besides the parameters of the path. */
    audited?: readonly string[]
  }
}

/** For routes that are added afterwards. */
export function auditChanges(app: FastifyInstance): void {
  app.addHook('onResponse', (request, { statusCode }, done) => {
    const { method, params, routeOptions, operator = null, ip, log } = request
    const { operationId: action } = routeOptions.schema as { operationId?: string }
    const named = { ...(params as object), ...auditedMembers(request) }
    if (method !== 'GET' && method !== 'HEAD')
      log.info({ audit: { action, params: named, operator, address: ip, status: statusCode } }, 'admin')
    done()
  })
}

/** No id is longer. The request may have been refused for what it says. */
const TEXT_MAX = 256

function auditedMembers({ body, query, routeOptions }: FastifyRequest): Record<string, unknown> {
  const sent: Readonly<Record<string, unknown>> = { ...(query as object), ...(body as object | undefined) }
  const members = (routeOptions.config.audited ?? []).map(name => [name, sent[name]] as const)
  return Object.fromEntries(members.flatMap(([name, value]) => (isPlain(value) ? [[name, shorten(value)]] : [])))
}

const isPlain = (value: unknown) => ['string', 'number', 'boolean'].includes(typeof value)
const shorten = (value: unknown) => (typeof value === 'string' ? value.slice(0, TEXT_MAX) : value)
