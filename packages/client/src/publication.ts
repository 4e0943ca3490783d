// What a participant publishes in a room, and what its two modes have in common.
import type { ActingDevice, ParticipantRef, Producer, ProducerSource, RoomMode } from './api.js'
import type { Method } from './core.js'
import type { MediasoupLoader } from './mediasoup.js'
import type { Times } from './times.js'

export type Source = ProducerSource
export type Mode = RoomMode

export interface PublishOptions {
  /** By default what the track is: `audio` or `video`. */
  readonly source?: Source
  /** The layers of a picture, smallest first. In mode p2p the smallest one is sent, once to each participant. */
  readonly encodings?: RTCRtpEncodingParameters[]
}

/** A camera: a small picture, and a large one for those who show it large. */
const CAMERA = [{ scaleResolutionDownBy: 2, maxBitrate: 150_000 }, { maxBitrate: 600_000 }]

/** A track that this participant sends to all others, in either mode. The track stays yours: stop it when you no longer need it. */
export class Publication {
  readonly source: Source
  readonly encodings: RTCRtpEncodingParameters[]
  track: MediaStreamTrack
  isPaused = false
  isClosed = false
  readonly #sync: (publication: Publication) => Promise<void>

  /** `sync` makes what is sent follow this object. */
  constructor(
    sync: (publication: Publication) => Promise<void>,
    track: MediaStreamTrack,
    { source = track.kind as Source, encodings = source === 'video' ? CAMERA : [] }: PublishOptions
  ) {
    this.#sync = sync
    this.track = track
    this.source = source
    this.encodings = encodings
  }

  #set(change: Partial<Publication>): Promise<void> {
    Object.assign(this, change)
    return this.#sync(this)
  }

  /** Sends nothing until it is resumed. In mode sfu the others are told. */
  pause(): Promise<void> {
    return this.#set({ isPaused: true })
  }

  resume(): Promise<void> {
    return this.#set({ isPaused: false })
  }

  /** Sends another track of the same kind, such as that of another camera. */
  replaceTrack(track: MediaStreamTrack): Promise<void> {
    return this.#set({ track })
  }

  close(): Promise<void> {
    return this.#set({ isClosed: true })
  }
}

/** The media of a room in one of its modes: mesh.ts or sfu.ts. */
export interface Flow {
  /** Handles the events `signal.*` or `sfu.*`, in order. */
  receive(type: string, data: RoomEventData): void
  /** In mode p2p. */
  add?(participantId: string, options: { isFirst: boolean }): void
  remove(participantId: string): void
  sync(publication: Publication): Promise<void>
  /** In mode sfu. */
  resize?(participantId: string, source: Source, width: number): void
  close(): void
}

/** Members of the events of a room that its media looks at. */
export interface RoomEventData {
  readonly participantId?: string
  readonly producerId?: string
  readonly producer?: Producer
  readonly consumerId?: string
  readonly transportId?: string
  readonly sessionId?: string
  readonly by?: ActingDevice | null
  readonly from?: ParticipantRef
  readonly to?: string
}

export interface Received {
  readonly source: Source
  readonly track: MediaStreamTrack
  /** In mode sfu. */
  readonly producerId?: string | undefined
}

/** A moderator has paused or closed what we publish. */
export interface Moderation {
  readonly publication: Publication
  readonly what: 'paused' | 'closed'
  readonly by: ActingDevice
}

/** The room, as its media sees it. */
export interface FlowHost {
  /** Ours. */
  readonly participantId: string
  readonly publications: ReadonlySet<Publication>
  readonly client: {
    readonly options: { readonly mediasoup?: MediasoupLoader; readonly times?: Partial<Times> }
    iceConfig(): Promise<RTCConfiguration>
  }
  /** Replaces what the server says about ICE. */
  readonly rtc: RTCConfiguration | undefined
  /** Sends a request beneath `/rooms/{roomId}`. */
  request<T>(method: Method, path: string, body?: object): Promise<T>
  onTrack(participantId: string, received: Received): void
  onTrackEnded(participantId: string, source: Source, kind: string): void
  onModerated(moderation: Moderation): void
  /** Emits `error`, but not for a refusal whose reason an event gives (`isGone`). */
  onMediaError(error: unknown): void
}
