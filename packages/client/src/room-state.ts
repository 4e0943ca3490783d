// What the server says about a room: its settings and participants; and what is received in it.
import type { ActingDevice, ChatMessage, EventData, Participant, Room as RoomRecord } from './api.js'
import type { SignalpostEvent } from './core.js'
import { Mesh } from './mesh.js'
import type { Flow, FlowOptions, Mode, Publication, Received, RoomEventData, Source } from './publication.js'
import { Receiver } from './receiver.js'
import type { SfuState } from './sfu.js'
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
  moderated: { publication: Publication; what: 'paused' | 'closed'; by: ActingDevice }
  paused: EventData['sfu.producer_paused']
  resumed: EventData['sfu.producer_resumed']
  active_speaker: EventData['sfu.active_speaker']
  score: EventData['sfu.score']
  /** No media service is up: media stops until one is. */
  unavailable: EventData['sfu.unavailable']
  available: EventData['sfu.available']
  /** This device was lost, or events were missed: it has joined again, as another participant. */
  rejoined: object
  /** This device is no longer in the room. */
  closed: { reason: LeaveReason; by: ActingDevice | null }
  error: unknown
}

interface Left {
  readonly participantId: string
  readonly reason: EventData['room.participant_left']['reason']
  readonly by: ActingDevice | null
}

/** Events of the server that have another name here. */
const RENAMED: Readonly<Record<string, string>> = { 'sfu.producer_paused': 'paused', 'sfu.producer_resumed': 'resumed' }

export abstract class RoomState extends Receiver<RoomEvents> {
  readonly id: string
  participantId = ''
  /** All participants, including you. */
  readonly participants = new Map<string, Participant>()
  settings!: RoomRecord
  isClosed = false
  readonly publications = new Set<Publication>()
  /** Null without RTCPeerConnection. */
  protected flow: Flow | null = null
  #isUnavailable = false
  readonly #streams = new Streams((...picture) => this.flow?.resize(...picture))

  constructor(id: string) {
    super()
    this.id = id
  }

  get mode(): Mode {
    return this.settings.mode
  }
  get role(): Participant['role'] | undefined {
    return this.participants.get(this.participantId)?.role
  }

  protected override take({ type, data }: SignalpostEvent): void {
    // It may not have joined, if that has failed.
    if (this.isClosed || !this.settings) return
    if (type === 'sfu.unavailable' || type === 'sfu.available') this.#isUnavailable = type === 'sfu.unavailable'
    // Each mode ignores the events of the other one.
    if (/^(signal|sfu)/.test(type)) this.flow?.receive(type, data as RoomEventData)
    if (type === 'room.participant_joined' || type === 'room.participant_updated') this.set(data.participant)
    else if (type === 'room.participant_left') this.drop(data)
    else if (type === 'room.updated') this.apply({ ...this.settings, ...data.changes }, data.offerOrder)
    else if (type === 'room.closed') this.finishAs(data.reason, data.by)
    else this.emit((RENAMED[type] ?? type.slice(type.indexOf('.') + 1)) as keyof RoomEvents, data as never)
  }

  /** The reply to joining says what events have said, or would have. */
  protected setAvailable({ available = true, sessionId = null }: SfuState): void {
    if (available !== this.#isUnavailable) return
    const type = available ? 'sfu.available' : 'sfu.unavailable'
    const data = { roomId: this.id, sessionId, detail: 'Media server unavailable', version: this.settings.version }
    this.waiting.unshift({ id: null, type, timestamp: '', data } as SignalpostEvent)
  }

  // ── Participants ────────────────────────────────────────────────────────────────────────────────────────────────────

  protected set(participant: Participant): void {
    const { participantId } = participant
    const isKnown = this.participants.has(participantId)
    this.participants.set(participantId, participant)
    if (!isKnown) this.flow?.add(participantId, { offers: false })
    this.emit(isKnown ? 'participant_updated' : 'participant_joined', participant)
  }

  protected drop({ participantId, reason, by }: Left): void {
    if (participantId === this.participantId) {
      if (reason === 'lost') void this.rejoin()
      else this.finishAs(reason, by)
    }
    const participant = this.participants.get(participantId)
    if (!participant || this.isClosed || participantId === this.participantId) return
    this.participants.delete(participantId)
    this.flow?.remove(participantId)
    for (const ended of this.#streams.removeAll(participantId)) this.emit('track_ended', ended)
    this.emit('participant_left', { participant, reason, by })
  }

  /** @internal Joins again. */
  abstract rejoin(): Promise<void>

  /** @internal */
  finishAs(reason: LeaveReason, by: ActingDevice | null = null): void {
    if (this.isClosed) return
    this.isClosed = true
    this.flow?.close()
    this.emit('closed', { reason, by })
  }

  // ── Media ───────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The options of the media, without what this class adds. Null without RTCPeerConnection. */
  protected abstract readonly media: MediaOptions | null

  /** `order`: participants in the order they joined. One that is not listed has joined at the same moment, and stands behind the others. */
  protected begin(order: readonly string[], state: SfuState = {}): void {
    this.flow?.close()
    this.flow = null
    if (!this.media) return
    const options = { ...this.media, ...this.#callbacks, own: this.participantId, publications: this.publications }
    if (this.mode === 'sfu') void this.during(() => this.#beginSfu(options, state))
    else this.#beginMesh(options, order)
  }

  async #beginSfu(options: FlowOptions, state: SfuState): Promise<void> {
    // Rooms in mode p2p need none of it.
    const { Sfu } = await import('./sfu.js')
    if (this.mode === 'sfu' && !this.isClosed && !this.flow) this.flow = new Sfu(options, state)
  }

  #beginMesh(options: FlowOptions, order: readonly string[]): void {
    const mesh = new Mesh(options)
    this.flow = mesh
    // Each participant offers to those who joined before it.
    let offers = true
    for (const each of new Set([...order, ...this.participants.keys()])) {
      if (each === this.participantId) offers = false
      else if (this.participants.has(each)) mesh.add(each, { offers })
    }
  }

  protected apply(settings: RoomRecord, offerOrder: readonly string[] = []): void {
    const isSwitched = settings.mode !== this.mode
    this.settings = settings
    if (isSwitched) this.begin(offerOrder)
    this.emit('updated', settings)
  }

  readonly #callbacks = {
    onTrack: (participantId: string, received: Received) => {
      const participant = this.participants.get(participantId)
      if (participant) this.emit('track', this.#streams.add(participant, received))
    },
    onTrackEnded: (...ended: [string, Source, string]) => {
      const received = this.#streams.remove(...ended)
      if (received) this.emit('track_ended', received)
    },
    onModerated: (moderated: RoomEvents['moderated']) => void this.emit('moderated', moderated),
    onError: (error: unknown) => void this.emit('error', error)
  }
}

type MediaOptions = Pick<FlowOptions, 'request' | 'connect' | 'iceServers' | 'mediasoup'>
