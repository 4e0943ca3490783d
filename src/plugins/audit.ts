// A log line for each change that an operator makes, also for one that was refused. `operator` is the user of a token with ADMIN_ROLE; null for
// a secret, and for a request that was refused.
import type { FastifyInstance } from 'fastify'

/** For routes that are added afterwards. */
export function auditChanges(app: FastifyInstance): void {
  app.addHook('onResponse', ({ method, params, routeOptions, operator = null, ip, log }, { statusCode }, done) => {
    const { operationId: action } = routeOptions.schema as { operationId?: string }
    if (method !== 'GET' && method !== 'HEAD')
      log.info({ audit: { action, params, operator, address: ip, status: statusCode } }, 'admin')
    done()
  })
}
