// The composition root: every part is made here once and handed what it needs.
import fastifyRedis from '@fastify/redis'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import Fastify, { type FastifyInstance } from 'fastify'
import { buildAdmin } from './admin.js'
import { type Clock, systemClock, wait } from './clock.js'
import type { Config } from './config.js'
import { createFanout } from './delivery/fanout.js'
import { createHub } from './delivery/hub.js'
import { createStreams, type Streams } from './delivery/streams.js'
import { createIds, type Ids } from './ids.js'
import { createMetrics } from './metrics.js'
import { chargeAddress, limitAddresses } from './plugins/address-limits.js'
import { readBodies } from './plugins/bodies.js'
import { limitConnections } from './plugins/connection-limits.js'
import { dropUnusedConnections } from './plugins/connections.js'
import { handleErrors } from './plugins/errors.js'
import { checkHeads } from './plugins/heads.js'
import { serveHealth } from './plugins/health.js'
import { measureRequests } from './plugins/metrics.js'
import { documentApi } from './plugins/openapi.js'
import { secure } from './plugins/security.js'
import { serverOptions } from './plugins/server-options.js'
import { serveApi } from './routes/index.js'
import { operatorRoutes } from './routes/operators.js'
import { problemRoutes } from './routes/problems.js'
import { createAddressBudget } from './services/address-budget.js'
import { createBackgroundTasks } from './services/background-tasks.js'
import { createBudgets } from './services/budgets.js'
import { createCache } from './services/cache.js'
import { createBacklog } from './services/chat/backlog.js'
import type { Context } from './services/context.js'
import { confirmConnected } from './services/device/after-failover.js'
import { createLifecycle } from './services/device/lifecycle.js'
import { visibilityOf } from './services/presence/visibility.js'
import { followUp } from './services/room/after-publication.js'
import { createMemoryStore } from './store/memory.js'
import { createRedisStore } from './store/redis/redis.js'
import type { Store } from './store/store.js'
import { startGauges } from './workers/gauges.js'
import { startTimers } from './workers/timers.js'

export interface Overrides {
  /** The time as it is, also where the store has a clock of its own. */
  readonly clock?: Clock
  /** The machine's clock. On Redis the time is that of Redis. */
  readonly systemClock?: Clock
  readonly ids?: Ids
  /** Shared by several apps of one process; whoever made it closes it. */
  readonly store?: Store
}

declare module 'fastify' {
  interface FastifyInstance {
    /** What is open on this node. */
    streams: Streams
    /** The listener for operators; null without ADMIN_PORT. To be told to listen beside this one, which closes it. */
    admin: FastifyInstance | null
    /** Not ready; then, when routing has settled, sends the streams away over a window (DESIGN 9). Before close(). */
    drain(): Promise<void>
  }
}

/** A server that is ready to listen. Closing it ends its streams, workers and its store. */
export async function buildApp(config: Config, overrides: Overrides = {}): Promise<FastifyInstance> {
  const { ids = createIds() } = overrides
  const app = Fastify(
    serverOptions(config, request => chargeAddress(context.addresses, request))
  ).withTypeProvider<TypeBoxTypeProvider>()
  const metrics = createMetrics()
  const store = overrides.store ?? (await openStore(app, config, { ...overrides, ids }))
  const clock = overrides.clock ?? store.clock
  handleErrors(app, { metrics, ids, clock })
  measureRequests(app, metrics)
  checkHeads(app)
  readBodies(app)

  const node = ids.unique()
  const background = createBackgroundTasks(app.log)
  const context: Context = {
    ...{ config, clock, ids, log: app.log, metrics, store, node, background },
    budgets: createBudgets({ quotas: store.quotas, clock, config }),
    addresses: createAddressBudget(
      { max: config.rateLimitAddress, windowMs: 10_000, what: 'requests without a valid token' },
      clock
    ),
    calls: createCache(),
    pairs: createCache(),
    fanout: createFanout({
      ...{ store, clock, node, run: background.runAgain },
      follow: (ref, task) => followUp(context, ref.id, task),
      judgeWatchers: user => visibilityOf(context, user)
    }),
    chats: createCache(),
    chatBacklog: createBacklog(3 * (config.chatServiceRetryMaxMs + config.chatServiceTimeoutMs))
  }
  const hub = createHub({ store, log: app.log })
  const streams = createStreams({ ...context, hub, lifecycle: createLifecycle(context) })
  let draining = false
  app.decorate('streams', streams)
  app.decorate('drain', async () => {
    draining = true
    await wait(clock, config.drainSettleMs)
    await streams.drain({ windowMs: config.drainWindowMs })
  })

  limitConnections(app, { config, clock })
  await secure(app, config)
  limitAddresses(app, context.addresses)
  await documentApi(app)
  const health = { store, isDraining: () => draining }
  serveHealth(app, health)
  await app.register(problemRoutes)
  await app.register(serveApi, { prefix: '/v1', context, streams })
  const admin = config.adminPort === null ? null : await buildAdmin({ context, health })
  app.decorate('admin', admin)
  if (admin === null) await app.register(operatorRoutes, { context })
  const stopTimers = startTimers(context)
  const stopPulse = startGauges(context)
  const { calls, pairs } = context
  const stopCaching = store.wakeups.onCommit((ref, written) =>
    (ref.kind === 'pair' ? pairs : calls).offer(ref.id, written)
  )
  const stopConfirming = store.onLostWrites(where => confirmConnected(context, streams.connected(), where))

  app.addHook('preClose', () => streams.close())
  dropUnusedConnections(app)
  app.addHook('onClose', async () => {
    stopPulse()
    stopConfirming()
    stopCaching()
    await stopTimers()
    await background.close()
    // Last, so that a drain can be watched to its end.
    await admin?.close()
    if (store !== overrides.store) await store.close()
  })
  await app.ready()
  return app
}

async function openStore(
  app: FastifyInstance,
  config: Config,
  { clock, systemClock: machine = systemClock, ids }: Overrides & { readonly ids: Ids }
): Promise<Store> {
  const { redisUrl: url, retentionMs, mailboxMaxEvents, mailboxMaxBytes, maxDevicesPerUser } = config
  const options = { retentionMs, mailboxMaxEvents, mailboxMaxBytes, maxDevicesPerUser, clock: clock ?? machine }
  if (url === null) return createMemoryStore(options)
  const store = await createRedisStore({
    ...options,
    url,
    waitReplicas: config.redisWaitReplicas,
    ids,
    log: app.log,
    serverTime: clock === undefined
  })
  // The same connection as `app.redis`, for plugins that want one. The store opened it and closes it.
  await app.register(fastifyRedis, { client: store.client, closeClient: false })
  return store
}
