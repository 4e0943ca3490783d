// A store, a manual clock, and any number of nodes. Teardown asserts that no stream, subscription or timer is left.
import type { Test } from 'tap'
import { createIds } from '../../src/ids.js'
import type { MailboxEntry, Store } from '../../src/store/store.js'
import { ManualClock } from '../helpers/clock.js'
import { LIMITS } from '../helpers/limits.js'
import { type OpenOptions, openSse, type SseClient } from '../helpers/sse.js'
import { until } from '../helpers/until.js'
import type { Engine } from './engines.js'
import { type Node, startNode } from './node.js'

export interface FixtureOptions {
  readonly retentionMs?: number
  readonly mailboxMaxEvents?: number
  readonly mailboxMaxBytes?: number
  readonly maxDevicesPerUser?: number
}

export interface PollAnswer {
  readonly status: number
  readonly events: { readonly id: string; readonly type: string; readonly data: Readonly<Record<string, unknown>> }[]
  readonly cursor: string
  readonly code?: string
}

export class DeliveryFixture {
  readonly clock: ManualClock
  readonly store: Store
  readonly #clients: SseClient[] = []
  readonly #nodes: Node[] = []
  readonly #ids = createIds()
  #version = 0

  constructor(store: Store, clock: ManualClock) {
    this.store = store
    this.clock = clock
  }

  /** On the fixture's store, or on a wrapper of it. */
  async node(store: Store = this.store, env: Readonly<Record<string, string>> = {}): Promise<Node> {
    const node = await startNode(store, this.clock, env)
    this.#nodes.push(node)
    return node
  }

  /** Opens a stream as `alice phone`, or as `as`: user, device, expiresAt. */
  async open(
    node: Node,
    query = '',
    { as = 'alice', ...options }: OpenOptions & { as?: string } = {}
  ): Promise<SseClient> {
    const headers = { authorization: as, ...options.headers }
    const client = await openSse(`${node.url}${query}`, { ...options, headers })
    this.#clients.push(client)
    return client
  }

  /** Disconnects, and waits until the node has reported it. */
  async leave(node: Node, client: SseClient): Promise<void> {
    const disconnects = () => node.connectionLog.filter(entry => entry.startsWith('-')).length
    const before = disconnects()
    await client.close()
    await until('the node reports the disconnect', () => disconnects() > before)
  }

  async poll(node: Node, query = '', options: { as?: string; signal?: AbortSignal } = {}): Promise<PollAnswer> {
    const { as = 'alice', ...more } = options
    const reply = await fetch(`${node.url}/poll${query}`, { headers: { authorization: as }, ...more })
    return { status: reply.status, ...((await reply.json()) as Omit<PollAnswer, 'status'>) }
  }

  /** Appends `n: from` … `n: to`, one by one, to all devices of alice. */
  async appendNumbered(from: number, to = from, more: Readonly<Record<string, unknown>> = {}): Promise<void> {
    for (let n = from; n <= to; n++) {
      const type = 'call.ringing'
      const envelope = JSON.stringify({
        type,
        timestamp: new Date(this.clock.now()).toISOString(),
        data: { n, ...more }
      })
      await this.appendEntries([{ type, envelope }])
    }
  }

  /** Waits until round trips to the store that have begun have ended. */
  async settle(): Promise<void> {
    for (let trips = 0; trips < 4; trips++) {
      await this.store.ping()
      await new Promise(setImmediate)
    }
  }

  async appendEntries(entries: readonly MailboxEntry[]): Promise<void> {
    this.#version++
    const source = { kind: 'call', id: 'c1' } as const
    const commits = [{ version: this.#version, entries, tag: this.#ids.tag() }]
    await this.store.mailboxes.appendEach([{ user: 'alice', source, commits }], this.clock.now())
  }

  async close(t: Test): Promise<void> {
    await Promise.all(this.#nodes.map(node => node.close()))
    for (const client of this.#clients) await client.close()
    for (const node of this.#nodes) {
      t.same(node.streams.count(), { sse: 0, poll: 0 }, 'no stream and no poll is left')
      t.equal(node.users(), 0, 'no subscription is left')
    }
    await this.store.close()
    t.equal(this.clock.waiting, 0, 'no timer is left')
  }
}

export type DeliveryTest = (t: Test, fixture: DeliveryFixture, node: Node) => Promise<void>

/** Defines tests, each with its own fixture. */
export function deliveryTest(parent: Test, engine: Engine) {
  return (title: string, run: DeliveryTest, options: FixtureOptions = {}): void => {
    parent.test(`${engine.name}: ${title}`, async t => {
      const clock = new ManualClock()
      const fixture = new DeliveryFixture(await engine.create(clock, { ...LIMITS, ...options }), clock)
      try {
        await run(t, fixture, await fixture.node())
      } finally {
        await fixture.close(t)
      }
    })
  }
}
