// Flows of webhooks: events that are queued as a commit queues them, by a node that dies right after it, so that the timers find them.
import assert from 'node:assert/strict'
import t from 'tap'
import type { Scenario } from './scenario.js'
import type { Environment } from './test-cluster.js'
import { until } from './until.js'
import { secretOf, WebhookReceiver } from './webhook-receiver.js'

export const OPERATOR = 'the-secret-of-operators-is-32-bytes-long'

/** A receiver, and the settings of nodes that send to it. It is closed after the test file. */
export async function openReceiver(env: Environment = {}): Promise<{ receiver: WebhookReceiver; env: Environment }> {
  const receiver = await WebhookReceiver.open(secretOf(1))
  t.teardown(() => receiver.close())
  return {
    receiver,
    env: {
      WEBHOOK_URLS: receiver.url,
      WEBHOOK_SECRETS: secretOf(1),
      WEBHOOK_ALLOW_PRIVATE: 'true',
      ADMIN_PORT: '0',
      ADMIN_SECRET: OPERATOR,
      ...env
    }
  }
}

/** The events of one call, and what a receiver has of them. */
export class CallEvents {
  readonly scenario: Scenario
  readonly receiver: WebhookReceiver
  readonly name: string
  readonly destination: string
  #version = 0

  constructor(scenario: Scenario, receiver: WebhookReceiver, name = 'c1') {
    this.scenario = scenario
    this.receiver = receiver
    this.name = name
    receiver.now = () => scenario.now()
    this.destination = scenario.config.webhookUrls.find(({ url }) => url === receiver.url)?.id ?? ''
  }

  get ref() {
    return { destination: this.destination, source: { kind: 'call' as const, id: this.scenario.toWire(this.name) } }
  }

  async queue(count: number): Promise<void> {
    for (let n = 0; n < count; n++) {
      const data = { callId: this.ref.source.id, n: ++this.#version }
      const envelope = JSON.stringify({
        type: 'call.message',
        timestamp: new Date(this.scenario.now()).toISOString(),
        data
      })
      const event = { type: 'call.message', envelope, expiresAt: null, version: this.#version, tag: 'tag', index: 0 }
      assert.ok(await this.scenario.store.webhookQueues.append(this.ref, event, this.scenario.now()))
    }
  }

  /** The numbers of the events that arrived, each once, in their order. */
  get arrived(): number[] {
    return this.#numbers(this.receiver.events)
  }

  /** The same with every attempt. */
  get attempts(): number[] {
    return this.#numbers(this.receiver.attempts)
  }

  #numbers(list: WebhookReceiver['events']): number[] {
    return list.filter(({ event }) => event.data.callId === this.ref.source.id).map(({ event }) => Number(event.data.n))
  }

  /** Moves the clock until `count` events have arrived. */
  async passUntil(count: number): Promise<number[]> {
    await until(`${count} events have arrived`, async () => {
      await this.scenario.advance(500)
      return this.arrived.length >= count
    })
    return this.arrived
  }
}

/** A request to the admin API of a node. */
export async function admin(
  scenario: Scenario,
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  node = 0
): Promise<{ status: number; body: ReturnType<typeof JSON.parse> }> {
  const reply = await scenario.cluster
    .adminOf(node)
    .inject({ method, url: `/v1/admin/webhooks${path}`, headers: { authorization: `Bearer ${OPERATOR}` } })
  return { status: reply.statusCode, body: reply.body === '' ? null : reply.json() }
}
