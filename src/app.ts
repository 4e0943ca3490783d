// The composition root: makes each part once and passes it what it needs.
import fastifyRedis from '@fastify/redis'
import Fastify, { type FastifyInstance } from 'fastify'
import { buildAdmin } from './admin.js'
import { type Clock, systemClock } from './clock.js'
import type { Config } from './config.js'
import { createDrain, type Drain } from './delivery/drain.js'
import { createHub } from './delivery/hub.js'
import { createStreams, type Streams } from './delivery/streams.js'
import { createIds, type Ids } from './ids.js'
import { createMetrics } from './metrics.js'
import { chargeAddress, limitAddresses } from './plugins/address-limits.js'
import { readBodies } from './plugins/bodies.js'
import { limitConnections } from './plugins/connection-limits.js'
import { dropUnusedConnections } from './plugins/connections.js'
import { handleErrors } from './plugins/errors.js'
import { type Health, serveHealth } from './plugins/health.js'
import { measureRequests } from './plugins/metrics.js'
import { documentApi, pointToDocs, VERSION } from './plugins/openapi.js'
import { servePlayground, servesPlayground } from './plugins/playground.js'
import { checkRequestHeads } from './plugins/request-heads.js'
import { secure } from './plugins/security.js'
import { serverOptions } from './plugins/server-options.js'
import { readSdpBodies } from './plugins/signal-bodies.js'
import { answerWhipOptions } from './plugins/whip-options.js'
import { deviceCredentialRoutes } from './routes/device-credentials.js'
import { serveApi } from './routes/index.js'
import { keySetRoutes } from './routes/key-set.js'
import { operatorRoutes } from './routes/operators.js'
import { problemRoutes } from './routes/problems.js'
import { createAddressBudget } from './services/address-budget.js'
import { createBackgroundTasks } from './services/background-tasks.js'
import { createBudgets } from './services/budgets.js'
import { createCache } from './services/cache.js'
import { createBacklog } from './services/chat/backlog.js'
import type { Context } from './services/context.js'
import { confirmConnected } from './services/device/after-failover.js'
import { deviceCallbacks } from './services/device/lifecycle.js'
import { closeMediaOfFormer } from './services/sfu/reconcile.js'
import { createMemoryStore } from './store/memory.js'
import { createRedisStore } from './store/redis/redis.js'
import type { Store } from './store/store.js'
import { startFanout } from './workers/fanout.js'
import { startGauges } from './workers/gauges.js'
import { startMediaHealth } from './workers/media-health.js'
import { startNodeReports } from './workers/node-reports.js'
import { startTimers } from './workers/timers.js'
import { startWebhooks } from './workers/webhooks.js'

export interface Overrides {
  /** Replaces the clock of the store, too. */
  readonly clock?: Clock
  /** The clock of this machine. With Redis, the server uses that of Redis. */
  readonly systemClock?: Clock
  readonly ids?: Ids
  /** A store that several apps of one process share. The caller closes it. */
  readonly store?: Store
}

declare module 'fastify' {
  interface FastifyInstance {
    /** The open streams and waiting polls of this node. */
    streams: Streams
    /** The listener for operators; null without ADMIN_PORT. The caller makes it listen; closing this instance closes it. */
    admin: FastifyInstance | null
    /** Fails the readiness probe, waits DRAIN_SETTLE_MS, then sends the streams away over DRAIN_WINDOW_MS. Call it before close(). */
    drain(): Promise<void>
  }
}

/** Returns a server that is ready to listen. Closing it ends its streams, its workers and its store. */
export async function buildApp(config: Config, overrides: Overrides = {}): Promise<FastifyInstance> {
  const { ids = createIds() } = overrides
  const app: FastifyInstance = Fastify(serverOptions(config, request => chargeAddress(context.addresses, request)))
  const store = overrides.store ?? (await openStore(app, config, { ...overrides, ids }))
  const context = createContext({ config, ids, store, clock: overrides.clock ?? store.clock, log: app.log })
  const hub = createHub({ store, log: app.log })
  const streams = createStreams({ ...context, hub, ...deviceCallbacks(context) })
  app.decorate('streams', streams)
  const drain = createDrain({ clock: context.clock, config, streams })
  app.decorate('drain', drain.close)
  const health = { context, drainState: drain.state }

  secure(app, config)
  handleErrors(app, context)
  measureRequests(app, context.metrics)
  checkRequestHeads(app)
  readBodies(app)
  readSdpBodies(app)
  limitConnections(app, context)
  limitAddresses(app, context.addresses)
  await serveRoutes(app, context, health)
  const admin = config.adminPort === null ? null : await buildAdmin({ context, health })
  app.decorate('admin', admin)
  if (admin === null) await app.register(operatorRoutes, { context })

  const stopWorkers = startWorkers(context, { streams, drain })
  app.addHook('preClose', () => {
    drain.stop()
    return streams.close()
  })
  dropUnusedConnections(app)
  app.addHook('onClose', async () => {
    await stopWorkers()
    // Last: metrics stay readable until the streams have left.
    await admin?.close()
    if (store !== overrides.store) await store.close()
  })
  await app.ready()
  return app
}

function createContext(parts: Pick<Context, 'config' | 'ids' | 'store' | 'clock' | 'log'>): Context {
  const { config, ids, store, clock, log } = parts
  const node = ids.unique()
  const background = createBackgroundTasks(log)
  const context: Context = {
    ...parts,
    ...{ node, background, metrics: createMetrics() },
    budgets: createBudgets({ counters: store.counters, clock, config }),
    addresses: createAddressBudget(
      { max: config.rateLimitAddress, windowMs: 10_000, what: 'requests without a valid token' },
      clock
    ),
    calls: createCache(),
    pairs: createCache(),
    startFanout: ref => startFanout(context, ref),
    closeMediaOfFormer: roomId => closeMediaOfFormer(context, roomId),
    chats: createCache(),
    chatBacklog: createBacklog(3 * (config.chatServiceRetryMaxMs + config.chatServiceTimeoutMs))
  }
  return context
}

/** The routes of clients. The document comes first: it lists the routes that are added after it. */
async function serveRoutes(app: FastifyInstance, context: Context, health: Health): Promise<void> {
  await documentApi(app)
  const hasPlayground = servesPlayground(context.config)
  if (hasPlayground) servePlayground(app, context.config)
  pointToDocs(app, { withRoot: !hasPlayground })
  serveHealth(app, health)
  answerWhipOptions(app)
  await app.register(problemRoutes)
  await app.register(keySetRoutes, { context })
  await app.register(deviceCredentialRoutes, { prefix: '/v1', context })
  await app.register(serveApi, { prefix: '/v1', context, streams: app.streams })
}

/** Returns the function that stops them. */
function startWorkers(
  context: Context,
  { streams, drain }: { readonly streams: Streams; readonly drain: Drain }
): () => Promise<void> {
  const { store, calls, pairs, background } = context
  const stopTimers = startTimers(context)
  const stopGauges = startGauges(context)
  const stopMediaHealth = startMediaHealth(context)
  const stopWebhooks = startWebhooks(context)
  const stopReports = startNodeReports(context, {
    version: VERSION,
    status: () => ({ state: drain.state(), streams: streams.count().sse, polls: streams.count().poll }),
    drain: drain.set
  })
  const stopCaching = store.wakeups.onCommit((ref, written) => {
    const cache = ref.kind === 'pair' ? pairs : calls
    cache.offer(ref.id, written)
  })
  const stopConfirming = store.onLostWrites(where => confirmConnected(context, streams.connected(), where))
  return async () => {
    stopGauges()
    stopMediaHealth()
    stopConfirming()
    stopCaching()
    await stopTimers()
    await background.close()
    await stopWebhooks()
    await stopReports()
  }
}

async function openStore(
  app: FastifyInstance,
  config: Config,
  { clock, systemClock: machine = systemClock, ids }: Overrides & { readonly ids: Ids }
): Promise<Store> {
  const { redisUrl: url, retentionMs, mailboxMaxEvents, mailboxMaxBytes, maxDevicesPerUser } = config
  const { webhookQueueMax, webhookBacklogMax } = config
  const options = {
    ...{ retentionMs, mailboxMaxEvents, mailboxMaxBytes, maxDevicesPerUser, webhookQueueMax, webhookBacklogMax },
    clock: clock ?? machine
  }
  if (url === null) return createMemoryStore(options)
  const store = await createRedisStore({
    ...options,
    url,
    waitReplicas: config.redisWaitReplicas,
    ids,
    log: app.log,
    serverTime: clock === undefined
  })
  // Plugins may use the store's connection as `app.redis`. The store closes it.
  await app.register(fastifyRedis, { client: store.client, closeClient: false })
  return store
}
