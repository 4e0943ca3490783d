// Where the stories of test/flows play: whole nodes that listen on real ports, on one of four settings, and a clock that only
// the story moves. When a story is over nothing of it is left: no stream, no subscription, no timer.
import type { FastifyInstance } from 'fastify'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { buildApp } from '../../src/app.js'
import { loadConfig } from '../../src/config.js'
import { createMemoryStore } from '../../src/store/memory.js'
import type { Store } from '../../src/store/store.js'
import { ManualClock } from './clock.js'
import { Person } from './person.js'
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

export type Story = (t: Test, stage: Stage) => Promise<void>
export type Environment = Readonly<Record<string, string>>

/** Tells the story on every setting. */
export function flow(name: string, story: Story, env: Environment = {}): void {
  t.test(name, async t => {
    for (const setting of SETTINGS) {
      await t.test(setting.name, async t => {
        const stage = await Stage.set(setting, env)
        try {
          await story(t, stage)
          await stage.holdMailboxes(t)
        } finally {
          await stage.clear(t)
        }
      })
    }
  })
}

const SECRET = 'the-secret-of-the-flows-is-32-bytes-long'
// The stories act faster than people do; limits have tests of their own.
const UNLIMITED = { RATE_LIMIT_CALLS: '1000000', RATE_LIMIT_SIGNALS: '1000000', RATE_LIMIT_READS: '1000000' }
/** The worker looks at its next partitions so often. */
const TICK_MS = 125

interface Node {
  readonly app: FastifyInstance
  readonly store: Store
  readonly url: string
  isUp: boolean
}

export class Stage {
  readonly setting: Setting
  readonly clock = new ManualClock()
  readonly #env: Environment
  readonly #nodes: Node[] = []
  readonly #people: Person[] = []
  /** On memory all nodes share it. */
  #memory: Store | null = null
  #redis: RedisServer | null = null

  private constructor(setting: Setting, env: Environment) {
    this.setting = setting
    this.#env = { LOG_LEVEL: 'fatal', JWT_SECRET: SECRET, ...UNLIMITED, ...env }
  }

  static async set(setting: Setting, env: Environment = {}): Promise<Stage> {
    const stage = new Stage(setting, env)
    if (setting.engine === 'redis') stage.#redis = await emptyRedis()
    for (let i = 0; i < setting.nodes; i++) await stage.addNode()
    return stage
  }

  get config() {
    return loadConfig(this.#env)
  }

  /** For what a node does that dies right after it: the port itself, and nobody who goes on from there. */
  get store(): Store {
    return this.#up[0]?.store as Store
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
    const { retentionMs, mailboxMaxEvents } = this.config
    if (this.#redis) return openRedisStore(this.#redis.url, this.clock, { retentionMs, mailboxMaxEvents })
    this.#memory ??= createMemoryStore({ retentionMs, mailboxMaxEvents, clock: this.clock })
    return Promise.resolve(this.#memory)
  }

  /** Closes a node, as a deploy does. Where nodes share one store it stays open for the others. */
  async close(node: number): Promise<void> {
    const it = this.#nodes[node]
    if (!it?.isUp) return
    it.isUp = false
    await it.app.close()
    if (it.store !== this.#memory) await it.store.close()
  }

  /** The last node; the first one is 0. Stories that put their people apart put them there. */
  get far(): number {
    return this.#nodes.length - 1
  }

  /** Where a node listens, or another one if it is down. */
  urlOf(node: number): string {
    return [this.#nodes[node], ...this.#nodes].find(each => each?.isUp)?.url ?? ''
  }

  /** Somebody with a device, at a node; their stream is open unless they are `silent`. */
  async enter(user: string, device: string, { node = 0, silent = false } = {}): Promise<Person> {
    const person = await Person.make(this, { user, device, node })
    this.#people.push(person)
    if (!silent) await person.listens()
    return person
  }

  /** Alice with her phone at the first node, bob with his laptop at the last. */
  async enterBoth(): Promise<[alice: Person, bob: Person]> {
    return [await this.enter('alice', 'phone'), await this.enter('bob', 'laptop', { node: this.far })]
  }

  /** Lets what is under way come to rest: trips to the stores and back, and what follows from them. */
  async rest(trips = 5): Promise<void> {
    for (let i = 0; i < trips; i++) {
      await Promise.all(this.#up.map(({ store }) => store.ping()))
      await new Promise(resolve => setImmediate(resolve))
    }
  }

  /** Time goes by, in steps so small that everything due has its turn. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= TICK_MS) {
      this.clock.advance(Math.min(TICK_MS, left))
      await this.rest()
    }
  }

  /** What everybody's mailbox holds is what they heard, and is as the contract says. */
  async holdMailboxes(t: Test): Promise<void> {
    await this.rest()
    for (const person of this.#people) await person.holdMailbox(t)
  }

  async clear(t: Test): Promise<void> {
    for (const person of this.#people) await person.leaves()
    for (const i of this.#nodes.keys()) await this.close(i)
    for (const { app } of this.#nodes) t.same(app.streams.count(), { sse: 0, poll: 0 }, 'no stream is left')
    if (this.#redis) t.same(await subscriptions(this.#redis), [], 'no subscription is left')
    await this.#memory?.close()
    t.equal(this.clock.waiting, 0, 'no timer is left')
  }
}

let server: Promise<RedisServer> | null = null

/** One server a file, emptied for each story. */
async function emptyRedis(): Promise<RedisServer> {
  if (server === null) {
    server = startRedis()
    t.teardown(async () => (await server)?.stop())
  }
  const redis = await server
  await ask(redis, client => client.flushall())
  return redis
}

const subscriptions = (redis: RedisServer) => ask(redis, client => client.call('PUBSUB', 'SHARDCHANNELS'))

async function ask<T>(redis: RedisServer, question: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(redis.port)
  try {
    return await question(client)
  } finally {
    client.disconnect()
  }
}
