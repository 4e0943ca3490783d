// A real peer connection to one other peer, with a data channel. Descriptions are sent without candidates, so a connection uses only
// candidates that were sent by themselves.
import { EventEmitter, once } from 'node:events'
import type { Candidate } from '../../src/schemas/signal.js'
import type { Problem } from '../helpers/client.js'
import {
  type CandidateEvent,
  type DataChannel,
  type Description,
  type PeerConnection,
  RTCPeerConnection
} from '../helpers/webrtc.js'

const WITHIN_MS = 15_000

/** Sends `offer`, `answer`, `candidates` to the other side. */
export type Post = (action: string, body: object) => Promise<unknown>

interface LinkOptions {
  readonly post: Post
  readonly onError: (error: unknown) => void
}

export class Link extends EventEmitter {
  readonly #connection: PeerConnection = new RTCPeerConnection({})
  readonly #post: Post
  readonly #received: string[] = []
  /** The ufrag of each candidate of both sides, by its address and port. */
  readonly #ufrags = new Map<string, string>()
  #channel: DataChannel | null = null

  constructor({ post, onError }: LinkOptions) {
    super()
    this.#post = post
    this.#connection.addEventListener('icecandidate', event => {
      const candidate = (event as Event & CandidateEvent).candidate?.toJSON()
      if (candidate) this.#recordUfrag(candidate)
      const body = candidate ? { candidates: [candidate] } : { candidates: [], end: true }
      post('candidates', body).catch(error => {
        // A candidate that a restart has overtaken is not needed.
        if ((error as Partial<Problem>).code !== 'stale_candidate') onError(error)
      })
    })
    this.#connection.addEventListener('datachannel', event => {
      this.#useChannel((event as Event & { channel: DataChannel }).channel)
    })
  }

  /** Sends the first offer, with a data channel. */
  begin(): Promise<void> {
    this.#useChannel(this.#connection.createDataChannel('data'))
    return this.#offer()
  }

  /** Restarts ICE: new credentials, candidates and paths. */
  restart(): Promise<void> {
    return this.#offer({ iceRestart: true })
  }

  async takeOffer(sdp: string): Promise<void> {
    await this.#connection.setRemoteDescription({ type: 'offer', sdp })
    await this.#describe('answer', await this.#connection.createAnswer())
  }

  takeAnswer(sdp: string): Promise<void> {
    return this.#connection.setRemoteDescription({ type: 'answer', sdp })
  }

  /** Rejects if there is no remote description: the server promises that it comes first. */
  async takeCandidates(candidates: readonly Candidate[]): Promise<void> {
    for (const candidate of candidates) {
      this.#recordUfrag(candidate)
      await this.#connection.addIceCandidate(candidate)
    }
  }

  send(text: string): void {
    if (this.#channel === null) throw new Error('there is no data channel')
    this.#channel.send(text)
  }

  /** Resolves when the other peer has sent this text. */
  receives(text: string): Promise<unknown> {
    return this.#wait(`receiving ${text}`, () => this.#received.includes(text))
  }

  isOpen(): Promise<unknown> {
    return this.#wait('an open channel', () => this.#channel?.readyState === 'open')
  }

  /** The ufrags of the current ICE generation: ours and theirs. */
  generation(): string {
    const { localDescription, remoteDescription } = this.#connection
    return `${ufragIn(localDescription)} ${ufragIn(remoteDescription)}`
  }

  /**
   * The pairs of ufrags between whose candidates a connectivity check has succeeded, which takes the credentials of both. ICE decides which
   * path the data takes: after a restart it may keep a pair that has an older candidate at one end.
   */
  async paths(): Promise<Set<string>> {
    const stats = await this.#connection.getStats()
    const ufragOf = (id: unknown) => {
      const { address, port } = stats.get(String(id)) ?? {}
      return this.#ufrags.get(`${address} ${port}`) ?? 'unknown'
    }
    const pairs = [...stats.values()].filter(({ type, state }) => type === 'candidate-pair' && state === 'succeeded')
    return new Set(pairs.map(each => `${ufragOf(each.localCandidateId)} ${ufragOf(each.remoteCandidateId)}`))
  }

  close(): void {
    this.#connection.close()
  }

  get isClosed(): boolean {
    return this.#connection.connectionState === 'closed'
  }

  async #offer(options?: { iceRestart: boolean }): Promise<void> {
    await this.#describe('offer', await this.#connection.createOffer(options))
  }

  /** Does not wait for the reply: candidates may overtake their description on the way to the server. */
  async #describe(action: 'offer' | 'answer', description: Description): Promise<void> {
    const posted = this.#post(action, { sdp: description.sdp })
    await Promise.all([posted, this.#connection.setLocalDescription(description)])
  }

  #useChannel(channel: DataChannel): void {
    this.#channel = channel
    channel.addEventListener('message', event => {
      this.#received.push((event as Event & { data: string }).data)
      this.emit('change')
    })
    channel.addEventListener('open', () => {
      this.emit('open')
      this.emit('change')
    })
  }

  /** RFC 8839, section 5.1: address and port are the fifth and sixth field. */
  #recordUfrag({ candidate, usernameFragment }: Candidate): void {
    const [, , , , address, port] = candidate.split(' ')
    this.#ufrags.set(`${address} ${port}`, String(usernameFragment))
  }

  async #wait(what: string, holds: () => boolean): Promise<void> {
    const signal = AbortSignal.timeout(WITHIN_MS)
    while (!holds()) {
      await once(this, 'change', { signal }).catch(cause => {
        throw new Error(`waited for ${what}`, { cause })
      })
    }
  }
}

const ufragIn = (description: Description | null) => /a=ice-ufrag:(\S+)/.exec(description?.sdp ?? '')?.[1]

/** Each peer receives a text of the other. */
export async function exchange(one: Link, other: Link, text: string): Promise<void> {
  one.send(`${text} to the other`)
  await other.receives(`${text} to the other`)
  other.send(`${text} to the one`)
  await one.receives(`${text} to the one`)
}

export interface Conversation {
  rounds(): number
  stop(): Promise<void>
}

/** One exchange after the other. If a text is lost, it ends and `stop` rejects. */
export function startConversation(one: Link, other: Link, name = 'round'): Conversation {
  let rounds = 0
  let isRunning = true
  const run = async () => {
    while (isRunning) await exchange(one, other, `${name} ${++rounds}`)
  }
  const running = run()
  // `stop` rejects with the error. A test that fails before it calls `stop` has an error of its own.
  running.catch(() => undefined)
  return {
    rounds: () => rounds,
    async stop() {
      isRunning = false
      await running
    }
  }
}
