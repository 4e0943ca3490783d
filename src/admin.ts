// The listener for operators: metrics, health and the internal routes on a port of their own, away from clients.
import Fastify, { type FastifyInstance } from 'fastify'
import { documentAdmin } from './plugins/admin-document.js'
import { readBodies } from './plugins/bodies.js'
import { limitConnections } from './plugins/connection-limits.js'
import { dropUnusedConnections } from './plugins/connections.js'
import { handleErrors } from './plugins/errors.js'
import { type Health, serveHealth } from './plugins/health.js'
import { measureRequests } from './plugins/metrics.js'
import { createOperatorTokens } from './plugins/operator-tokens.js'
import { builtPage, servePage } from './plugins/pages.js'
import { checkRequestHeads } from './plugins/request-heads.js'
import { secure } from './plugins/security.js'
import { serverOptions } from './plugins/server-options.js'
import { adminRoutes } from './routes/admin.js'
import { operatorRoutes } from './routes/operators.js'
import type { Context } from './services/context.js'

interface AdminParts {
  readonly context: Context
  readonly health: Health
}

/** Returns a server that is ready to listen. The caller closes it. */
export async function buildAdmin({ context, health }: AdminParts): Promise<FastifyInstance> {
  const { config, clock, ids, metrics } = context
  const noPages = { corsOrigins: [] }
  const app = Fastify(serverOptions({ ...config, ...noPages }))
  secure(app, noPages)
  handleErrors(app, { metrics, ids, clock })
  measureRequests(app, metrics)
  checkRequestHeads(app)
  readBodies(app)
  limitConnections(app, { config, clock })
  serveHealth(app, health)
  const tokens = await createOperatorTokens(app, context)
  await app.register(operatorRoutes, { context, tokens })
  if (config.adminSecret.length > 0 || tokens !== null) {
    await documentAdmin(app)
    await app.register(adminRoutes, { prefix: '/v1/admin', context, tokens })
    serveOperatorView(app)
  }
  dropUnusedConnections(app)
  await app.ready()
  return app
}

/** At `/`, if it was built. Anyone who reaches the port may load it: it has no data of its own, and asks for the secret. */
function serveOperatorView(app: FastifyInstance): void {
  const folder = builtPage('operator')
  if (folder !== null) servePage(app, 'operator', folder)
}
