// A participant of a room with a real peer connection to every other: whoever comes later offers. It knows nothing but what the
// server says, and goes on listening where it stopped.
import { EventEmitter } from 'node:events'
import type { Candidate } from '../../src/schemas/signal.js'
import { Client, type HeardEvent, type Transport } from '../helpers/client.js'
import { until } from '../helpers/until.js'
import { Link } from './link.js'

interface Place {
  readonly url: string
  readonly token: string
  readonly transport: Transport
}

interface Seat {
  readonly participantId: string
  readonly user: string
}

interface Joined {
  readonly participantId: string
  readonly participants: readonly Seat[]
  readonly cursor: string
}

const ROOM = '/rooms/standup'

export class RoomPeer extends EventEmitter {
  readonly user: string
  readonly heard: HeardEvent[] = []
  readonly #place: Place
  /** By participant. */
  readonly #links = new Map<string, Link>()
  readonly #names = new Map<string, string>()
  #ear: Client | null = null
  #cursor = ''

  constructor(user: string, place: Place) {
    super()
    this.user = user
    this.#place = place
  }

  /** Listens, and offers to all who are there. */
  async join(): Promise<void> {
    const reply = await this.#post<Joined>('/participants', {})
    this.#cursor = reply.cursor
    const others = reply.participants.filter(({ participantId }) => participantId !== reply.participantId)
    for (const seat of others) this.#names.set(seat.user, seat.participantId)
    this.listens()
    await Promise.all(others.map(({ participantId }) => this.#linkTo(participantId).begin()))
  }

  listens(): void {
    const { url, token, transport } = this.#place
    const ear = new Client(url, { token, device: 'phone' })
    this.#ear = ear
    void this.#listen(ear, ear.hear(transport, this.#cursor))
  }

  /** As when the network goes; what flows between the peers is not its business. */
  drops(): void {
    this.#ear?.leave()
    this.#ear = null
  }

  close(): void {
    this.drops()
    for (const link of this.#links.values()) link.close()
  }

  /** The connection to this client. */
  async linkTo(user: string): Promise<Link> {
    await until(`${this.user} knows ${user}`, () => this.#names.has(user))
    return this.#linkTo(String(this.#names.get(user)))
  }

  /** How often it has heard this. */
  count(type: string, about: Readonly<Record<string, unknown>> = {}): number {
    const matches = ({ participant, ...rest }: Record<string, unknown>) => {
      const data = { ...rest, ...(participant as object | undefined) } as Record<string, unknown>
      return Object.entries(about).every(([name, value]) => data[name] === value)
    }
    return this.heard.filter(event => event.type === type && matches(event.data)).length
  }

  #linkTo(to: string): Link {
    const known = this.#links.get(to)
    if (known) return known
    const post = (action: string, body: object) => this.#post(`/${action}`, { to, ...body })
    const link = new Link({ post, onError: error => this.emit('error', error) })
    this.#links.set(to, link)
    return link
  }

  async #listen(ear: Client, events: AsyncGenerator<HeardEvent>): Promise<void> {
    try {
      for await (const event of events) {
        if (/^(room|signal)\./.test(event.type)) await this.#take(event)
      }
    } catch (error) {
      if (this.#ear === ear) this.emit('error', error)
    }
  }

  async #take(event: HeardEvent): Promise<void> {
    const { type, data } = event
    this.#cursor = String(event.id)
    this.heard.push(event)
    const { participant, from, sdp, candidates } = data as {
      participant: Seat
      from: Seat
      sdp: string
      candidates: readonly Candidate[]
    }
    if (type === 'room.participant_joined') this.#names.set(participant.user, participant.participantId)
    else if (type === 'signal.offer') await this.#linkTo(from.participantId).takeOffer(sdp)
    else if (type === 'signal.answer') await this.#linkTo(from.participantId).takeAnswer(sdp)
    else if (type === 'signal.candidates') await this.#linkTo(from.participantId).takeCandidates(candidates)
  }

  #post<Reply>(path: string, body: object): Promise<Reply> {
    const { url, token } = this.#place
    return new Client(url, { token, device: 'phone' }).post<Reply>(`${ROOM}${path}`, body)
  }
}
