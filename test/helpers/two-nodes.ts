// Two nodes on one real store, where a test delays or fails a step, with a clock that only the test moves.
import { buildApp } from '../../src/app.js'
import { loadConfig } from '../../src/config.js'
import { createMemoryStore } from '../../src/store/memory.js'
import type { RoomCommit } from '../../src/store/rooms.js'
import type { Store, UserAppend } from '../../src/store/store.js'
import { ManualClock } from './clock.js'
import { openRedisStore } from './store.js'
import { TestClient } from './test-client.js'
import type { Environment } from './test-cluster.js'
import { until } from './until.js'

const JWT_SECRET = 'the-secret-of-the-fanout-is-32-bytes-long'
const LIMITS = {
  RATE_LIMIT_CALLS: '1000000',
  RATE_LIMIT_CALLS_PER_PAIR: '1000000',
  RATE_LIMIT_CALLS_PER_CALLEE: '1000000',
  CALL_BACKOFF_MS: '0',
  RATE_LIMIT_SIGNALS: '1000000',
  RATE_LIMIT_READS: '1000000',
  RATE_LIMIT_DELIVERIES: '1000000000',
  RATE_LIMIT_PRESENCE: '1000000000'
}
/** No device counts as absent while the clock moves. */
const HOUR_MS = '3600000'
const LONG_TIMES = { AWAY_AFTER_MS: HOUR_MS, GRACE_MS: HOUR_MS, PRESENCE_TTL_MS: HOUR_MS, RETENTION_MS: HOUR_MS }
const MAILBOX = { retentionMs: 3_600_000, mailboxMaxEvents: 500, maxDevicesPerUser: 8, mailboxMaxBytes: 2_097_152 }

export type AppendRoom = (append: () => Promise<unknown>, what: readonly UserAppend[]) => Promise<void>

/** For `appendRoom`: room appends wait until `open` is called. */
export function createGate() {
  let open = () => {}
  const opened = new Promise<void>(resolve => {
    open = resolve
  })
  let waiting = 0
  const append: AppendRoom = async run => {
    waiting++
    await opened
    waiting--
    await run()
  }
  return { open, append, waiting: () => waiting }
}

/** Two nodes on one store, with a clock that only the test moves. */
export class TwoNodes {
  readonly config
  readonly clock = new ManualClock()
  readonly #urls: string[] = []
  readonly #stores: Store[] = []
  readonly #closing: (() => Promise<unknown>)[] = []
  /** Called for each append of room events; the test sets it to delay or fail some. */
  appendRoom: AppendRoom = async append => void (await append())

  /** Called before each commit of a room; the test sets it to fail some. */
  beforeCommit: (commit: RoomCommit) => void = () => {}

  /** On the Redis of this address; null: in memory. */
  static async start(redisUrl: string | null, env: Environment = {}): Promise<TwoNodes> {
    const nodes = new TwoNodes(env)
    const { clock } = nodes
    const memory = redisUrl === null ? createMemoryStore({ ...MAILBOX, clock }) : null
    for (let i = 0; i < 2; i++) {
      const store = memory ?? (await openRedisStore(redisUrl ?? '', clock, MAILBOX))
      nodes.#stores.push(store)
      const app = await buildApp(nodes.config, { clock, store: nodes.#intercept(store) })
      nodes.#urls.push(await app.listen({ host: '127.0.0.1', port: 0 }))
      nodes.#closing.unshift(() => app.close())
      nodes.#closing.push(() => store.close())
    }
    // Ends the grace time after the start of a store, in which no device counts as absent.
    clock.advance(nodes.config.presenceTtlMs)
    return nodes
  }

  private constructor(env: Environment) {
    this.config = loadConfig({ LOG_LEVEL: 'fatal', JWT_SECRET, ...LIMITS, ...LONG_TIMES, ...env })
  }

  #intercept(store: Store): Store {
    const { mailboxes, rooms } = store
    return {
      ...store,
      rooms: {
        ...rooms,
        commit: async (id, commit) => {
          this.beforeCommit(commit)
          return rooms.commit(id, commit)
        }
      },
      mailboxes: {
        ...mailboxes,
        appendEach: async (appends, now) => {
          const append = () => mailboxes.appendEach(appends, now)
          if (appends[0]?.source.kind === 'room') await this.appendRoom(append, appends)
          else await append()
        }
      }
    }
  }

  async close(): Promise<void> {
    for (const close of this.#closing) await close()
  }

  urlOf = (node: number): string => this.#urls[node] ?? ''
  toWire = (name: string): string => name
  fromWire = <T>(value: T): T => value

  async addClient(user: string, node: number): Promise<TestClient> {
    return TestClient.create(this, { user, device: 'phone', node })
  }

  async isPublished(roomId: string): Promise<boolean> {
    const room = await this.#stores[0]?.rooms.load(roomId, [])
    return room?.publishedVersion === room?.version
  }

  async readMailbox({ user, device }: TestClient): Promise<{ type: string; version: number }[]> {
    const options = { limit: 500, maxBytes: 10_000_000, now: this.clock.now() }
    const result = await this.#stores[0]?.mailboxes.read(user, device, { from: 'start', ...options })
    const events = result?.status === 'ok' ? result.events : []
    return events.map(({ type, envelope }) => ({ type, version: Number(JSON.parse(envelope).data.version) }))
  }

  /** Moves the clock until the condition holds. */
  async advanceUntil(what: string, holds: () => unknown): Promise<void> {
    await until(what, async () => {
      this.clock.advance(50)
      return holds()
    })
  }
}
