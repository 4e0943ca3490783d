// The WebRTC part of a call, or of two participants of a room: one RTCPeerConnection that sends its signals by POST and receives those of
// the other side.
//
// The server solves three usual problems: which of two crossing offers goes first, candidates that arrive before their description,
// and candidates of an older ICE generation.

/** The most candidates that the server accepts in one request. */
const BATCH = 64

export class Peer {
  /**
   * The media of the other side. Not a stream of the connection: those lose their tracks on hold, and a video element may then stop
   * for good.
   */
  received = new MediaStream()
  #connection
  #media
  #scaleDownBy
  #post
  #onError
  /** Descriptions and candidates are handled one after the other: WebRTC's own steps are asynchronous. */
  #work = Promise.resolve()
  /** Our offer was refused because it came second. Theirs will arrive. */
  #isYielding = false
  /** Candidates that are not sent yet; null: there are no more. */
  #unsent = []
  #isTrickling = false

  /** `media` is sent to the other side, its picture scaled down; `post(action, body)` sends it a description or candidates. */
  constructor({ iceServers, media, scaleDownBy = 1, post, onConnected = () => {}, onError }) {
    this.#media = media
    this.#scaleDownBy = scaleDownBy
    this.#post = post
    this.#onError = onError
    const connection = new RTCPeerConnection({ iceServers })
    connection.onnegotiationneeded = () => this.#then(() => this.#offer())
    connection.onicecandidate = ({ candidate }) => this.#trickle(candidate)
    connection.ontrack = ({ track }) => this.received.addTrack(track)
    connection.onconnectionstatechange = () => {
      if (connection.connectionState === 'connected') onConnected()
      // New ICE credentials, candidates and paths. This fires negotiationneeded.
      if (connection.connectionState === 'failed') connection.restartIce()
    }
    this.#connection = connection
  }

  /** To be called on the side that makes the first offer: adding media fires negotiationneeded. */
  addMedia() {
    for (const track of this.#media.getTracks()) {
      const sender = this.#connection.addTrack(track, this.#media)
      if (track.kind === 'video' && this.#scaleDownBy > 1) this.#scaleDown(sender)
    }
  }

  #scaleDown(sender) {
    const parameters = sender.getParameters()
    for (const encoding of parameters.encodings) encoding.scaleResolutionDownBy = this.#scaleDownBy
    sender.setParameters(parameters).catch(this.#onError)
  }

  /** `data` is that of `signal.offer`, `signal.answer` or `signal.candidates`, in the order of the events. */
  receive(type, data) {
    if (type === 'signal.offer') this.#then(() => this.#answer(data))
    if (type === 'signal.answer') this.#then(() => this.#complete(data))
    if (type === 'signal.candidates') this.#then(() => this.#addCandidates(data))
  }

  /** Stops or resumes sending and receiving. This fires negotiationneeded. */
  hold(isHeld) {
    for (const transceiver of this.#connection.getTransceivers()) {
      transceiver.direction = isHeld ? 'inactive' : 'sendrecv'
    }
  }

  getStats() {
    return this.#connection.getStats()
  }

  close() {
    this.#connection.close()
    this.#unsent = []
  }

  #then(step) {
    const unlessClosed = () => (this.#connection.signalingState === 'closed' ? undefined : step())
    this.#work = this.#work.then(unlessClosed).catch(this.#onError)
  }

  async #offer() {
    if (this.#isYielding || this.#connection.signalingState !== 'stable') return
    const offer = await this.#connection.createOffer()
    try {
      await this.#post('offer', { sdp: offer.sdp })
    } catch (problem) {
      if (problem.code !== 'offer_collision') throw problem
      // The other side was first. If a change is still needed after its offer was answered, negotiationneeded fires again.
      this.#isYielding = true
      return
    }
    // Only after the server accepted it: so an offer that was refused needs no rollback.
    await this.#connection.setLocalDescription(offer)
  }

  async #answer({ sdp, revision }) {
    await this.#connection.setRemoteDescription({ type: 'offer', sdp })
    // The answering side adds its media to the media sections of the first offer.
    if (this.#connection.getSenders().every(sender => sender.track === null)) this.addMedia()
    await this.#connection.setLocalDescription()
    this.#isYielding = false
    await this.#post('answer', { sdp: this.#connection.localDescription.sdp, revision })
  }

  #complete({ sdp }) {
    return this.#connection.setRemoteDescription({ type: 'answer', sdp })
  }

  async #addCandidates({ candidates, end }) {
    for (const candidate of candidates) await this.#connection.addIceCandidate(candidate)
    if (end) await this.#connection.addIceCandidate()
  }

  /** Sends one request at a time; candidates that are gathered meanwhile go with the next one. */
  async #trickle(candidate) {
    this.#unsent.push(candidate)
    if (this.#isTrickling) return
    this.#isTrickling = true
    while (this.#unsent.length > 0) {
      const batch = this.#takeBatch()
      const candidates = batch.filter(each => each !== null)
      await this.#post('candidates', { candidates, end: batch.includes(null) }).catch(problem => {
        // After an ICE restart, candidates of before are not needed.
        if (problem.code !== 'stale_candidate') this.#onError(problem)
      })
    }
    this.#isTrickling = false
  }

  /** Candidates of one generation, because `end` names none: it would end the newest. */
  #takeBatch() {
    const ufrag = this.#unsent[0]?.usernameFragment
    const other = this.#unsent.findIndex(each => each !== null && each.usernameFragment !== ufrag)
    const last = this.#unsent.indexOf(null)
    const sizes = [other, last < 0 ? last : last + 1, BATCH].filter(size => size > 0)
    return this.#unsent.splice(0, Math.min(...sizes))
  }
}
