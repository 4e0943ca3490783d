// A log line for each change that an operator makes, also for one that was refused.
import type { FastifyInstance } from 'fastify'

/** For routes that are added afterwards. */
export function auditChanges(app: FastifyInstance): void {
  app.addHook('onResponse', ({ method, params, routeOptions, ip, log }, { statusCode }, done) => {
    const { operationId: action } = routeOptions.schema as { operationId?: string }
    if (method !== 'GET' && method !== 'HEAD')
      log.info({ audit: { action, params, address: ip, status: statusCode } }, 'admin')
    done()
  })
}
