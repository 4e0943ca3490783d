// A client with one device and a real peer connection, which acts only on events of the server.
import { EventEmitter, once } from 'node:events'
import type { Candidate } from '../../src/schemas/signal.js'
import { Client, type ClientEvent, type Transport } from '../helpers/client.js'
import { tokenOf } from '../helpers/servers.js'
import { Link } from './link.js'

const WITHIN_MS = 15_000

type Call = { readonly callId: string; readonly offerer: 'caller' | 'callee' }

interface EventData {
  readonly callId: string
  readonly sdp: string
  readonly candidates: readonly Candidate[]
  readonly call: Call
}

export interface Place {
  readonly url: string
  readonly transport: Transport
}

export class Peer extends EventEmitter {
  readonly #client: Client
  /** Of each call the current one. */
  readonly #links = new Map<string, Link>()
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
  }

  /** Of the call that began last. */
  get link(): Link {
    return this.linkOf(this.#callId)
  }

  linkOf(callId: string): Link {
    return this.#links.get(callId) ?? this.#newLink(callId)
  }

  #newLink(callId: string): Link {
    const post = (action: string, body = {}) => this.#client.post(`/calls/${callId}/${action}`, body)
    const onError = (error: unknown) => this.#fail(error)
    const link = new Link({ post, onError })
    link.once('open', () => post('connected').catch(onError))
    this.#links.set(callId, link)
    return link
  }

  async call(to: string, more: { readonly consultationOf?: string } = {}): Promise<string> {
    const { call } = await this.#client.post<{ call: Call }>('/calls', { ...more, to, media: 'data' })
    this.#callId = call.callId
    return call.callId
  }

  transfer(callId: string, body: { readonly to: string } | { readonly toCall: string }): Promise<unknown> {
    return this.#client.post(`/calls/${callId}/transfer`, body)
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
    for (const link of this.#links.values()) link.close()
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
    const { callId, sdp, candidates, call } = data as unknown as EventData
    const link = this.linkOf(callId)
    if (type === 'call.incoming') await this.#accept(callId)
    else if (type === 'call.accepted') await link.begin()
    else if (type === 'call.transferred') await this.#beginAnew(call)
    else if (type === 'call.ended') link.close()
    else if (type === 'signal.offer') await link.takeOffer(sdp)
    else if (type === 'signal.answer') await link.takeAnswer(sdp)
    else if (type === 'signal.candidates') await link.takeCandidates(candidates)
  }

  /** The target of a transfer may have to make the offer. */
  async #accept(callId: string): Promise<void> {
    this.#callId = callId
    const { call } = await this.#client.post<{ call: Call }>(`/calls/${callId}/accept`)
    if (call.offerer === 'callee') await this.linkOf(callId).begin()
  }

  /** With the target of a transfer, over another connection. */
  async #beginAnew({ callId, offerer }: Call): Promise<void> {
    this.linkOf(callId).close()
    const link = this.#newLink(callId)
    if (offerer === 'caller') await link.begin()
  }

  /** Rejects the promise that waits for an event; without one, the error ends the process. */
  #fail(error: unknown): void {
    if (!this.#hasLeft) this.emit('error', error)
  }
}
