// A room in which each participant sends to each other one: one Negotiator for each of them. A user who leaves and comes back is another
// participant, with another Negotiator.
import type { Flow, FlowHost, Publication, RoomEventData, Source } from './publication.js'
import { Negotiator } from './shared.js'
import type { Description, SignalType } from './signals.js'

interface Peer {
  readonly negotiator: Negotiator
  /** The media sections of the other side that carry a screen. */
  slides: ReadonlySet<string>
}

export class Mesh implements Flow {
  readonly #room: FlowHost
  readonly #connect: () => RTCPeerConnection
  readonly #peers = new Map<string, Peer>()
  /** The streams of what we send: they tell the media sections of a screen from the others. */
  readonly #camera = new MediaStream()
  readonly #screen = new MediaStream()

  constructor(room: FlowHost, connect: () => RTCPeerConnection) {
    this.#room = room
    this.#connect = connect
  }

  add(participantId: string, { isFirst }: { isFirst: boolean }): void {
    const negotiator = new Negotiator({
      open: this.#connect,
      post: (action, body) => this.#post(participantId, action, body),
      onTrack: event => this.#receiveTrack(participantId, event),
      iceRestartsMs: this.#room.client.options.times?.iceRestartsMs,
      onError: error => {
        if (this.#peers.has(participantId)) this.#room.onMediaError(error)
      }
    })
    this.#peers.set(participantId, { negotiator, slides: new Set() })
    for (const publication of this.#room.publications) this.#send(negotiator, publication)
    // Not before the application can publish something after it has joined.
    if (isFirst) setTimeout(() => this.#offer(negotiator))
  }

  /** A participant that sends nothing offers to receive: the others do not offer to those who joined after them. */
  #offer(negotiator: Negotiator): void {
    const { connection } = negotiator
    if (connection.signalingState === 'closed') return
    negotiator.begin()
    if (connection.getTransceivers().length > 0) return
    for (const kind of ['audio', 'video']) connection.addTransceiver(kind, { direction: 'recvonly' })
  }

  #send({ senders }: Negotiator, publication: Publication): void {
    senders.send(publication, publication.source === 'screen' ? this.#screen : this.#camera)
  }

  #post(to: string, action: string, body: { sdp?: string }): Promise<{ revision: number }> {
    const sdp = body.sdp && markSlides(body.sdp, this.#screen.id)
    return this.#room.request('POST', `/${action}`, { to, ...body, sdp })
  }

  receive(type: string, data: RoomEventData): void {
    const peer = this.#peers.get(data.from?.participantId ?? '')
    // The mailbox belongs to the device: it may have signals for the participant that it was before it joined anew.
    if (!peer || data.to !== this.#room.participantId) return
    if ('sdp' in data) peer.slides = slidesOf((data as Description).sdp)
    peer.negotiator.receive(type.slice('signal.'.length) as SignalType, data)
  }

  #receiveTrack(participantId: string, { track, transceiver, streams }: RTCTrackEvent): void {
    const isScreen = this.#peers.get(participantId)?.slides.has(transceiver.mid ?? '')
    const source = isScreen ? 'screen' : (track.kind as Source)
    this.#room.onTrack(participantId, { source, track })
    for (const stream of streams) {
      stream.addEventListener('removetrack', event => {
        if (event.track === track) this.#room.onTrackEnded(participantId, source, track.kind)
      })
    }
  }

  remove(participantId: string): void {
    this.#peers.get(participantId)?.negotiator.close()
    this.#peers.delete(participantId)
  }

  async sync(publication: Publication): Promise<void> {
    for (const { negotiator } of this.#peers.values()) this.#send(negotiator, publication)
  }

  close(): void {
    for (const participantId of this.#peers.keys()) this.remove(participantId)
  }
}

// A media section with a screen says so with the attribute `content` (RFC 4796): a receiver cannot tell it from a camera otherwise.

const markSlides = (sdp: string, streamId: string): string =>
  sdp.replaceAll(`a=msid:${streamId} `, 'a=content:slides\r\n$&')

function slidesOf(sdp: string): Set<string> {
  const sections = sdp.split(/^(?=m=)/m).filter(each => each.includes('a=content:slides'))
  return new Set(sections.map(each => /^a=mid:(\S+)/m.exec(each)?.[1] ?? ''))
}
