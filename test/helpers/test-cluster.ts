// The cluster of flow tests: whole nodes that listen on real ports, on one of four settings, with a clock that only the test moves.
import type { FastifyInstance } from 'fastify'
import { Redis } from 'ioredis'
import t from 'tap'
import { buildApp } from '../../src/app.js'
import { type Config, loadConfig } from '../../src/config.js'
import { createMemoryStore } from '../../src/store/memory.js'
import type { Store } from '../../src/store/store.js'
import { ManualClock } from './clock.js'
import { type RedisServer, startRedis } from './redis.js'
import { openRedisStore } from './store.js'

export interface Setting {
  readonly name: string
  readonly engine: 'memory' | 'redis'
  readonly nodes: number
}

export const SETTINGS: readonly Setting[] = [
  { name: 'memory, one node', engine: 'memory', nodes: 1 },
  { name: 'memory, two nodes on one store', engine: 'memory', nodes: 2 },
  { name: 'Redis, one node', engine: 'redis', nodes: 1 },
  { name: 'Redis, two nodes', engine: 'redis', nodes: 2 }
]

export type Environment = Readonly<Record<string, string>>

/**
 * The settings for a flow: the two that differ most, and with ALL_SETTINGS=1, as in .ci/run, all four. Flows with a media service, which are the
 * longest, go without the other two: the service does the same on each.
 */
export const settingsFor = (env: Environment): readonly Setting[] =>
  SETTINGS.filter(
    ({ engine, nodes }) =>
      (engine === 'memory') === (nodes === 1) || (process.env.ALL_SETTINGS === '1' && !('MEDIA_SERVICE_URLS' in env))
  )

const SECRET = 'the-secret-of-the-flows-is-32-bytes-long'
// Flows act faster than people do, and watch users without a common room. Limits and visibility have tests of their own.
const UNLIMITED = {
  RATE_LIMIT_CALLS: '1000000',
  RATE_LIMIT_SIGNALS: '1000000',
  RATE_LIMIT_READS: '1000000',
  RATE_LIMIT_CALLS_PER_PAIR: '1000000',
  RATE_LIMIT_CALLS_PER_CALLEE: '1000000',
  CALL_BACKOFF_MS: '0',
  RATE_LIMIT_DELIVERIES: '1000000000',
  RATE_LIMIT_PRESENCE: '1000000000',
  RATE_LIMIT_ROOMS: '1000000',
  RATE_LIMIT_LOOKUPS: '1000000',
  RATE_LIMIT_ADDRESS: '1000000',
  PRESENCE_VISIBILITY: 'everyone'
}
/** The tick of the timers. */
const TICK_MS = 125

interface Node {
  readonly app: FastifyInstance
  readonly store: Store
  readonly url: string
  isUp: boolean
}

export class TestCluster {
  readonly setting: Setting
  readonly config: Config
  readonly clock = new ManualClock()
  readonly #nodes: Node[] = []
  readonly #redis: RedisServer | null
  /** Shared by all nodes on memory. */
  #memory: Store | null = null

  private constructor(setting: Setting, env: Environment, redis: RedisServer | null) {
    this.setting = setting
    this.config = loadConfig({ LOG_LEVEL: 'fatal', JWT_SECRET: SECRET, ...UNLIMITED, ...env })
    this.#redis = redis
  }

  /** On the given Redis, which the caller stops, or on one that is shared. */
  static async open(setting: Setting, env: Environment, redis?: RedisServer): Promise<TestCluster> {
    const cluster = new TestCluster(
      setting,
      env,
      setting.engine === 'redis' ? (redis ?? (await sharedRedis(env))) : null
    )
    for (let i = 0; i < setting.nodes; i++) await cluster.addNode()
    // Ends the grace time after the start of a store, in which no device counts as absent.
    cluster.clock.skip(cluster.config.presenceTtlMs / 3)
    await cluster.settle()
    return cluster
  }

  /** The store of the first node: for a step after which the node would have died. */
  get store(): Store {
    return this.#up[0]?.store as Store
  }

  /** Null on memory. */
  get redisUrl(): string | null {
    return this.#redis?.url ?? null
  }

  /** The last node; the first one is 0. */
  get lastNode(): number {
    return this.#nodes.length - 1
  }

  get #up(): Node[] {
    return this.#nodes.filter(({ isUp }) => isUp)
  }

  async addNode(): Promise<number> {
    const store = await this.#openStore()
    const app = await buildApp(this.config, { clock: this.clock, store })
    const url = await app.listen({ host: '127.0.0.1', port: 0 })
    return this.#nodes.push({ app, store, url, isUp: true }) - 1
  }

  #openStore(): Promise<Store> {
    const { retentionMs, mailboxMaxEvents, mailboxMaxBytes, maxDevicesPerUser } = this.config
    const { webhookQueueMax, webhookBacklogMax } = this.config
    const mailboxes = { retentionMs, mailboxMaxEvents, mailboxMaxBytes, maxDevicesPerUser }
    const options = { ...mailboxes, webhookQueueMax, webhookBacklogMax }
    if (this.#redis)
      return openRedisStore(this.#redis.url, this.clock, { ...options, waitReplicas: this.config.redisWaitReplicas })
    this.#memory ??= createMemoryStore({ ...options, clock: this.clock })
    return Promise.resolve(this.#memory)
  }

  /** Drains a node and closes it, as SIGTERM does. */
  async drainNode(index: number): Promise<void> {
    const node = this.#nodes[index]
    if (node) await this.advanceDuring(node.app.drain())
    await this.closeNode(index)
  }

  /** Closes a node, as a deployment does. A store that nodes share stays open. */
  async closeNode(index: number): Promise<void> {
    const node = this.#nodes[index]
    if (!node?.isUp) return
    node.isUp = false
    await node.app.close()
    if (node.store !== this.#memory) await node.store.close()
  }

  /** The listener for operators of a node. */
  adminOf(index: number): FastifyInstance {
    const admin = this.#nodes[index]?.app.admin
    if (!admin) throw new Error('this cluster has no ADMIN_PORT')
    return admin
  }

  /** The URL of a node, or of another one if it is closed. */
  urlOf(index: number): string {
    return [this.#nodes[index], ...this.#nodes].find(each => each?.isUp)?.url ?? ''
  }

  /** Waits for running work: at most this number of round trips to the stores, fewer if none has caused another command. */
  async settle(trips = 5): Promise<void> {
    for (let i = 0; i < trips; i++) {
      await Promise.all(this.#up.map(({ store }) => store.ping()))
      await new Promise(resolve => setImmediate(resolve))
      if (i > 0 && this.#up.every(({ store }) => hasNoCommands(store))) return
    }
  }

  /** Moves the clock in steps of one tick, and waits for the work after each. */
  async advance(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= TICK_MS) {
      this.clock.advance(Math.min(TICK_MS, left))
      await this.settle()
    }
  }

  /** Moves the clock until the work is done: for work that waits for time to pass. */
  async advanceDuring<T>(work: Promise<T>): Promise<T> {
    let isDone = false
    const done = work.finally(() => {
      isDone = true
    })
    while (!isDone) {
      this.clock.advance(5)
      await this.settle(1)
    }
    return done
  }

  /** The number of open streams and waiting polls on all nodes. */
  openStreams(): number {
    return this.#nodes.reduce((sum, { app }) => sum + app.streams.count().sse + app.streams.count().poll, 0)
  }

  /** The number of waiting polls on all nodes. */
  waitingPolls(): number {
    return this.#nodes.reduce((sum, { app }) => sum + app.streams.count().poll, 0)
  }

  /** Closes all nodes. Throws if a timer is left. */
  async close(): Promise<void> {
    for (const i of this.#nodes.keys()) await this.closeNode(i)
    await this.#memory?.close()
    if (this.clock.waiting > 0) throw new Error(`${this.setting.name}: ${this.clock.waiting} timers are left`)
  }
}

/** No command of this store waits for its reply. False for the memory engine, which has no commands. */
const hasNoCommands = (store: Store): boolean =>
  'client' in store && store.client instanceof Redis && store.client.commandQueue.length === 0

const servers = new Map<string, Promise<RedisServer>>()
const clusters = new Map<string, Promise<TestCluster>>()

/**
 * One Redis for each test process. Scenarios have names of their own, so clusters do not disturb each other; but nodes put off the webhooks of
 * receivers that they do not know, so those of each receiver have their own.
 */
function sharedRedis({ WEBHOOK_URLS = '' }: Environment): Promise<RedisServer> {
  const server = servers.get(WEBHOOK_URLS) ?? startRedis()
  servers.set(WEBHOOK_URLS, server)
  return server
}

/** Flows with the same environment share a cluster, because starting a node takes longer than most flows. */
export function sharedCluster(setting: Setting, env: Environment): Promise<TestCluster> {
  const key = `${setting.name} ${JSON.stringify(env)}`
  const cluster = clusters.get(key) ?? TestCluster.open(setting, env)
  clusters.set(key, cluster)
  return cluster
}

t.teardown(async () => {
  for (const cluster of clusters.values()) await (await cluster).close()
  await Promise.all([...servers.values()].map(async server => stopRedis(await server)))
})

async function stopRedis(redis: RedisServer): Promise<void> {
  const client = new Redis(redis.port)
  const left = (await client.call('PUBSUB', 'SHARDCHANNELS')) as string[]
  client.disconnect()
  await redis.stop()
  if (left.length > 0) throw new Error(`${left.length} subscriptions are left`)
}
