// A node with the event routes, problem documents and streams on a real port. Its tokens are not verified: `Authorization` is the user.
import type { Socket } from 'node:net'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import Fastify, { type FastifyBaseLogger } from 'fastify'
import type { Clock } from '../../src/clock.js'
import { loadConfig } from '../../src/config.js'
import type { NewConnection } from '../../src/delivery/context.js'
import { createHub } from '../../src/delivery/hub.js'
import { createStreams } from '../../src/delivery/streams.js'
import type { CallIdRecord } from '../../src/domain/call/tombstone.js'
import type { QueueState } from '../../src/domain/chat/service-queue.js'
import type { PairState } from '../../src/domain/room/pair.js'
import { createIds } from '../../src/ids.js'
import { createMetrics } from '../../src/metrics.js'
import { handleErrors } from '../../src/plugins/errors.js'
import { serverOptions } from '../../src/plugins/server-options.js'
import { eventRoutes } from '../../src/routes/events.js'
import type { Actor } from '../../src/schemas/claims.js'
import { createAddressBudget } from '../../src/services/address-budget.js'
import { createBackgroundTasks } from '../../src/services/background-tasks.js'
import { createBudgets } from '../../src/services/budgets.js'
import { createCache } from '../../src/services/cache.js'
import { createBacklog } from '../../src/services/chat/backlog.js'
import { redeemTicket } from '../../src/services/tickets.js'
import type { Store } from '../../src/store/store.js'

export interface Node {
  readonly url: string
  /** Calls of onConnected and onDisconnected, oldest first: `+alice/phone fresh`, `+alice/phone`, `-alice/phone`. */
  readonly connectionLog: readonly string[]
  /** Users whose devices are in a call or room. */
  readonly engaged: Set<string>
  readonly users: () => number
  /** Every connection it has accepted, oldest first. */
  readonly sockets: readonly Socket[]
  readonly streams: ReturnType<typeof createStreams>
  close(): Promise<void>
}

export async function startNode(store: Store, clock: Clock, env: Readonly<Record<string, string>> = {}): Promise<Node> {
  const config = loadConfig({ LOG_LEVEL: 'error', ...env })
  const ids = createIds()
  const metrics = createMetrics()
  const app = Fastify(serverOptions(config)).withTypeProvider<TypeBoxTypeProvider>()
  const log: FastifyBaseLogger = app.log
  const hub = createHub({ store, log })
  const connectionLog: string[] = []
  const engaged = new Set<string>()
  const callbacks = {
    onConnected: ({ user, device }: Actor, { since }: NewConnection) =>
      connectionLog.push(`+${user}/${device}${since ? ' fresh' : ''}`),
    onDisconnected: ({ user, device }: Actor) => connectionLog.push(`-${user}/${device}`),
    isEngaged: async ({ user }: Actor) => engaged.has(user)
  }
  const streams = createStreams({ store, hub, clock, ids, node: 'here', log, metrics, config, ...callbacks })
  const context = {
    ...{ config, clock, ids, log, metrics, store, node: 'here' },
    calls: createCache<CallIdRecord>(),
    pairs: createCache<PairState>(),
    startFanout: () => undefined,
    closeMediaOfFormer: () => undefined,
    chats: createCache<QueueState>(),
    chatBacklog: createBacklog(0),
    background: createBackgroundTasks(log),
    addresses: createAddressBudget({ max: 1000, windowMs: 1000, what: 'requests' }, clock),
    budgets: createBudgets({ counters: store.counters, clock, config })
  }
  handleErrors(app, { metrics, ids, clock })
  app.decorateRequest('actor')
  app.addHook('onRequest', async (request, reply) => {
    const { ticket } = request.query as { ticket?: string }
    const [user = '', device = 'phone', expiry] = String(request.headers.authorization).split(' ')
    const expiresAt = expiry === undefined ? null : Number(expiry)
    request.actor = ticket ? await redeemTicket(context, ticket) : { user, device, expiresAt }
    reply.header('access-control-allow-origin', 'https://example.com')
  })
  await app.register(eventRoutes, { prefix: '/v1', context, streams })
  const sockets: Socket[] = []
  app.server.on('connection', socket => sockets.push(socket))
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  return {
    url: `${url}/v1/events`,
    connectionLog,
    engaged,
    users: () => hub.size,
    sockets,
    streams,
    async close() {
      await streams.close()
      await app.close()
    }
  }
}
