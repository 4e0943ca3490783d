// Nodes as processes of their own on one Redis, so that they can really be killed. Time is real here.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { loadConfig } from '../../src/config.js'
import { type RedisServer, startRedis } from './redis.js'
import type { TestNodes } from './test-client.js'
import type { Environment } from './test-cluster.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const JWT_SECRET = 'the-secret-of-the-fleet-is-32-bytes-long'
/** Scripts act faster than people do. */
const UNLIMITED = {
  RATE_LIMIT_CALLS: '1000000',
  RATE_LIMIT_CALLS_PER_PAIR: '1000000',
  RATE_LIMIT_CALLS_PER_CALLEE: '1000000',
  CALL_BACKOFF_MS: '0',
  RATE_LIMIT_SIGNALS: '1000000',
  RATE_LIMIT_READS: '1000000',
  RATE_LIMIT_DELIVERIES: '1000000000',
  RATE_LIMIT_PRESENCE: '1000000000',
  RATE_LIMIT_ADDRESS: '1000000'
}

/** For nodes that keep their limits: an empty variable means the default. */
export const DEFAULT_LIMITS = Object.fromEntries(Object.keys(UNLIMITED).map(name => [name, '']))

/** What the nodes share, and what ends it. */
type Harbour = Pick<RedisServer, 'url' | 'stop'>

interface Ship {
  readonly child: ChildProcess
  readonly url: string
}

export class Fleet implements TestNodes {
  /** What all fleets take for a token. */
  static readonly config = loadConfig({ JWT_SECRET })
  readonly config = Fleet.config
  readonly #redis: Harbour
  readonly #env: Environment
  readonly #ships: Ship[] = []

  private constructor(redis: Harbour, env: Environment) {
    this.#redis = redis
    this.#env = env
  }

  /** On a Redis of its own, or on what is given; it ends with the fleet. */
  static async launch(nodes: number, redis?: Harbour, env: Environment = {}): Promise<Fleet> {
    const fleet = new Fleet(redis ?? (await startRedis()), env)
    await Promise.all(Array.from({ length: nodes }, (_, i) => fleet.start(i)))
    return fleet
  }

  /** Starts a node in this place; where one was killed, a new one on another port. `more` is for this node alone. */
  async start(place: number, more: Environment = {}): Promise<void> {
    const env = {
      ...UNLIMITED,
      JWT_SECRET,
      REDIS_URL: this.#redis.url,
      PORT: '0',
      LOG_LEVEL: 'info',
      ...this.#env,
      ...more
    }
    const child = spawn(process.execPath, ['src/main.js'], {
      cwd: root,
      env: { PATH: process.env.PATH, ...env },
      stdio: ['ignore', 'pipe', 'inherit']
    })
    process.once('exit', () => child.kill('SIGKILL'))
    this.#ships[place] = { child, url: await listening(child) }
  }

  urlOf(place: number): string {
    return this.#ships[place]?.url ?? ''
  }

  /** The process id of a node. */
  pidOf(place: number): number {
    return this.#ships[place]?.child.pid ?? 0
  }

  /** Whether the node says that it should get traffic. */
  async isReady(place: number): Promise<boolean> {
    return (await fetch(`${this.urlOf(place)}/readyz`)).ok
  }

  /** As under `kill -9`. */
  async kill(place: number): Promise<void> {
    const { child } = this.#ships[place] as Ship
    assert.ok(child.kill('SIGKILL'), 'it was alive')
    await once(child, 'exit')
  }

  async sink(): Promise<void> {
    for (const [place, { child }] of this.#ships.entries()) {
      if (child.exitCode === null && child.signalCode === null) await this.kill(place)
    }
    await this.#redis.stop()
  }

  toWire(name: string): string {
    return name
  }

  fromWire<T>(value: T): T {
    return value
  }
}

/** The address that the log names. */
function listening(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once('exit', code => reject(new Error(`the node ended with ${code} before it listened`)))
    if (child.stdout === null) return
    createInterface(child.stdout).on('line', line => {
      const url = /Server listening at (http[^"\s]+)/.exec(line)?.[1]
      if (url) resolve(url)
    })
  })
}
