// A real peer connection to one other, with a channel to talk over. It knows nothing but what it is given: descriptions go out as
// they were made, without any candidate in them, so whatever connects has been trickled.
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
  readonly #told: string[] = []
  /** Which generation a candidate belongs to, by its address and port: ours and theirs. */
  readonly #ufrags = new Map<string, string>()
  #channel: DataChannel | null = null

  constructor({ post, onError }: LinkOptions) {
    super()
    this.#post = post
    this.#connection.addEventListener('icecandidate', event => {
      const candidate = (event as Event & CandidateEvent).candidate?.toJSON()
      if (candidate) this.#note(candidate)
      const body = candidate ? { candidates: [candidate] } : { candidates: [], end: true }
      post('candidates', body).catch(error => {
        // One that was on its way when a restart overtook it: nobody misses it.
        if ((error as Partial<Problem>).code !== 'stale_candidate') onError(error)
      })
    })
    this.#connection.addEventListener('datachannel', event => {
      this.#talkOver((event as Event & { channel: DataChannel }).channel)
    })
  }

  /** The first offer, with a channel in it. */
  begin(): Promise<void> {
    this.#talkOver(this.#connection.createDataChannel('talk'))
    return this.#offer()
  }

  /** New ICE credentials, and with them new candidates and new paths. */
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

  /** Refused as long as there is no remote description: order is what the server promises. */
  async takeCandidates(candidates: readonly Candidate[]): Promise<void> {
    for (const candidate of candidates) {
      this.#note(candidate)
      await this.#connection.addIceCandidate(candidate)
    }
  }

  say(text: string): void {
    if (this.#channel === null) throw new Error('there is nothing to talk over')
    this.#channel.send(text)
  }

  /** Resolves when the other one has said it. */
  isTold(text: string): Promise<unknown> {
    return this.#wait(`to be told ${text}`, () => this.#told.includes(text))
  }

  isOpen(): Promise<unknown> {
    return this.#wait('the channel to open', () => this.#channel?.readyState === 'open')
  }

  /** The ICE generations that were negotiated last: ours and theirs. */
  generation(): string {
    const { localDescription, remoteDescription } = this.#connection
    return `${ufragIn(localDescription)} ${ufragIn(remoteDescription)}`
  }

  /**
   * Between candidates of which generations a check has succeeded; that takes the credentials of both. Which of these paths the
   * data takes is ICE's business: after a restart it may stay, for good, with a pair that has an older candidate at one end.
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

  async #offer(options?: { iceRestart: boolean }): Promise<void> {
    await this.#describe('offer', await this.#connection.createOffer(options))
  }

  /** Does not wait for the reply: candidates may overtake their description, and the server puts that right. */
  async #describe(action: 'offer' | 'answer', description: Description): Promise<void> {
    const posted = this.#post(action, { sdp: description.sdp })
    await Promise.all([posted, this.#connection.setLocalDescription(description)])
  }

  #talkOver(channel: DataChannel): void {
    this.#channel = channel
    channel.addEventListener('message', event => {
      this.#told.push((event as Event & { data: string }).data)
      this.emit('news')
    })
    channel.addEventListener('open', () => {
      this.emit('open')
      this.emit('news')
    })
  }

  /** RFC 8839, section 5.1: address and port are the fifth and sixth field. */
  #note({ candidate, usernameFragment }: Candidate): void {
    const [, , , , address, port] = candidate.split(' ')
    this.#ufrags.set(`${address} ${port}`, String(usernameFragment))
  }

  async #wait(what: string, holds: () => boolean): Promise<void> {
    const signal = AbortSignal.timeout(WITHIN_MS)
    while (!holds()) {
      await once(this, 'news', { signal }).catch(cause => {
        throw new Error(`waited for ${what}`, { cause })
      })
    }
  }
}

const ufragIn = (description: Description | null) => /a=ice-ufrag:(\S+)/.exec(description?.sdp ?? '')?.[1]

/** Each hears the other. */
export async function exchange(one: Link, other: Link, word: string): Promise<void> {
  one.say(`${word} to the other`)
  await other.isTold(`${word} to the other`)
  other.say(`${word} to the one`)
  await one.isTold(`${word} to the one`)
}

export interface Talk {
  rounds(): number
  stop(): Promise<void>
}

/** One exchange after the other: anything that is lost stops it, and then `stop` rejects. */
export function startTalk(one: Link, other: Link, name = 'round'): Talk {
  let rounds = 0
  let goesOn = true
  const talk = async () => {
    while (goesOn) await exchange(one, other, `${name} ${++rounds}`)
  }
  const talking = talk()
  // Whoever stops it hears of it; a test that fails before that has its own reason.
  talking.catch(() => undefined)
  return {
    rounds: () => rounds,
    async stop() {
      goesOn = false
      await talking
    }
  }
}
