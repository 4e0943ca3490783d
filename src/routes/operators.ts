// Routes for operators and their services: on ADMIN_PORT if it is set, else on PORT.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { checkBodyHeaders } from '../plugins/bodies.js'
import type { OperatorTokens } from '../plugins/operator-tokens.js'
import { createSecretGuard } from '../plugins/secret-guard.js'
import { problems } from '../schemas/problem.js'
import type { Context } from '../services/context.js'
import { internalRoutes } from './internal.js'
import { mediaEventRoutes } from './media-events.js'

const METRICS_EXAMPLE = `# HELP signalpost_streams_open Open streams and waiting polls, by transport: sse, poll
# TYPE signalpost_streams_open gauge
signalpost_streams_open{transport="sse"} 3
`

const GET_METRICS = {
  schema: {
    operationId: 'getMetrics',
    tags: ['operations'],
    summary: 'Get metrics',
    description:
      'Returns the metrics of this node for Prometheus. Requires an `ADMIN_SECRET` as Bearer token if any is set, or the token of an operator with `ADMIN_ROLE` on `ADMIN_PORT`. With `ADMIN_PORT` it is served ' +
      'on that port only.',
    security: [{}, { operator: [] }],
    response: {
      200: {
        description: 'Metrics in the Prometheus text format.',
        content: { 'text/plain': { schema: Type.String(), example: METRICS_EXAMPLE } }
      },
      ...problems('rate_limited')
    }
  }
} as const

interface OperatorRoutes {
  readonly context: Context
  /** On ADMIN_PORT, with ADMIN_ROLE. */
  readonly tokens?: OperatorTokens | null
}

export const operatorRoutes: FastifyPluginAsyncTypebox<OperatorRoutes> = async (app, { context, tokens = null }) => {
  const { adminSecret, roomServiceUrl, roomServiceSecret, mediaServiceUrls, mediaServiceSecret } = context.config
  const guard = createSecretGuard(context.clock)
  await app.register(async scope => {
    if (adminSecret.length > 0 || tokens !== null) guard(scope, adminSecret, tokens)
    await scope.register(metricsRoute, { context })
  })
  async function serveService(secret: string, routes: FastifyPluginAsyncTypebox<{ context: Context }>): Promise<void> {
    await app.register(async scope => {
      guard(scope, [secret])
      checkBodyHeaders(scope)
      await scope.register(routes, { prefix: '/internal', context })
    })
  }
  if (roomServiceUrl !== null && roomServiceSecret !== null) await serveService(roomServiceSecret, internalRoutes)
  if (mediaServiceUrls.length > 0 && mediaServiceSecret !== null) {
    await serveService(mediaServiceSecret, mediaEventRoutes)
  }
}

const metricsRoute: FastifyPluginAsyncTypebox<{ context: Context }> = async (app, { context: { metrics } }) => {
  app.get('/metrics', GET_METRICS, async (_request, reply) => {
    const text = await metrics.registry.metrics()
    return reply.type(metrics.registry.contentType).send(text)
  })
}
