// What the server says about a room: its settings and participants; and what is received in it.
import type { ActingDevice, ChatMessage, EventData, Participant, Room as RoomRecord } from './api.js'
import type { SignalpostEvent } from './core.js'
import { Emitter } from './emitter.js'
import { type Mode, type Publication, type RoomEventData, RoomMedia, type Source } from './room-media.js'
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
  unavailable: { detail: string | undefined }
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

/** The events of the server that are passed on as they are. */
const FORWARDED = {
  'room.mute_requested': 'mute_requested',
  'chat.message': 'message',
  'chat.typing': 'typing',
  'sfu.active_speaker': 'active_speaker',
  'sfu.score': 'score',
  'sfu.producer_paused': 'paused',
  'sfu.producer_resumed': 'resumed'
} as const

export class RoomState extends Emitter<RoomEvents> {
  readonly id: string
  participantId = ''
  /** All participants, including you, in the order they joined. */
  readonly participants = new Map<string, Participant>()
  settings!: RoomRecord
  isClosed = false
  protected readonly flow = new RoomMedia()
  readonly #streams = new Streams((...picture) => this.flow.resize(...picture))
  /** Events that arrive during a request which they may depend on. Null: there is none. */
  protected waiting: SignalpostEvent[] | null = []

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
  receive(event: SignalpostEvent): void {
    if (this.isClosed) return
    if (this.waiting) return void this.waiting.push(event)
    const { type, data } = event
    if (/^(signal|sfu)\./.test(type)) this.flow.receive(type, data as RoomEventData)
    switch (type) {
      case 'room.participant_joined':
        this.#joined(data.participant)
        break
      case 'room.participant_updated':
        this.updated(data.participant)
        break
      case 'room.participant_left':
        this.leftById(data)
        break
      case 'room.updated':
        this.applySettings({ ...this.settings, ...data.changes }, data.offerOrder)
        break
      case 'room.closed':
        this.finish(data.reason, data.by)
        break
      default: {
        const forwarded = FORWARDED[type as keyof typeof FORWARDED]
        if (forwarded) this.emit(forwarded, data as never)
      }
    }
  }

  protected goOn(): void {
    const events = this.waiting ?? []
    this.waiting = null
    for (const event of events) this.receive(event)
  }

  #joined(participant: Participant): void {
    // The reply to our join may have contained this participant already.
    if (this.participants.has(participant.participantId)) return
    this.participants.set(participant.participantId, participant)
    this.flow.add(participant.participantId)
    this.emit('participant_joined', participant)
  }

  protected updated(participant: Participant): void {
    if (!this.participants.has(participant.participantId)) return
    this.participants.set(participant.participantId, participant)
    this.emit('participant_updated', participant)
  }

  protected leftById({ participantId, reason, by }: Left): void {
    if (participantId === this.participantId) {
      if (reason === 'lost') this.onLost()
      else this.finish(reason, by)
      return
    }
    const participant = this.participants.get(participantId)
    this.participants.delete(participantId)
    if (participant) this.#left(participant, { reason, by })
  }

  #left(participant: Participant, { reason, by }: Omit<Left, 'participantId'>): void {
    const { participantId } = participant
    this.flow.remove(participantId)
    for (const ended of this.#streams.removeAll(participantId)) this.emit('track_ended', ended)
    this.emit('participant_left', { participant, reason, by })
  }

  protected applySettings(settings: RoomRecord, offerOrder: readonly string[] = []): void {
    const isSwitched = settings.mode !== this.mode
    this.settings = settings
    if (isSwitched) {
      // A participant that is not listed has joined at the same moment, and stands behind the others.
      const place = (id: string) => (offerOrder.includes(id) ? offerOrder.indexOf(id) : offerOrder.length)
      this.flow.changeMode(
        settings.mode,
        [...this.participants.keys()].sort((a, b) => place(a) - place(b))
      )
    }
    this.emit('updated', settings)
  }

  protected replaceParticipants(participants: readonly Participant[]): void {
    const before = new Map(this.participants)
    this.participants.clear()
    for (const each of participants) this.participants.set(each.participantId, each)
    for (const [id, participant] of before) {
      if (!this.participants.has(id)) this.#left(participant, { reason: 'left', by: null })
    }
    if (before.size === 0) return
    for (const [id, each] of this.participants) if (!before.has(id)) this.emit('participant_joined', each)
  }

  finish(reason: LeaveReason, by: ActingDevice | null = null): void {
    if (this.isClosed) return
    this.isClosed = true
    this.flow.close()
    this.emit('closed', { reason, by })
  }

  /** What the media of the room reports. */
  protected readonly callbacks = {
    onTrack: (participantId: string, ...received: [Source, MediaStreamTrack]) => {
      const participant = this.participants.get(participantId)
      if (participant) this.emit('track', this.#streams.add(participant, ...received))
    },
    onTrackEnded: (...ended: [string, Source, string]) => {
      const received = this.#streams.remove(...ended)
      if (received) this.emit('track_ended', received)
    },
    onModerated: (publication: Publication, what: 'paused' | 'closed', by: ActingDevice) => {
      if (what === 'closed') this.flow.publications.delete(publication)
      else publication.isPaused = true
      this.emit('moderated', { publication, what, by })
    },
    onUnavailable: (detail: string | undefined) => void this.emit('unavailable', { detail }),
    onError: (error: unknown) => void this.emit('error', error)
  }

  /** Joins again. */
  protected onLost(): void {}
}
