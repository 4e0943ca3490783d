// A flow test: clients of several users on the nodes of a cluster. At the end, the events that each client received are compared with its
// mailbox, and no stream is left open.
import t, { type Test } from 'tap'
import { encodeId } from '../../src/id-text.js'
import type { RoomClaims } from '../../src/schemas/claims.js'
import type { Store } from '../../src/store/store.js'
import { TestClient, type TestNodes } from './test-client.js'
import { type Environment, settingsFor, sharedCluster, TestCluster } from './test-cluster.js'
import { until } from './until.js'

type Flow = (t: Test, scenario: Scenario) => Promise<void>

interface FlowOptions {
  readonly env?: Environment
  /** The flow has a cluster of its own, because it closes nodes. */
  readonly ownCluster?: boolean
}

/** Runs the flow on each of its settings. */
export function flow(name: string, run: Flow, { env = {}, ownCluster = false }: FlowOptions = {}): void {
  t.test(name, async t => {
    for (const setting of settingsFor(env)) {
      await t.test(setting.name, async t => {
        const cluster = await (ownCluster ? TestCluster.open(setting, env) : sharedCluster(setting, env))
        const scenario = new Scenario(cluster)
        try {
          await run(t, scenario)
          await scenario.checkMailboxes(t)
        } finally {
          await scenario.closeStreams()
          if (ownCluster) await cluster.close()
        }
      })
    }
  })
}

interface ClientOptions {
  readonly node?: number
  /** No stream is opened. */
  readonly silent?: boolean
  /** The claim `rooms` of the token. */
  readonly rooms?: RoomClaims
}

let scenarios = 0

export class Scenario implements TestNodes {
  readonly cluster: TestCluster
  readonly #clients: TestClient[] = []
  /**
   * Ends each name on the wire, so that scenarios on one cluster do not share users, calls or rooms. Its characters separate the parts of
   * keys, paths and lists.
   */
  readonly #suffix = `|: {é}%2F~${++scenarios}`

  constructor(cluster: TestCluster) {
    this.cluster = cluster
  }

  get config() {
    return this.cluster.config
  }

  urlOf(node: number): string {
    return this.cluster.urlOf(node)
  }

  get store(): Store {
    return this.cluster.store
  }

  get lastNode(): number {
    return this.cluster.lastNode
  }

  now(): number {
    return this.cluster.clock.now()
  }

  advance(ms: number): Promise<void> {
    return this.cluster.advance(ms)
  }

  advanceDuring<T>(work: Promise<T>): Promise<T> {
    return this.cluster.advanceDuring(work)
  }

  /** A name as it is on the wire. */
  toWire(name: string): string {
    return `${name}${this.#suffix}`
  }

  /** A name as it is in a path or a query. */
  toPath(name: string): string {
    return encodeURIComponent(this.toWire(name))
  }

  /** A name as it is in Redis keys and composed ids. */
  toKey(name: string): string {
    return encodeId(this.toWire(name))
  }

  /** A value from the wire, with the names of the test. */
  fromWire<T>(value: T): T {
    return JSON.parse(JSON.stringify(value).replaceAll(`${this.#suffix}"`, '"'))
  }

  /** Adds a client, and opens its stream unless it is `silent`. */
  async addClient(
    user: string,
    device: string,
    { node = 0, silent = false, rooms }: ClientOptions = {}
  ): Promise<TestClient> {
    const client = await TestClient.create(this, { user, device, node, rooms })
    this.#clients.push(client)
    if (!silent) await client.openStream()
    return client
  }

  /** alice with her phone on the first node, bob with his laptop on the last. */
  async addAliceAndBob(): Promise<[alice: TestClient, bob: TestClient]> {
    return [await this.addClient('alice', 'phone'), await this.addClient('bob', 'laptop', { node: this.lastNode })]
  }

  async checkMailboxes(t: Test): Promise<void> {
    await this.cluster.settle()
    for (const client of this.#clients) await client.checkMailbox(t)
  }

  /** Waits until this number of streams is open, and the work after opening or closing them is done. */
  async waitForStreams(count: number): Promise<void> {
    await until(`${count} streams are open`, () => this.cluster.openStreams() === count)
    await this.cluster.settle()
  }

  async closeStreams(): Promise<void> {
    for (const client of this.#clients) await client.closeStream()
    await this.waitForStreams(0)
  }
}
