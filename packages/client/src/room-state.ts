// What the server says about a room: its settings and participants; and what is received in it.
import type { ActingDevice, ChatMessage, EventData, Participant, Room as RoomRecord } from './api.js'
import type { Client } from './call-requests.js'
import type { Method, SignalpostEvent } from './core.js'
import { Mesh } from './mesh.js'
import type { Flow, FlowHost, Mode, Moderation, Publication, Received, RoomEventData, Source } from './publication.js'
import type { SfuState } from './sfu.js'
import { isGone, Receiver } from './shared.js'
import { type RemoteTrack, Streams } from './streams.js'

/** `left`: by you. `failed`: it could not join again after it was lost; `error` has said why. */
export type LeaveReason = EventData['room.participant_left']['reason'] | EventData['room.closed']['reason'] | 'failed'

export interface RoomEvents {
  track: RemoteTrack
  track_ended: RemoteTrack
  participant_joined: Participant
  participant_left: { participant: Participant; reason: string; by: ActingDevice | null }
  participant_updated: Participant
  message: ChatMessage
  typing: EventData['chat.typing']
  updated: RoomRecord
  mute_requested: EventData['room.mute_requested']
  /** A moderator has paused or closed what you publish. */
  moderated: Moderation
  paused: EventData['sfu.producer_paused']
  resumed: EventData['sfu.producer_resumed']
  active_speaker: EventData['sfu.active_speaker']
  score: EventData['sfu.score']
  /** No media service is up: media stops until one is. */
  unavailable: Pick<EventData['sfu.unavailable'], 'roomId'>
  available: Pick<EventData['sfu.available'], 'roomId' | 'sessionId'>
  /** This device was lost, or events were missed: it has joined again, as another participant. */
  rejoined: object
  /** This device is no longer in the room. */
  closed: { reason: LeaveReason; by: ActingDevice | null }
  error: unknown
}

/** What a room needs of the client. */
export type RoomClient = Client & FlowHost['client']

interface Left {
  readonly participantId: string
  readonly reason: EventData['room.participant_left']['reason']
  readonly by?: ActingDevice | null
}

export abstract class RoomState extends Receiver<RoomEvents> {
  /** @internal */
  readonly client: RoomClient
  readonly id: string
  /** @internal */
  readonly rtc: RTCConfiguration | undefined
  participantId = ''
  /** All participants, including you. */
  readonly participants = new Map<string, Participant>()
  settings!: RoomRecord
  isClosed = false
  readonly publications = new Set<Publication>()
  /** @internal Null without RTCPeerConnection. */
  flow: Flow | null = null
  #isAvailable = true
  readonly #streams = new Streams(this)

  constructor(client: RoomClient, id: string, rtc?: RTCConfiguration) {
    super()
    this.client = client
    this.id = id
    this.rtc = rtc
  }

  get mode(): Mode {
    return this.settings.mode
  }
  get role(): Participant['role'] | undefined {
    return this.participants.get(this.participantId)?.role
  }

  protected override handleNow({ type, data }: SignalpostEvent): void {
    // It may not have joined, if that has failed.
    if (this.isClosed || !this.settings) return
    // Each mode ignores the events of the other one.
    if (/^(signal|sfu)/.test(type)) this.flow?.receive(type, data as RoomEventData)
    if (type === 'room.participant_joined' || type === 'room.participant_updated') this.set(data.participant)
    else if (type === 'room.participant_left') this.dropParticipant(data)
    else if (type === 'room.updated') this.applySettings({ ...this.settings, ...data.changes }, data.offerOrder)
    else if (type === 'room.closed') this.finishAs(data.reason, data.by)
    else {
      const name = type.replace(/^sfu\.producer_(?=paused|resumed)|^\w+\./, '') as keyof RoomEvents
      if (name === 'available' || name === 'unavailable') this.#isAvailable = name === 'available'
      this.emit(name, data as never)
    }
  }

  /** The reply to joining says what an event has said, or would have. */
  protected setAvailable({ available = true, sessionId }: SfuState): void {
    const type = available ? 'sfu.available' : 'sfu.unavailable'
    const event = { type, data: { roomId: this.id, sessionId } } as SignalpostEvent
    if (available !== this.#isAvailable) this.waitingEvents.unshift(event)
  }

  // ── Participants ────────────────────────────────────────────────────────────────────────────────────────────────────

  protected set(participant: Participant): void {
    const { participantId } = participant
    const isKnown = this.participants.has(participantId)
    this.participants.set(participantId, participant)
    if (!isKnown) this.flow?.add?.(participantId, { isFirst: false })
    this.emit(isKnown ? 'participant_updated' : 'participant_joined', participant)
  }

  protected dropParticipant({ participantId, reason, by = null }: Left): void {
    const participant = this.participants.get(participantId)
    if (!participant || this.isClosed) return
    if (participantId === this.participantId) {
      if (reason === 'lost') void this.rejoin()
      else this.finishAs(reason, by)
      return
    }
    this.participants.delete(participantId)
    this.flow?.remove(participantId)
    for (const ended of this.#streams.removeAll(participantId)) this.emit('track_ended', ended)
    this.emit('participant_left', { participant, reason, by })
  }

  /** @internal */
  abstract request<T>(method: Method, path: string, body?: object): Promise<T>

  /** @internal Joins again. */
  abstract rejoin(): Promise<void>

  /** @internal */
  finishAs(reason: LeaveReason, by: ActingDevice | null = null): void {
    if (this.isClosed) return
    this.isClosed = true
    this.endMedia()
    this.emit('closed', { reason, by })
  }

  // ── Media ───────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Creates a connection. Null before it has joined, and without RTCPeerConnection. */
  protected connect: (() => RTCPeerConnection) | null = null

  protected endMedia(): void {
    this.flow?.close()
    this.flow = null
  }

  /** `order`: participants in the order they joined. One that is not listed has joined at the same moment, and stands behind the others. */
  protected begin(order: readonly string[], state: SfuState = {}): void {
    this.endMedia()
    if (!this.connect) return
    if (this.mode === 'sfu') void this.during(() => this.#beginSfu(state))
    else this.#beginMesh(this.connect, order)
  }

  async #beginSfu(state: SfuState): Promise<void> {
    // Rooms in mode p2p need none of it.
    const { Sfu } = await import('./sfu.js')
    if (this.mode === 'sfu' && !this.isClosed && !this.flow) this.flow = new Sfu(this, state)
  }

  #beginMesh(connect: () => RTCPeerConnection, order: readonly string[]): void {
    const mesh = new Mesh(this, connect)
    this.flow = mesh
    // Each participant offers to those who joined before it.
    let isFirst = true
    for (const each of new Set([...order, ...this.participants.keys()])) {
      if (each === this.participantId) isFirst = false
      else if (this.participants.has(each)) mesh.add(each, { isFirst })
    }
  }

  protected applySettings(settings: RoomRecord, offerOrder: readonly string[] = []): void {
    const isSwitched = settings.mode !== this.mode
    this.settings = settings
    if (isSwitched) this.begin(offerOrder)
    this.emit('updated', settings)
  }

  /** @internal */
  onTrack(participantId: string, received: Received): void {
    const participant = this.participants.get(participantId)
    if (participant) this.emit('track', this.#streams.add(participant, received))
  }

  /** @internal */
  onTrackEnded(...ended: [participantId: string, source: Source, kind: string]): void {
    const received = this.#streams.remove(...ended)
    if (received) this.emit('track_ended', received)
  }

  /** @internal */
  onModerated(moderation: Moderation): void {
    this.emit('moderated', moderation)
  }

  /** @internal */
  onMediaError(error: unknown): void {
    if (!isGone(error)) this.emit('error', error)
  }
}
