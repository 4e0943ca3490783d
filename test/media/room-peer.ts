// A participant of a room with a real peer connection to each other one; the later participant offers. It acts only on events of the
// server, and resumes after its last event.
import { EventEmitter } from 'node:events'
import type { Candidate } from '../../src/schemas/signal.js'
import { Client, type ClientEvent, type Transport } from '../helpers/client.js'
import { until } from '../helpers/until.js'
import { Link } from './link.js'

interface Place {
  readonly url: string
  readonly token: string
  readonly transport: Transport
}

interface ParticipantRef {
  readonly participantId: string
  readonly user: string
}

interface Joined {
  readonly participantId: string
  readonly participants: readonly ParticipantRef[]
  readonly cursor: string
}

const ROOM = '/rooms/standup'

export class RoomPeer extends EventEmitter {
  readonly user: string
  readonly received: ClientEvent[] = []
  readonly #place: Place
  /** By participant. */
  readonly #links = new Map<string, Link>()
  readonly #names = new Map<string, string>()
  #listener: Client | null = null
  #cursor = ''

  constructor(user: string, place: Place) {
    super()
    this.user = user
    this.#place = place
  }

  /** Joins, receives events, and offers to all who are in the room. */
  async join(): Promise<void> {
    const reply = await this.#post<Joined>('/participants', {})
    this.#cursor = reply.cursor
    const others = reply.participants.filter(({ participantId }) => participantId !== reply.participantId)
    for (const { user, participantId } of others) this.#names.set(user, participantId)
    this.listen()
    await Promise.all(others.map(({ participantId }) => this.#linkTo(participantId).begin()))
  }

  listen(): void {
    const { url, token, transport } = this.#place
    const client = new Client(url, { token, device: 'phone' })
    this.#listener = client
    void this.#readEvents(client, client.events(transport, this.#cursor))
  }

  /** Closes the stream or poll, as a broken network does. The peer connections stay open. */
  disconnect(): void {
    this.#listener?.close()
    this.#listener = null
  }

  close(): void {
    this.disconnect()
    for (const link of this.#links.values()) link.close()
  }

  /** The peer connection to this user. */
  async linkTo(user: string): Promise<Link> {
    await until(`${this.user} knows ${user}`, () => this.#names.has(user))
    return this.#linkTo(String(this.#names.get(user)))
  }

  /** Number of received events of this type whose data has these values. */
  count(type: string, about: Readonly<Record<string, unknown>> = {}): number {
    const matches = ({ participant, ...rest }: Record<string, unknown>) => {
      const data = { ...rest, ...(participant as object | undefined) } as Record<string, unknown>
      return Object.entries(about).every(([name, value]) => data[name] === value)
    }
    return this.received.filter(event => event.type === type && matches(event.data)).length
  }

  #linkTo(to: string): Link {
    const known = this.#links.get(to)
    if (known) return known
    const post = (action: string, body: object) => this.#post(`/${action}`, { to, ...body })
    const link = new Link({ post, onError: error => this.emit('error', error) })
    this.#links.set(to, link)
    return link
  }

  async #readEvents(client: Client, events: AsyncGenerator<ClientEvent>): Promise<void> {
    try {
      for await (const event of events) {
        if (/^(room|signal)\./.test(event.type)) await this.#handle(event)
      }
    } catch (error) {
      if (this.#listener === client) this.emit('error', error)
    }
  }

  async #handle(event: ClientEvent): Promise<void> {
    const { type, data } = event
    this.#cursor = String(event.id)
    this.received.push(event)
    const { participant, from, sdp, candidates } = data as {
      participant: ParticipantRef
      from: ParticipantRef
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
