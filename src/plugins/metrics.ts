// One hook after each answer: how long it took, for Prometheus, and at level debug one line in the log.
import type { FastifyInstance } from 'fastify'
import type { Metrics } from '../metrics.js'

export function measureRequests(
  app: FastifyInstance,
  { httpRequestSeconds }: Pick<Metrics, 'httpRequestSeconds'>
): void {
  app.addHook('onResponse', (request, reply, done) => {
    const { url: route = 'none', config } = request.routeOptions
    request.log.debug(
      { method: request.method, route, status: reply.statusCode, ms: Math.round(reply.elapsedTime) },
      'answered'
    )
    // Streams and polls wait on purpose; their length says nothing about speed.
    if (config.eventRoute !== true) {
      const status = `${Math.floor(reply.statusCode / 100)}xx`
      httpRequestSeconds.observe({ route, method: request.method, status }, reply.elapsedTime / 1000)
    }
    done()
  })
}
