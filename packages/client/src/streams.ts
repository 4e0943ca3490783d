// What is received in a room: one stream for the camera and microphone of a participant, and one for its screen. A stream outlives a change
// of the mode, and a lost media session: its tracks are replaced.
import type { Participant } from './api.js'
import type { Flow, Received, Source } from './publication.js'

export interface RemoteTrack extends Received {
  readonly participant: Participant
  readonly stream: MediaStream
  /** Shows the stream in an `<audio>` or `<video>`. In mode sfu a picture arrives in the size that the element needs. Returns how to end that. */
  attach(element: HTMLMediaElement): () => void
}

/** The room, of which pictures of a size are asked for. */
interface StreamsRoom {
  readonly flow: Pick<Flow, 'resize'> | null
}

export class Streams {
  readonly #room: StreamsRoom
  readonly #streams = new Map<string, MediaStream>()
  /** By participant, source and kind. */
  readonly #tracks = new Map<string, RemoteTrack>()

  constructor(room: StreamsRoom) {
    this.#room = room
  }

  add(participant: Participant, { source, track, producerId }: Received): RemoteTrack {
    const { participantId } = participant
    const stream = this.#streamOf(participantId, source)
    const key = keyOf(participantId, source, track.kind)
    const before = this.#tracks.get(key)?.track
    if (before && before !== track) stream.removeTrack(before)
    stream.addTrack(track)
    const attach = (element: HTMLMediaElement) => this.#attach(element, stream, participantId, source)
    const received = { participant, track, source, stream, attach, producerId }
    this.#tracks.set(key, received)
    return received
  }

  #streamOf(participantId: string, source: Source): MediaStream {
    const key = `${participantId} ${source === 'screen'}`
    const stream = this.#streams.get(key) ?? new MediaStream()
    this.#streams.set(key, stream)
    return stream
  }

  // biome-ignore lint/complexity/useMaxParams: what it attaches, and what it asks for.
  #attach(element: HTMLMediaElement, stream: MediaStream, participantId: string, source: Source): () => void {
    if (element.srcObject !== stream) element.srcObject = stream
    // An element that shows a picture has the size of that, also if its stream has a microphone, too.
    const picture = source === 'audio' ? 'video' : source
    const observer = new ResizeObserver(([entry]) => {
      const { width } = (entry as ResizeObserverEntry).contentRect
      this.#room.flow?.resize?.(participantId, picture, Math.round(width * devicePixelRatio))
    })
    observer.observe(element)
    return () => {
      observer.disconnect()
      if (element.srcObject === stream) element.srcObject = null
    }
  }

  /** Returns what has ended. */
  remove(participantId: string, source: Source, kind: string): RemoteTrack | undefined {
    const key = keyOf(participantId, source, kind)
    const received = this.#tracks.get(key)
    this.#tracks.delete(key)
    received?.stream.removeTrack(received.track)
    return received
  }

  /** The participant has left. */
  removeAll(participantId: string): RemoteTrack[] {
    const own = [...this.#tracks.values()].filter(each => each.participant.participantId === participantId)
    for (const { source, track } of own) this.remove(participantId, source, track.kind)
    for (const isScreen of [true, false]) this.#streams.delete(`${participantId} ${isScreen}`)
    return own
  }
}

const keyOf = (participantId: string, source: Source, kind: string) => `${participantId} ${source} ${kind}`
