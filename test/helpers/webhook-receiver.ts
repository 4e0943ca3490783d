// The webhook receiver of examples/services, which a test can stop, restart and make misbehave. It keeps its events, as a database would.
import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface WebhookEnvelope {
  readonly type: string
  readonly timestamp: string
  readonly data: Readonly<Record<string, unknown>>
}

export interface Behaviour {
  readonly status?: number
  readonly retryAfter?: string
  readonly closes?: boolean
  readonly location?: string
  readonly bytes?: number
}

export interface Attempt {
  readonly id: string
  readonly event: WebhookEnvelope
}

type Behave = (event: WebhookEnvelope, id: string) => Behaviour | Promise<Behaviour>

interface ReceiverOptions {
  readonly secrets: readonly string[]
  readonly behaviour: Behave
  readonly onEvent: (event: WebhookEnvelope, id: string) => void
  readonly now: () => number
}

interface ExampleServer extends Server {
  readonly counts: { readonly requests: number; readonly repeats: number; readonly refused: number }
}

const EXAMPLE = new URL('../../examples/services/webhook-receiver.mjs', import.meta.url).href

export const secretOf = (byte: number): string => `whsec_${Buffer.alloc(24, byte).toString('base64')}`

export class WebhookReceiver {
  /** Replaced by a test. */
  behaviour: Behave = () => ({})
  /** The time by which it judges timestamps: that of the nodes. */
  now: () => number = Date.now
  /** Every request with a right signature, in the order of arrival. */
  readonly attempts: Attempt[] = []
  /** The events that it took, in the order of arrival, each once. */
  readonly events: Attempt[] = []
  readonly #server: ExampleServer
  #isStopped = false
  #inFlight = 0
  mostInFlight = 0

  private constructor(create: (options: ReceiverOptions) => ExampleServer, secrets: readonly string[]) {
    this.#server = create({
      secrets,
      now: () => this.now(),
      onEvent: (event, id) => this.events.push({ id, event }),
      behaviour: (event, id) => this.#answer(event, id)
    })
    this.#server.on('connection', socket => {
      if (this.#isStopped) socket.destroy()
    })
  }

  static async open(...secrets: readonly string[]): Promise<WebhookReceiver> {
    const { createWebhookReceiver } = (await import(EXAMPLE)) as {
      createWebhookReceiver: (options: ReceiverOptions) => ExampleServer
    }
    const receiver = new WebhookReceiver(createWebhookReceiver, secrets)
    receiver.#server.listen(0, '127.0.0.1')
    await once(receiver.#server, 'listening')
    return receiver
  }

  async #answer(event: WebhookEnvelope, id: string): Promise<Behaviour> {
    this.attempts.push({ id, event })
    this.#inFlight++
    this.mostInFlight = Math.max(this.mostInFlight, this.#inFlight)
    try {
      return await this.behaviour(event, id)
    } finally {
      this.#inFlight--
    }
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hook`
  }

  get counts(): ExampleServer['counts'] {
    return this.#server.counts
  }

  restart(): void {
    this.#isStopped = false
  }

  /** Closes all connections and refuses new ones. The server goes on listening, so that no other process takes its port. */
  stop(): void {
    this.#isStopped = true
    this.#server.closeAllConnections()
  }

  async close(): Promise<void> {
    this.stop()
    this.#server.close()
    await once(this.#server, 'close')
  }
}
