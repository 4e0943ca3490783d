// The admin API, /v1/admin: on ADMIN_PORT only, and only with ADMIN_SECRET or ADMIN_ROLE.
import type { FastifyPluginAsync } from 'fastify'
import { auditChanges } from '../plugins/audit.js'
import { checkBodyHeaders } from '../plugins/bodies.js'
import type { OperatorTokens } from '../plugins/operator-tokens.js'
import { createSecretGuard } from '../plugins/secret-guard.js'
import type { Context } from '../services/context.js'
import { adminCallRoutes } from './admin-calls.js'
import { adminChatRoutes } from './admin-chat.js'
import { adminDeviceRoutes } from './admin-devices.js'
import { adminNodeRoutes } from './admin-nodes.js'
import { adminRoomRoutes } from './admin-rooms.js'
import { adminUserRoutes } from './admin-users.js'
import { adminWebhookRoutes } from './admin-webhooks.js'

export interface OperatorApi {
  readonly context: Context
  /** Null without ADMIN_ROLE. */
  readonly tokens: OperatorTokens | null
}

export const adminRoutes: FastifyPluginAsync<OperatorApi> = async (app, { context, tokens }) => {
  createSecretGuard(context.clock)(app, context.config.adminSecret, tokens)
  checkBodyHeaders(app)
  auditChanges(app)
  app.addHook('onRequest', (_request, reply, done) => {
    reply.header('cache-control', 'no-store')
    done()
  })
  await app.register(adminCallRoutes, { context })
  await app.register(adminRoomRoutes, { context })
  await app.register(adminNodeRoutes, { context })
  await app.register(adminChatRoutes, { context })
  await app.register(adminUserRoutes, { context })
  await app.register(adminWebhookRoutes, { context })
  await app.register(adminDeviceRoutes, { context })
  app.get('/openapi.json', { schema: { hide: true } }, () => app.swagger())
}
