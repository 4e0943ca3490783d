// How media flows in a room: directly between the participants (mesh.ts), or through a media service (sfu.ts). The mode of the room decides,
// and it may change while participants are in the room. What is published and received here outlives such a change.
import type { ActingDevice, ParticipantRef, Producer, ProducerSource, RoomMode } from './api.js'
import type { Method } from './core.js'
import type { MediasoupLoader } from './mediasoup.js'
import { Mesh } from './mesh.js'
import { Sfu, type SfuState } from './sfu.js'

export type Source = ProducerSource
export type Mode = RoomMode

/** The media of one way, mesh or SFU. */
export interface Flow {
  /** Handles the events `signal.*` or `sfu.*`, in order. */
  receive(type: string, data: RoomEventData): void
  add(participantId: string, options: { offers: boolean }): void
  remove(participantId: string): void
  publish(publication: Publication): Promise<void>
  /** Its track has changed, or it is paused or resumed. */
  update(publication: Publication): Promise<void>
  unpublish(publication: Publication): Promise<void>
  resize(participantId: string, source: Source, width: number): void
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
  readonly detail?: string
  readonly by?: ActingDevice | null
  readonly from?: ParticipantRef
  readonly to?: string
}

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
  readonly #media: RoomMedia

  constructor(media: RoomMedia, track: MediaStreamTrack, { source, encodings }: PublishOptions) {
    this.#media = media
    this.track = track
    this.source = source ?? (track.kind as Source)
    this.encodings = encodings ?? (this.source === 'video' ? CAMERA : [])
  }

  /** Sends nothing until it is resumed. In mode sfu the others are told. */
  pause(): Promise<void> {
    this.isPaused = true
    return this.#media.update(this)
  }

  resume(): Promise<void> {
    this.isPaused = false
    return this.#media.update(this)
  }

  /** Sends another track of the same kind, such as that of another camera. */
  replaceTrack(track: MediaStreamTrack): Promise<void> {
    this.track = track
    return this.#media.update(this)
  }

  close(): Promise<void> {
    return this.#media.unpublish(this)
  }
}

export interface RoomMediaOptions {
  readonly own: string
  /** Sends a request beneath `/rooms/{roomId}/`. */
  request<T>(method: Method, path: string, body?: object): Promise<T>
  /** Creates a connection; null without RTCPeerConnection: the room has no media then. */
  readonly connect: (() => RTCPeerConnection) | null
  readonly iceServers: RTCIceServer[]
  readonly mediasoup: MediasoupLoader | undefined
  onTrack(participantId: string, source: Source, track: MediaStreamTrack): void
  onTrackEnded(participantId: string, source: Source, kind: string): void
  /** A moderator has paused or closed what we publish. */
  onModerated(publication: Publication, what: 'paused' | 'closed', by: ActingDevice): void
  onUnavailable(detail: string | undefined): void
  onError(error: unknown): void
}

export class RoomMedia {
  readonly publications = new Set<Publication>()
  #options: RoomMediaOptions | null = null
  #flow: Flow | null = null
  #mode: Mode | null = null

  /** `order`: all participants, in the order they joined. */
  start(options: RoomMediaOptions, mode: Mode, { order, state }: { order: readonly string[]; state: SfuState }): void {
    this.close()
    this.#options = options
    this.#begin(mode, order, state)
  }

  changeMode(mode: Mode, order: readonly string[]): void {
    if (mode === this.#mode || !this.#options) return
    this.#flow?.close()
    this.#begin(mode, order, { sessionId: null, available: true, producers: [] })
  }

  #begin(mode: Mode, order: readonly string[], state: SfuState): void {
    this.#mode = mode
    const options = this.#options as RoomMediaOptions
    if (!options.connect) return
    const { publications } = this
    if (mode === 'sfu') this.#flow = new Sfu({ ...options, publications, state })
    else {
      this.#flow = new Mesh({ ...options, connect: options.connect, publications })
      // Each participant offers to those who joined before it.
      const place = order.indexOf(options.own)
      for (const [i, participantId] of order.entries())
        if (i !== place) this.#flow.add(participantId, { offers: i < place })
    }
  }

  /** Handles the events `signal.*` and `sfu.*`. */
  receive(type: string, data: RoomEventData): void {
    if (type.startsWith('signal.') === (this.#mode === 'p2p')) this.#flow?.receive(type, data)
  }

  add(participantId: string): void {
    this.#flow?.add(participantId, { offers: false })
  }

  remove(participantId: string): void {
    this.#flow?.remove(participantId)
  }

  async publish(track: MediaStreamTrack, options: PublishOptions): Promise<Publication> {
    const publication = new Publication(this, track, options)
    this.publications.add(publication)
    await this.#flow?.publish(publication)
    return publication
  }

  async update(publication: Publication): Promise<void> {
    if (this.publications.has(publication)) await this.#flow?.update(publication)
  }

  async unpublish(publication: Publication): Promise<void> {
    if (this.publications.delete(publication)) await this.#flow?.unpublish(publication)
  }

  resize(participantId: string, source: Source, width: number): void {
    this.#flow?.resize(participantId, source, width)
  }

  close(): void {
    this.#flow?.close()
    this.#flow = null
    this.#mode = null
  }
}
