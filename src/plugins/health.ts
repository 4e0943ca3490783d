// For load balancers and operators: is the process alive, and should it get traffic.
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { AppError } from '../errors.js'
import { Strict } from '../schemas/common.js'
import { onlyProblems } from '../schemas/problem.js'
import type { Store } from '../store/store.js'

export interface Health {
  readonly store: Pick<Store, 'contactSince'>
  /** True from the first sign of a shutdown on. */
  readonly isDraining: () => boolean
}

const Status = (status: string) =>
  Type.Object({ status: Type.Literal(status, { description: 'Always the same word' }) }, { ...Strict })

export function serveHealth(server: FastifyInstance, { store, isDraining }: Health): void {
  const app = server.withTypeProvider<TypeBoxTypeProvider>()

  app.route({
    method: 'GET',
    url: '/healthz',
    exposeHeadRoute: true,
    schema: {
      operationId: 'isAlive',
      tags: ['operations'],
      summary: 'The process is alive',
      response: { 200: Status('ok') }
    },
    handler: async () => ({ status: 'ok' })
  })

  app.route({
    method: 'GET',
    url: '/readyz',
    exposeHeadRoute: true,
    schema: {
      operationId: 'isReady',
      tags: ['operations'],
      summary: 'This node should get traffic: the store answers, and it is not shutting down',
      response: { 200: Status('ready'), ...onlyProblems('store_unavailable', 'shutting_down') }
    },
    async handler() {
      if (isDraining()) throw new AppError('shutting_down')
      if (store.contactSince() === null) throw new AppError('store_unavailable')
      return { status: 'ready' }
    }
  })
}
