// One case of the tests that kill a node during a transfer: four users whose names contain its name, and one call. Clients receive by streams, which
// they resume at another node, and repeat their requests.
import type { Test } from 'tap'
import type { Fleet } from './fleet.js'
import { type ReceivedEvent, type Reply, TestClient } from './test-client.js'
import { until } from './until.js'

export const ROLES = ['alice', 'bob', 'carol', 'dave'] as const
export type Role = (typeof ROLES)[number]

/** What a dead node has claimed is taken over after up to 9 s: docs/decisions/0016-timers.md. The machine may be busy. */
const WITHIN_MS = 30_000

interface Nodes {
  /** The one that dies. */
  readonly victim: number
  readonly survivor: number
  /** Their streams are on the node that dies. */
  readonly onVictim: readonly Role[]
}

/** Repeats a request until it succeeds, at most for 20 s. */
export async function untilTaken(what: string, request: () => Promise<Reply>): Promise<void> {
  let last: Reply | null = null
  const isTaken = async () => {
    last = await request()
    return last.status < 300
  }
  await until(what, isTaken, 20_000).catch(() => {
    throw new Error(`${what}: ${JSON.stringify(last)}`)
  })
}

export class TransferCase {
  readonly name: string
  readonly #nodes: Nodes
  readonly #clients: Readonly<Record<Role, TestClient>>
  readonly #events = new Map<Role, ReceivedEvent[]>()
  readonly #awaited = new Set<Promise<void>>()

  private constructor(name: string, nodes: Nodes, clients: Readonly<Record<Role, TestClient>>) {
    this.name = name
    this.#nodes = nodes
    this.#clients = clients
  }

  static async open(fleet: Fleet, name: string, nodes: Nodes): Promise<TransferCase> {
    const { victim, survivor, onVictim } = nodes
    const add = async (role: Role) => {
      const node = onVictim.includes(role) ? victim : survivor
      const client = await TestClient.create(fleet, { user: `${name}${role}`, device: 'phone', node })
      await client.openStream()
      client.useNode(survivor)
      return client
    }
    const [alice, bob, carol, dave] = await Promise.all([add('alice'), add('bob'), add('carol'), add('dave')])
    return new TransferCase(name, nodes, { alice, bob, carol, dave })
  }

  client(role: Role): TestClient {
    return this.#clients[role]
  }

  user(role: Role): string {
    return this.#clients[role].user
  }

  callId(name = 'call'): string {
    return `${this.name}${name}`
  }

  async post(role: Role, action: string, body?: object): Promise<void> {
    await this.#clients[role].post(`calls/${this.callId()}/${action}`, body)
  }

  /** The node that dies serves it. Null: there was no reply. */
  async postToVictim(role: Role, request: { method: 'POST' | 'DELETE'; path: string; body: object | undefined }) {
    const client = this.#clients[role]
    client.useNode(this.#nodes.victim)
    const sent = client.request(request.method, `calls/${request.path}`, request.body)
    client.useNode(this.#nodes.survivor)
    return sent.catch((): Reply | null => null)
  }

  /** After the node has died. */
  async resume(): Promise<void> {
    for (const role of this.#nodes.onVictim) await this.#clients[role].openStream()
  }

  /** Events before it may be of any type: a transfer that was begun anew is announced anew. */
  receive(role: Role, type: string, callId = this.callId()): Promise<void> {
    const received = this.#receive(role, type, callId)
    this.#awaited.add(received)
    return received
  }

  async #receive(role: Role, type: string, callId: string): Promise<void> {
    for (;;) {
      const event = await this.#clients[role].expectAny(WITHIN_MS)
      this.#events.set(role, [...(this.#events.get(role) ?? []), event])
      if (event.type === type && event.data.callId === callId) return
    }
  }

  /** Resolves when all events have arrived that are waited for. */
  async received(): Promise<void> {
    await Promise.all(this.#awaited)
  }

  /** Why the call has ended for the user, each time. */
  async ends(role: Role): Promise<unknown[]> {
    const events = [...(this.#events.get(role) ?? []), ...(await this.#clients[role].poll({ limit: 500 }))]
    return events.flatMap(({ type, data }) =>
      type === 'call.ended' && data.callId === this.callId() ? [data.reason] : []
    )
  }

  async connect(from: Role, to: Role, more: { callId?: string; consultationOf?: string } = {}): Promise<void> {
    const { callId = this.callId() } = more
    await this.#clients[from].post('calls', { ...more, callId, to: this.user(to) })
    await this.receive(to, 'call.incoming', callId)
    await this.#clients[to].post(`calls/${callId}/accept`)
    await this.#clients[from].post(`calls/${callId}/connected`)
    await this.receive(to, 'call.connected', callId)
  }

  async transfer(by: Role, to: Role, more: { ringTimeoutMs?: number }): Promise<void> {
    await this.post(by, 'transfer', { ...more, to: this.user(to) })
    await this.receive(to, 'call.incoming')
  }

  /** Each of them has another call, one after the other. */
  async checkFree(t: Test): Promise<void> {
    const pairs = [
      ['alice', 'bob'],
      ['carol', 'dave'],
      ['bob', 'carol']
    ] as const
    for (const [from, to] of pairs) {
      let tries = 0
      const request = () =>
        this.client(from).request('POST', 'calls', { callId: this.callId(`${from}${++tries}`), to: this.user(to) })
      await untilTaken(`${this.user(from)} calls ${to}`, request)
      const path = `calls/${this.callId(`${from}${tries}`)}`
      await this.client(to).post(`${path}/accept`)
      await this.client(from).post(`${path}/hangup`)
    }
    for (const role of ROLES) t.same(await this.client(role).activeCalls(), [])
  }
}
