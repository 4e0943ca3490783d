// Nodes as processes of their own on one Redis, so that they can be killed. They use real time.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { loadConfig } from '../../src/config.js'
import { guard } from './child-process.js'
import { type RedisServer, startRedis } from './redis.js'
import type { TestNodes } from './test-client.js'
import type { Environment } from './test-cluster.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const JWT_SECRET = 'the-secret-of-the-fleet-is-32-bytes-long'
/** Tests act faster than people do. */
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

/** The Redis that the nodes share. */
type SharedRedis = Pick<RedisServer, 'url' | 'stop'>

interface NodeProcess {
  readonly child: ChildProcess
  readonly url: string
}

export class Fleet implements TestNodes {
  /** The configuration that signs tokens for all fleets. */
  static readonly config = loadConfig({ JWT_SECRET })
  readonly config = Fleet.config
  readonly #redis: SharedRedis
  readonly #env: Environment
  readonly #nodes: NodeProcess[] = []

  private constructor(redis: SharedRedis, env: Environment) {
    this.#redis = redis
    this.#env = env
  }

  /** On the given Redis or a new one. It is stopped with the fleet. */
  static async launch(nodes: number, redis?: SharedRedis, env: Environment = {}): Promise<Fleet> {
    const fleet = new Fleet(redis ?? (await startRedis()), env)
    await Promise.all(Array.from({ length: nodes }, (_, i) => fleet.start(i)))
    return fleet
  }

  /** Starts the node with this index, in place of one that was killed on another port. `more` is for this node only. */
  async start(index: number, more: Environment = {}): Promise<void> {
    const env = {
      ...UNLIMITED,
      JWT_SECRET,
      REDIS_URL: this.#redis.url,
      PORT: '0',
      LOG_LEVEL: 'info',
      ...this.#env,
      ...more
    }
    const stdio = ['ignore', 'pipe', 'inherit'] as ['ignore', 'pipe', 'inherit']
    const options = { cwd: root, env: { PATH: process.env.PATH, ...env }, stdio }
    const child = guard(spawn(process.execPath, ['src/main.js'], options))
    this.#nodes[index] = { child, url: await listening(child) }
  }

  urlOf(index: number): string {
    return this.#nodes[index]?.url ?? ''
  }

  /** The process id of a node. */
  pidOf(index: number): number {
    return this.#nodes[index]?.child.pid ?? 0
  }

  /** Whether the readiness probe of the node succeeds. */
  async isReady(index: number): Promise<boolean> {
    return (await fetch(`${this.urlOf(index)}/readyz`)).ok
  }

  /** As under `kill -9`. */
  async kill(index: number): Promise<void> {
    const { child } = this.#nodes[index] as NodeProcess
    assert.ok(child.kill('SIGKILL'), 'the process was running')
    await once(child, 'exit')
  }

  /** As a deployment ends it. Resolves to its exit code when it has sent its streams away and ended. */
  async drain(index: number): Promise<number | null> {
    const { child } = this.#nodes[index] as NodeProcess
    assert.ok(child.kill('SIGTERM'), 'the process was running')
    await once(child, 'exit')
    return child.exitCode
  }

  async stop(): Promise<void> {
    for (const [index, { child }] of this.#nodes.entries()) {
      if (child.exitCode === null && child.signalCode === null) await this.kill(index)
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

/** Resolves to the address in the log of the node. */
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
