// The WebRTC half of a call, or of two people in a room: one RTCPeerConnection that says what it has to say by POST, and is told
// what the other side says.
//
// Three things are usually hard here, and are the server's business: who of two crossing offers goes first, candidates
// that arrive before their description, and candidates of a connection that has been restarted.

/** As many as the server takes at once. */
const BATCH = 64

export class Peer {
  /**
   * What the other side sends. A stream of our own: those of the connection lose their tracks on hold, and a video element may
   * then stop for good.
   */
  received = new MediaStream()
  #connection
  #media
  #post
  #onError
  /** Descriptions and candidates are handled one after the other: WebRTC's own steps are asynchronous. */
  #work = Promise.resolve()
  /** Our offer came second; theirs is on its way. */
  #isYielding = false
  #found = []
  #isTrickling = false

  /** `media` is what we send; `post(action, body)` sends a description or candidates to the other side. */
  constructor({ iceServers, media, post, onConnected = () => {}, onError }) {
    this.#media = media
    this.#post = post
    this.#onError = onError
    const connection = new RTCPeerConnection({ iceServers })
    connection.onnegotiationneeded = () => this.#then(() => this.#offer())
    connection.onicecandidate = ({ candidate }) => this.#trickle(candidate)
    connection.ontrack = ({ track }) => this.received.addTrack(track)
    connection.onconnectionstatechange = () => {
      if (connection.connectionState === 'connected') onConnected()
      // A new path: fresh credentials, fresh candidates. It asks for a negotiation.
      if (connection.connectionState === 'failed') connection.restartIce()
    }
    this.#connection = connection
  }

  /** For whoever makes the first offer, the caller or the later one in: adding media asks for a negotiation. */
  begin() {
    for (const track of this.#media.getTracks()) this.#connection.addTrack(track, this.#media)
  }

  /** Takes the data of `signal.offer`, `signal.answer` and `signal.candidates`, in the order they come. */
  hear(type, data) {
    if (type === 'signal.offer') this.#then(() => this.#answer(data))
    if (type === 'signal.answer') this.#then(() => this.#complete(data))
    if (type === 'signal.candidates') this.#then(() => this.#addCandidates(data))
  }

  /** Stops sending and receiving; that, too, asks for a negotiation. */
  hold(isHeld) {
    for (const transceiver of this.#connection.getTransceivers()) {
      transceiver.direction = isHeld ? 'inactive' : 'sendrecv'
    }
  }

  close() {
    this.#connection.close()
    this.#found = []
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
      // The other side was first. When theirs has been answered, whatever is still wanted asks again by itself.
      this.#isYielding = true
      return
    }
    // Only now that it counts: an offer that was refused need not be rolled back.
    await this.#connection.setLocalDescription(offer)
  }

  async #answer({ sdp, revision }) {
    await this.#connection.setRemoteDescription({ type: 'offer', sdp })
    // The media of who answers takes the places that the first offer has made for it.
    if (this.#connection.getSenders().every(sender => sender.track === null)) this.begin()
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

  /** One request at a time: what is found meanwhile goes with the next one. `null` says that there are no more. */
  async #trickle(candidate) {
    this.#found.push(candidate)
    if (this.#isTrickling) return
    this.#isTrickling = true
    while (this.#found.length > 0) {
      const batch = this.#takeBatch()
      const candidates = batch.filter(each => each !== null)
      await this.#post('candidates', { candidates, end: batch.includes(null) }).catch(problem => {
        // After a restart nobody needs those of before.
        if (problem.code !== 'stale_candidate') this.#onError(problem)
      })
    }
    this.#isTrickling = false
  }

  /** Those of one generation, which end with a null: a batch is taken or refused as a whole. */
  #takeBatch() {
    const ufrag = this.#found[0]?.usernameFragment
    const other = this.#found.findIndex(each => each !== null && each.usernameFragment !== ufrag)
    const last = this.#found.indexOf(null)
    const sizes = [other, last < 0 ? last : last + 1, BATCH].filter(size => size > 0)
    return this.#found.splice(0, Math.min(...sizes))
  }
}
