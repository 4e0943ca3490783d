// Health checks for load balancers and operators: whether the process runs, and whether it should receive traffic.
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { AppError } from '../errors.js'
import { Strict } from '../schemas/common.js'
import { onlyProblems } from '../schemas/problem.js'
import type { Context } from '../services/context.js'

export interface Health {
  readonly context: Pick<Context, 'store'>
  /** `closing`: a shutdown has begun. `draining`, `drained`: an operator has drained the node. */
  readonly drainState: () => 'ready' | 'draining' | 'drained' | 'closing'
}

const Status = (status: string) => Type.Object({ status: Type.Literal(status) }, { $id: 'Alive', ...Strict })

const Ready = Type.Object(
  {
    status: Type.Literal('ready'),
    warnings: Type.Optional(
      Type.Array(Type.String(), { description: 'Conditions that an operator should look into. The node works.' })
    )
  },
  { $id: 'Ready', ...Strict }
)

/** Machines that use NTP rarely differ by more. */
const CLOCK_OFFSET_MAX_MS = 1000

function warningsOf(offsetMs: number): string[] {
  if (Math.abs(offsetMs) <= CLOCK_OFFSET_MAX_MS) return []
  const by = `${(Math.abs(offsetMs) / 1000).toFixed(1)} s ${offsetMs > 0 ? 'ahead of' : 'behind'}`
  return [`The clock of this machine is ${by} that of Redis, which the server uses`]
}

const GET_LIVENESS = {
  exposeHeadRoute: true,
  schema: {
    operationId: 'getLiveness',
    tags: ['operations'],
    summary: 'Liveness check',
    description: 'Returns 200 while the process runs. Use it as a liveness probe.',
    response: { 200: Status('ok') }
  }
} as const

const GET_READINESS = {
  exposeHeadRoute: true,
  schema: {
    operationId: 'getReadiness',
    tags: ['operations'],
    summary: 'Readiness check',
    description:
      'Returns 200 while this node should receive traffic: the store accepts writes, no shutdown has begun, and no operator has drained the node. Use it as a readiness probe. ' +
      'Fails with 503 otherwise.',
    response: { 200: Ready, ...onlyProblems('store_unavailable', 'store_full', 'shutting_down', 'node_drained') }
  }
} as const

export function serveHealth(server: FastifyInstance, { context: { store }, drainState }: Health): void {
  const app = server.withTypeProvider<TypeBoxTypeProvider>()

  app.get('/healthz', GET_LIVENESS, async () => ({ status: 'ok' }))

  app.get('/readyz', GET_READINESS, async () => {
    const drained = drainState()
    if (drained !== 'ready') throw new AppError(drained === 'closing' ? 'shutting_down' : 'node_drained')
    if (store.availableSince() === null) throw store.fault() ?? new AppError('store_unavailable')
    const warnings = warningsOf(store.clockOffsetMs())
    return { status: 'ready' as const, ...(warnings.length > 0 ? { warnings } : {}) }
  })
}
