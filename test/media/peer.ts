// A person with one device and a real peer connection, who knows nothing but what the server says. Descriptions go out as they
// were made, without any candidate in them: whatever connects has been trickled.
import { EventEmitter, once } from 'node:events'
import type { Candidate } from '../../src/schemas/signal.js'
import { Client, type HeardEvent, type Transport } from '../helpers/client.js'
import { tokenOf } from '../helpers/servers.js'
import {
  type CandidateEvent,
  type DataChannel,
  type Description,
  type PeerConnection,
  RTCPeerConnection
} from '../helpers/webrtc.js'

const WITHIN_MS = 15_000

export interface Place {
  readonly url: string
  readonly transport: Transport
}

export class Peer extends EventEmitter {
  readonly #client: Client
  readonly #connection: PeerConnection = new RTCPeerConnection({})
  readonly #heard: HeardEvent[] = []
  readonly #told: string[] = []
  #channel: DataChannel | null = null
  #callId = ''
  #hasLeft = false

  /** Resolves when the device listens. */
  static async join(user: string, { url, transport }: Place): Promise<Peer> {
    const peer = new Peer(new Client(url, { token: await tokenOf(user), device: 'phone' }))
    void peer.#listen(transport)
    await peer.hears('hello')
    return peer
  }

  private constructor(client: Client) {
    super()
    this.#client = client
    this.#connection.addEventListener('icecandidate', event => {
      const { candidate } = event as Event & CandidateEvent
      this.#post('candidates', candidate ? { candidates: [candidate.toJSON()] } : { candidates: [], end: true })
    })
    this.#connection.addEventListener('datachannel', event => {
      this.#talkOver((event as Event & { channel: DataChannel }).channel)
    })
  }

  async call(to: string): Promise<void> {
    const { call } = await this.#client.post<{ call: { callId: string } }>('/calls', { to, media: 'data' })
    this.#callId = call.callId
  }

  /** New ICE credentials, and with them new candidates and a new path. */
  restart(): Promise<void> {
    return this.#offer({ iceRestart: true })
  }

  hangUp(): Promise<unknown> {
    return this.#client.post(`/calls/${this.#callId}/hangup`)
  }

  say(text: string): void {
    if (this.#channel === null) throw new Error('there is nothing to talk over')
    this.#channel.send(text)
  }

  /** Resolves when the other one has said it. */
  isTold(text: string): Promise<string> {
    return this.#wait(`to be told ${text}`, () => this.#told.find(told => told === text))
  }

  /** The first event of this type, also if it has come before. */
  hears(type: string): Promise<HeardEvent> {
    return this.#wait(type, () => this.#heard.find(event => event.type === type))
  }

  hasHeard(type: string): boolean {
    return this.#heard.some(event => event.type === type)
  }

  /** Which pair of candidates carries the data now. */
  async path(): Promise<string> {
    for (const stats of (await this.#connection.getStats()).values()) {
      if (stats.type === 'transport') return String(stats.selectedCandidatePairId)
    }
    return 'none'
  }

  leave(): void {
    this.#hasLeft = true
    this.#client.leave()
    this.#connection.close()
  }

  async #listen(transport: Transport): Promise<void> {
    try {
      for await (const event of this.#client.hear(transport)) {
        await this.#react(event)
        this.#heard.push(event)
        this.emit('news')
      }
    } catch (error) {
      this.#fail(error)
    }
  }

  async #react({ type, data }: HeardEvent): Promise<void> {
    const { callId, sdp, candidates } = data as { callId: string; sdp: string; candidates: readonly Candidate[] }
    if (type === 'call.incoming') await this.#accept(callId)
    else if (type === 'call.accepted') await this.#begin()
    else if (type === 'signal.offer') await this.#answer({ type: 'offer', sdp })
    else if (type === 'signal.answer') await this.#connection.setRemoteDescription({ type: 'answer', sdp })
    else if (type === 'signal.candidates') {
      // Refused as long as there is no remote description: order is what the server promises.
      for (const candidate of candidates) await this.#connection.addIceCandidate(candidate)
    }
  }

  async #accept(callId: string): Promise<void> {
    this.#callId = callId
    await this.#client.post(`/calls/${callId}/accept`)
  }

  async #begin(): Promise<void> {
    this.#talkOver(this.#connection.createDataChannel('talk'))
    await this.#offer()
  }

  async #offer(options?: { iceRestart: boolean }): Promise<void> {
    const offer = await this.#connection.createOffer(options)
    const posted = this.#client.post(`/calls/${this.#callId}/offer`, { sdp: offer.sdp })
    // Does not wait for the reply: candidates may overtake their description, and the server puts that right.
    await Promise.all([posted, this.#connection.setLocalDescription(offer)])
  }

  async #answer(offer: Description): Promise<void> {
    await this.#connection.setRemoteDescription(offer)
    const answer = await this.#connection.createAnswer()
    const posted = this.#client.post(`/calls/${this.#callId}/answer`, { sdp: answer.sdp })
    await Promise.all([posted, this.#connection.setLocalDescription(answer)])
  }

  #talkOver(channel: DataChannel): void {
    this.#channel = channel
    channel.addEventListener('message', event => {
      this.#told.push((event as Event & { data: string }).data)
      this.emit('news')
    })
    channel.addEventListener('open', () => this.#post('connected', {}))
  }

  #post(action: string, body: object): void {
    this.#client.post(`/calls/${this.#callId}/${action}`, body).catch(error => this.#fail(error))
  }

  /** Whoever waits is told; if nobody does, the process is. */
  #fail(error: unknown): void {
    if (!this.#hasLeft) this.emit('error', error)
  }

  async #wait<T>(what: string, find: () => T | undefined): Promise<T> {
    const signal = AbortSignal.timeout(WITHIN_MS)
    for (;;) {
      const found = find()
      if (found !== undefined) return found
      await once(this, 'news', { signal }).catch(cause => {
        throw new Error(`waited for ${what}`, { cause })
      })
    }
  }
}
