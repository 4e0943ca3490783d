// Measures each reply for Prometheus, and logs one line for it at level debug.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Metrics } from '../metrics.js'

export function measureRequests(
  app: FastifyInstance,
  { httpRequestSeconds }: Pick<Metrics, 'httpRequestSeconds'>
): void {
  app.addHook('onRoute', route => {
    // Computed once for each route, not for each reply.
    const isEventRoute = route.config?.eventRoute === true
    const series = new Map<number, { observe(seconds: number): void }>()

    function measure(request: FastifyRequest, reply: FastifyReply, done: () => void): void {
      const { elapsedTime: ms, statusCode: status } = reply
      request.log.debug({ method: request.method, route: route.url, status, ms: Math.round(ms) }, 'answered')
      // Not streams and polls, which wait on purpose.
      if (!isEventRoute) seriesOf(request.method, Math.floor(status / 100)).observe(ms / 1000)
      done()
    }

    function seriesOf(method: string, kind: number) {
      const known = series.get(kind)
      if (known) return known
      const made = httpRequestSeconds.labels({ route: route.url, method, status: `${kind}xx` })
      series.set(kind, made)
      return made
    }

    const others = route.onResponse ?? []
    route.onResponse = [...(Array.isArray(others) ? others : [others]), measure]
  })
}
