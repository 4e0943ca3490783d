// The media of a room through the media service: this page sends each track once, and receives those of the others. Sessions come and go:
// when the media service fails, the room gets another one, and everyone builds their transports, producers and consumers anew in it.
import { SfuSession } from './sfu-session.js'

/** Refusals while the session, or our participation, is ending. The events of the room report that. */
const GONE = ['media_not_found', 'media_unavailable', 'not_sfu', 'not_in_room', 'room_not_found', 'room_closed']

export class Sfu {
  #options
  #own
  /** What this page sends: the source (audio, video, screen) of each track. A screen may have sound. */
  #tracks
  /** What the others send: producers as the server describes them. They are of the session with this id. */
  #producers = new Map()
  #sessionId = null
  /** What we receive: streams by participant and picture (camera, screen). */
  #streams = new Map()
  /** The widths of the pictures on this page. */
  #widths = new Map()
  #session = null

  /**
   * `tracks`: pairs of what we send and its source. `request(method, path, body)` sends a request beneath `/rooms/{roomId}/sfu`.
   * `onStream(participantId, picture, stream)`: the stream of a `camera` (with the microphone) or a `screen`; null if it has ended.
   * `onPaused(source, by)` and `onStopped(source, by)`: a moderator has paused, or closed, what we send.
   */
  constructor({ own, tracks, ...options }) {
    this.#own = own
    this.#tracks = new Map(tracks)
    this.#options = options
  }

  /** `sessionId`, `available` and `producers` are those of the reply that we joined with. */
  start({ sessionId, available, producers }) {
    this.#sessionId = sessionId
    for (const producer of producers) if (producer.participantId !== this.#own) this.#remember(producer)
    if (available) this.#open()
  }

  // ── What we send ──────────────────────────────────────────────────────────────────────────────────────────────────

  send(source, track) {
    this.#tracks.set(track, source)
    return this.#do(session => session.send(source, track))
  }

  stopSending(source) {
    this.#forgetSource(source)
    return this.#do(session => session.stopSending(source))
  }

  /** After a moderator has paused it. */
  resumeSending(source) {
    return this.#do(session => session.resumeSending(source))
  }

  #forgetSource(source) {
    for (const [track, from] of this.#tracks) if (from === source) this.#tracks.delete(track)
  }

  // ── What the others send ──────────────────────────────────────────────────────────────────────────────────────────

  /** Handles the events `sfu.*`, in order. */
  receive(type, data) {
    this.#handlers[type]?.(data)
  }

  #handlers = {
    'sfu.producer_added': ({ producer }) => {
      // The reply to our join may have contained it already.
      if (this.#producers.has(keyOf(producer))) return
      this.#remember(producer)
      this.#do(session => this.#consume(session, producer))
    },
    'sfu.producer_closed': data => (data.participantId === this.#own ? this.#handleClosed(data) : this.#drop(data)),
    'sfu.producer_paused': data =>
      data.participantId === this.#own ? this.#handlePaused(data) : this.#markPaused(data, true),
    'sfu.producer_resumed': data => this.#markPaused(data, false),
    'sfu.consumer_closed': ({ consumerId }) => this.#session?.closeConsumer(consumerId),
    'sfu.transport_closed': ({ transportId }) => {
      // The session goes on; only our connection to it was lost.
      if (this.#session?.hasTransport(transportId)) this.#open()
    },
    'sfu.reset': ({ sessionId }) => this.#move(sessionId),
    'sfu.available': ({ sessionId }) => this.#move(sessionId),
    'sfu.unavailable': ({ detail }) => {
      this.#forgetAll()
      this.#end()
      this.#options.onUnavailable(detail)
    }
  }

  /** A moderator has closed our producer: it is not sent in the next session either. */
  #handleClosed({ producerId, by }) {
    const source = this.#session?.sourceOf(producerId)
    if (!source || !by) return
    this.#session.closeProducer(producerId)
    this.#forgetSource(source)
    this.#options.onStopped(source, by)
  }

  #handlePaused({ producerId, by }) {
    const source = this.#session?.sourceOf(producerId)
    if (!source || !by) return
    this.#session.pauseProducer(producerId)
    this.#options.onPaused(source, by)
  }

  // ── What moderators do. The acting device gets no events of it ────────────────────────────────────────────────────

  /** Pauses what a participant sends from this source. Only the participant can resume it. */
  async pauseOther(participantId, source) {
    for (const { producerId } of this.#sentBy(participantId, source)) {
      await this.#options.request('patch', `participants/${participantId}/producers/${producerId}`, { paused: true })
      this.#markPaused({ participantId, producerId }, true)
    }
  }

  async closeOther(participantId, source) {
    for (const { producerId } of this.#sentBy(participantId, source)) {
      await this.#options.request('delete', `participants/${participantId}/producers/${producerId}`)
      this.#drop({ participantId, producerId })
    }
  }

  #sentBy(participantId, source) {
    return [...this.#producers.values()].filter(each => each.participantId === participantId && each.source === source)
  }

  #markPaused(data, isPaused) {
    const producer = this.#producers.get(keyOf(data))
    if (producer) producer.paused = isPaused
  }

  #remember(producer) {
    this.#producers.set(keyOf(producer), producer)
  }

  async #consume(session, producer) {
    const picture = pictureOf(producer)
    const track = await session.receive(producer, this.#widths.get(`${producer.participantId} ${picture}`) ?? 0)
    // It was closed meanwhile.
    if (!this.#producers.has(keyOf(producer))) return session.stopReceiving(producer)
    if (session === this.#session) this.#streamOf(producer.participantId, picture).addTrack(track)
  }

  #streamOf(participantId, picture) {
    const key = `${participantId} ${picture}`
    const known = this.#streams.get(key)
    if (known) return known
    const stream = new MediaStream()
    this.#streams.set(key, stream)
    this.#options.onStream(participantId, picture, stream)
    return stream
  }

  #drop({ participantId, producerId }) {
    const key = keyOf({ participantId, producerId })
    const producer = this.#producers.get(key)
    if (!producer) return
    this.#producers.delete(key)
    this.#session?.stopReceiving(producer)
    if (producer.source === 'screen' && producer.kind === 'video') this.#endStream(participantId, 'screen')
  }

  #endStream(participantId, picture) {
    if (this.#streams.delete(`${participantId} ${picture}`)) this.#options.onStream(participantId, picture, null)
  }

  /** The participant has left: its producers are closed. */
  remove(participantId) {
    for (const producer of this.#producers.values()) if (producer.participantId === participantId) this.#drop(producer)
    this.#endStream(participantId, 'camera')
  }

  /** The picture of this participant is now `width` pixels wide on this page. */
  resize(participantId, picture, width) {
    this.#widths.set(`${participantId} ${picture}`, width)
    for (const producer of this.#sentBy(participantId, picture === 'screen' ? 'screen' : 'video'))
      this.#do(session => session.resize(producer, width))
  }

  // ── Sessions ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The room is on another session, whose producers are announced one by one. */
  #move(sessionId) {
    if (sessionId === this.#sessionId) return
    this.#sessionId = sessionId
    this.#forgetAll()
    // We may be in it already: a request of ours was answered by it before this event arrived.
    if (this.#session?.id === sessionId) return
    this.#end()
    this.#open()
  }

  #forgetAll() {
    for (const { participantId } of this.#producers.values()) this.#endStream(participantId, 'screen')
    this.#producers.clear()
  }

  #open() {
    this.#end({ tellsService: true })
    const session = new SfuSession(this.#options)
    this.#session = session
    this.#run(session, async () => {
      await session.open()
      if (session !== this.#session) return session.close({ tellsService: true })
      // Each for itself: one that fails stops no other.
      for (const [track, source] of this.#tracks) this.#do(() => session.send(source, track))
      for (const producer of this.#producers.values()) this.#do(() => this.#consume(session, producer))
    })
  }

  #end(options) {
    this.#session?.close(options)
    this.#session = null
    this.#streams.clear()
  }

  /** If no session is open yet, the step is part of its opening. */
  async #do(step) {
    const session = this.#session
    if (session?.isOpen) await this.#run(session, () => step(session))
  }

  async #run(session, step) {
    try {
      await step()
    } catch (error) {
      if (session === this.#session && !GONE.includes(error.code)) this.#options.onError(error)
    }
  }

  /** What is sent and received, with statistics; also what is not received, without them. */
  async report() {
    const rows = this.#session?.isOpen ? await this.#session.report() : []
    const isPaused = ({ participantId, producerId }) => this.#producers.get(`${participantId} ${producerId}`)?.paused
    return rows.map(row => ({ ...row, isPaused: isPaused(row) }))
  }

  /** We have left, or the mode has changed: the server closes what we have. */
  close() {
    this.#end()
  }
}

const keyOf = ({ participantId, producerId }) => `${participantId} ${producerId}`

const pictureOf = ({ source }) => (source === 'screen' ? 'screen' : 'camera')
