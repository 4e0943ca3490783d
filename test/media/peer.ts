// A client with one device and a real peer connection, which acts only on events of the server.
import { EventEmitter, once } from 'node:events'
import type { Candidate } from '../../src/schemas/signal.js'
import { Client, type ClientEvent, type Transport } from '../helpers/client.js'
import { tokenOf } from '../helpers/servers.js'
import { Link } from './link.js'

const WITHIN_MS = 15_000

export interface Place {
  readonly url: string
  readonly transport: Transport
}

export class Peer extends EventEmitter {
  readonly link: Link
  readonly #client: Client
  readonly #received: ClientEvent[] = []
  #callId = ''
  #hasLeft = false

  /** Resolves when the stream or poll of the device is open. */
  static async join(user: string, { url, transport }: Place): Promise<Peer> {
    const peer = new Peer(new Client(url, { token: await tokenOf(user), device: 'phone' }))
    void peer.#listen(transport)
    await peer.receives('hello')
    return peer
  }

  private constructor(client: Client) {
    super()
    this.#client = client
    const post = (action: string, body = {}) => this.#client.post(`/calls/${this.#callId}/${action}`, body)
    const onError = (error: unknown) => this.#fail(error)
    this.link = new Link({ post, onError })
    this.link.once('open', () => post('connected').catch(onError))
  }

  async call(to: string): Promise<void> {
    const { call } = await this.#client.post<{ call: { callId: string } }>('/calls', { to, media: 'data' })
    this.#callId = call.callId
  }

  hangUp(): Promise<unknown> {
    return this.#client.post(`/calls/${this.#callId}/hangup`)
  }

  /** Resolves to the first event of this type, also if it was received before. */
  async receives(type: string): Promise<ClientEvent> {
    const signal = AbortSignal.timeout(WITHIN_MS)
    for (;;) {
      const found = this.#received.find(event => event.type === type)
      if (found) return found
      await once(this, 'change', { signal }).catch(cause => {
        throw new Error(`waited for ${type}`, { cause })
      })
    }
  }

  hasReceived(type: string): boolean {
    return this.#received.some(event => event.type === type)
  }

  leave(): void {
    this.#hasLeft = true
    this.#client.close()
    this.link.close()
  }

  async #listen(transport: Transport): Promise<void> {
    try {
      for await (const event of this.#client.events(transport)) {
        await this.#react(event)
        this.#received.push(event)
        this.emit('change')
      }
    } catch (error) {
      this.#fail(error)
    }
  }

  async #react({ type, data }: ClientEvent): Promise<void> {
    const { callId, sdp, candidates } = data as { callId: string; sdp: string; candidates: readonly Candidate[] }
    if (type === 'call.incoming') await this.#accept(callId)
    else if (type === 'call.accepted') await this.link.begin()
    else if (type === 'signal.offer') await this.link.takeOffer(sdp)
    else if (type === 'signal.answer') await this.link.takeAnswer(sdp)
    else if (type === 'signal.candidates') await this.link.takeCandidates(candidates)
  }

  async #accept(callId: string): Promise<void> {
    this.#callId = callId
    await this.#client.post(`/calls/${callId}/accept`)
  }

  /** Rejects the promise that waits for an event; without one, the error ends the process. */
  #fail(error: unknown): void {
    if (!this.#hasLeft) this.emit('error', error)
  }
}
