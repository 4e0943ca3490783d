// The media of a room through a media service: this participant sends each track once, and receives those of the others. Sessions come and
// go: when a media service fails, the room gets another one, and all build their transports, producers and consumers anew in it.
import type { Producer } from './api.js'
import type { Flow, FlowHost, Publication, RoomEventData, Source } from './publication.js'
import { SfuSession } from './sfu-session.js'

/** What the reply to joining says of the session. */
export interface SfuState {
  readonly sessionId?: string | null
  readonly available?: boolean
  readonly producers?: readonly Producer[] | undefined
}

type Handlers = Readonly<Record<string, (data: RoomEventData) => void>>

export class Sfu implements Flow {
  readonly #room: FlowHost
  /** What the others send. The producers are of the session with this id. */
  readonly #producers = new Map<string, Producer>()
  #sessionId: string | null
  /** The widths of the elements that show the pictures. */
  readonly #widths = new Map<string, number>()
  #session: SfuSession | null = null

  constructor(room: FlowHost, { sessionId = null, available = true, producers = [] }: SfuState) {
    this.#room = room
    this.#sessionId = sessionId
    for (const producer of producers) if (!this.#isOwn(producer)) this.#remember(producer)
    if (available) this.#open()
  }

  sync(publication: Publication): Promise<void> {
    return this.#do(session => session.sync(publication))
  }

  // ── What the others send ────────────────────────────────────────────────────────────────────────────────────────────

  receive(type: string, data: RoomEventData): void {
    this.#handlers[type]?.(data)
  }

  readonly #handlers: Handlers = {
    'sfu.producer_added': ({ producer }) => {
      // The reply to our join may have contained it already.
      if (!producer || this.#producers.has(keyOf(producer))) return
      this.#remember(producer)
      this.#do(session => this.#consume(session, producer))
    },
    'sfu.producer_closed': data => (this.#isOwn(data) ? this.#moderate('closed', data) : this.#drop(keyOf(data))),
    'sfu.producer_paused': data => this.#isOwn(data) && this.#moderate('paused', data),
    'sfu.consumer_closed': ({ consumerId }) => this.#session?.closeConsumer(consumerId),
    // The session goes on; only our connection to it was lost.
    'sfu.transport_closed': ({ transportId }) => this.#session?.hasTransport(transportId) && this.#open(),
    'sfu.reset': data => this.#move(data),
    'sfu.available': data => this.#move(data),
    'sfu.unavailable': () => {
      this.#forget()
      this.#end()
    }
  }

  #isOwn({ participantId }: RoomEventData): boolean {
    return participantId === this.#room.participantId
  }

  async #moderate(what: 'paused' | 'closed', { producerId, by }: RoomEventData): Promise<void> {
    const publication = await this.#session?.publicationOf(producerId)
    if (!publication || !by) return
    // It stays away in the next session, too.
    if (what === 'closed') void publication.close()
    else void publication.pause()
    this.#room.onModerated({ publication, what, by })
  }

  #remember(producer: Producer): void {
    this.#producers.set(keyOf(producer), producer)
  }

  async #consume(session: SfuSession, producer: Producer): Promise<void> {
    const { participantId, producerId, source } = producer
    const track = await session.receive(producer, this.#widths.get(`${participantId} ${source}`) ?? 0)
    // It was closed meanwhile.
    if (!this.#producers.has(keyOf(producer))) return session.stopReceiving(producer)
    if (session === this.#session) this.#room.onTrack(participantId, { source, track, producerId })
  }

  #drop(key: string): void {
    const producer = this.#producers.get(key)
    if (!producer) return
    this.#producers.delete(key)
    this.#session?.stopReceiving(producer)
    this.#room.onTrackEnded(producer.participantId, producer.source, producer.kind)
  }

  /** The participant has left: its producers are closed. */
  remove(participantId: string): void {
    for (const [key, producer] of this.#producers) if (producer.participantId === participantId) this.#drop(key)
  }

  resize(participantId: string, source: Source, width: number): void {
    this.#widths.set(`${participantId} ${source}`, width)
    for (const producer of this.#producers.values()) {
      if (producer.participantId !== participantId || producer.source !== source) continue
      this.#do(session => session.resize(producer, width))
    }
  }

  // ── Sessions ────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The room is on another session, whose producers are announced one by one. */
  #move({ sessionId }: RoomEventData): void {
    if (!sessionId || sessionId === this.#sessionId) return
    this.#sessionId = sessionId
    this.#forget()
    // We may be in it already: a request of ours was answered by it before this event arrived.
    if (this.#session?.id === sessionId) return
    this.#end()
    this.#open()
  }

  /** Cameras keep their last picture until the next session. A screen may be gone by then. */
  #forget(): void {
    for (const { participantId, source, kind } of this.#producers.values()) {
      if (source === 'screen') this.#room.onTrackEnded(participantId, source, kind)
    }
    this.#producers.clear()
  }

  #open(): void {
    this.#end({ tellsService: true })
    const session = new SfuSession(this.#room)
    this.#session = session
    this.#run(session, async () => {
      await session.open()
      if (session !== this.#session) return session.close({ tellsService: true })
      // Each for itself: one that fails stops no other.
      for (const publication of this.#room.publications) this.sync(publication)
      for (const producer of this.#producers.values()) this.#do(() => this.#consume(session, producer))
    })
  }

  #end(options?: { tellsService: boolean }): void {
    this.#session?.close(options)
    this.#session = null
  }

  /** If no session is open yet, the step is part of its opening. */
  async #do(step: (session: SfuSession) => Promise<void>): Promise<void> {
    const session = this.#session
    if (session?.isOpen) await this.#run(session, () => step(session))
  }

  async #run(session: SfuSession, step: () => Promise<void>): Promise<void> {
    try {
      await step()
    } catch (error) {
      if (session === this.#session) this.#room.onMediaError(error)
    }
  }

  /** We have left, or the mode has changed: the server closes what we have. */
  close(): void {
    this.#end()
  }
}

const keyOf = ({ participantId, producerId }: RoomEventData) => `${participantId} ${producerId}`
