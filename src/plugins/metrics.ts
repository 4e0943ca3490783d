// One hook after each answer: how long it took, for Prometheus, and at level debug one line in the log.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Metrics } from '../metrics.js'

export function measureRequests(
  app: FastifyInstance,
  { httpRequestSeconds }: Pick<Metrics, 'httpRequestSeconds'>
): void {
  app.addHook('onRoute', route => {
    // What is known of the route is worked out here, once, and not after each answer.
    const waits = route.config?.eventRoute === true
    const series = new Map<number, { observe(seconds: number): void }>()

    function measure(request: FastifyRequest, reply: FastifyReply, done: () => void): void {
      const { elapsedTime: ms, statusCode: status } = reply
      request.log.debug({ method: request.method, route: route.url, status, ms: Math.round(ms) }, 'answered')
      // Streams and polls wait on purpose; their length says nothing about speed.
      if (!waits) seriesOf(request.method, Math.floor(status / 100)).observe(ms / 1000)
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
