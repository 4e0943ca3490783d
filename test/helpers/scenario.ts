// A story on a scenario: people with devices at the nodes of a cluster. When it is over nothing of it is left open, and what
// everybody heard is held against their mailboxes.
import t, { type Test } from 'tap'
import type { RoomClaims } from '../../src/schemas/claims.js'
import type { Store } from '../../src/store/store.js'
import { TestClient, type TestNodes } from './test-client.js'
import { type Environment, FLOW_SETTINGS, sharedCluster, TestCluster } from './test-cluster.js'
import { until } from './until.js'

export type Story = (t: Test, scenario: Scenario) => Promise<void>

interface FlowOptions {
  readonly env?: Environment
  /** It closes nodes: it gets a cluster of its own. */
  readonly alone?: boolean
}

/** Tells the story on every setting of FLOW_SETTINGS. */
export function flow(name: string, story: Story, { env = {}, alone = false }: FlowOptions = {}): void {
  t.test(name, async t => {
    for (const setting of FLOW_SETTINGS) {
      await t.test(setting.name, async t => {
        const cluster = await (alone ? TestCluster.open(setting, env) : sharedCluster(setting, env))
        const scenario = new Scenario(cluster)
        try {
          await story(t, scenario)
          await scenario.checkMailboxes(t)
        } finally {
          await scenario.closeStreams()
          if (alone) await cluster.close()
        }
      })
    }
  })
}

interface Entrance {
  readonly node?: number
  readonly silent?: boolean
  /** What their token says of rooms. */
  readonly rooms?: RoomClaims
}

let stories = 0

export class Scenario implements TestNodes {
  readonly cluster: TestCluster
  readonly #people: TestClient[] = []
  /** Names belong to their story: its alice, its call `c1`. On the wire they end with this. */
  readonly #mark = `~${++stories}`

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
    return `${name}${this.#mark}`
  }

  /** What came over the wire, with the names of the story. */
  fromWire<T>(value: T): T {
    return JSON.parse(JSON.stringify(value).replaceAll(`${this.#mark}"`, '"'))
  }

  /** Somebody with a device, at a node; their stream is open unless they are `silent`. */
  async addClient(
    user: string,
    device: string,
    { node = 0, silent = false, rooms }: Entrance = {}
  ): Promise<TestClient> {
    const client = await TestClient.create(this, { user, device, node, rooms })
    this.#people.push(client)
    if (!silent) await client.openStream()
    return client
  }

  /** Alice with her phone at the first node, bob with his laptop at the last. */
  async addAliceAndBob(): Promise<[alice: TestClient, bob: TestClient]> {
    return [await this.addClient('alice', 'phone'), await this.addClient('bob', 'laptop', { node: this.lastNode })]
  }

  async checkMailboxes(t: Test): Promise<void> {
    await this.cluster.settle()
    for (const client of this.#people) await client.checkMailbox(t)
  }

  /** The nodes have seen who left: so many streams are open, and presence says so. */
  async waitForStreams(count: number): Promise<void> {
    await until(`${count} streams are open`, () => this.cluster.openStreams() === count)
    await this.cluster.settle()
  }

  async closeStreams(): Promise<void> {
    for (const client of this.#people) await client.closeStream()
    await this.waitForStreams(0)
  }
}
