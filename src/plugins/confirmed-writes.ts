// With REDIS_WAIT_REPLICAS, a request that changes something is answered 2xx once that many replicas have what was written before.
import type { FastifyInstance } from 'fastify'
import type { Context } from '../services/context.js'

/** For routes that are added afterwards. */
export function confirmWrites(app: FastifyInstance, { config, store }: Context): void {
  if (config.redisWaitReplicas === 0) return
  app.addHook('onSend', async (request, reply) => {
    if (request.method !== 'GET' && reply.statusCode < 300) await store.confirmWrites()
  })
}
