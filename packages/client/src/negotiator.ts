// One RTCPeerConnection that sends its signals with `post` and receives those of the other side: a call, or two participants of a room.
//
// The server solves three usual problems: which of two crossing offers goes first, candidates that arrive before their description,
// and candidates of an older ICE generation.
import { CandidateQueue } from './candidates.js'
import { IceRestarts } from './ice-restarts.js'
import type { NegotiatorOptions } from './negotiator-options.js'
import { listen } from './platform.js'
import type { Problem } from './problem.js'
import { Senders } from './senders.js'
import { type Candidates, type Description, fingerprintOf, isOfFirefox, keepRole, type SignalType } from './signals.js'

/** An offer that is not answered in this time is sent anew: its event, or the answer, may be lost after a reset or a reload. */
const ANSWER_WITHIN_MS = 10_000
/** How long our candidates wait for the end of theirs (#setLocal). Firefox has those that matter, of its own addresses, at once. */
const THEIRS_WITHIN_MS = 1000

export class Negotiator {
  connection: RTCPeerConnection
  /** What this side sends. The side that answers adds it to the media sections of the first offer. */
  readonly senders = new Senders()
  readonly #options: NegotiatorOptions
  /** Steps run one after the other, because those of WebRTC are asynchronous. */
  #work: Promise<unknown> = Promise.resolve()
  /** The server refused our offer because the other side was first. Theirs will arrive. */
  #isYielding = false
  #isWithFirefox = false
  #revision = 0
  #repeats = 0
  #answerTimer: ReturnType<typeof setTimeout> | undefined
  readonly #restarts: IceRestarts
  readonly #trickle: CandidateQueue
  readonly #closing = new AbortController()

  constructor(options: NegotiatorOptions) {
    this.#options = options
    this.#trickle = new CandidateQueue({
      // The description goes first: a call takes candidates only once it is accepted.
      whenReady: () => this.#work,
      post: body => options.post('candidates', body),
      onError: error => this.#isClosed || options.onError(error)
    })
    const restartIce = () => this.restartIce()
    const { iceRestartsMs, onFailed } = options
    this.#restarts = new IceRestarts({ restartIce, iceRestartsMs, onFailed })
    this.connection = this.#open()
    const { connection } = (globalThis.navigator ?? {}) as { connection?: EventTarget }
    // The network is back, or is another one.
    listen('online', restartIce, this.#closing)
    connection?.addEventListener('change', restartIce, this.#closing)
  }

  #open(): RTCPeerConnection {
    const connection = this.#options.open()
    connection.onnegotiationneeded = () => this.#then(() => this.#offer())
    connection.onicecandidate = ({ candidate }) => this.#trickle.add(candidate)
    connection.ontrack = event => this.#options.onTrack(event)
    connection.onconnectionstatechange = () => {
      if (connection.connectionState === 'connected') {
        this.#restarts.clear()
        this.#options.onConnected?.()
      }
      if (connection.connectionState === 'failed') this.#restarts.begin()
    }
    return connection
  }

  // ── What the owner does ─────────────────────────────────────────────────────────────────────────────────────────────

  /** Makes the first offer, unless there is nothing to negotiate yet: what is added later fires negotiationneeded. Rejects if it is refused. */
  offer(): Promise<void> {
    this.begin()
    return this.#run(() => this.#offer({ isFirst: true }))
  }

  /** Answers the first offer. */
  answer(offer: Description): Promise<void> {
    return this.#run(() => this.#answer(offer))
  }

  begin(): void {
    this.senders.begin(this.connection)
  }

  /** New ICE credentials, candidates and paths. This fires negotiationneeded. */
  restartIce(): void {
    if (this.connection.remoteDescription) this.connection.restartIce()
  }

  /** In the order of the events. */
  receive(type: SignalType, data: object): void {
    this.#then(async () => {
      if (type === 'offer') await this.#answer(data as Description)
      else if (type === 'answer') await this.#complete(data as Description)
      else await this.#addCandidates(data as Candidates)
    })
  }

  close(): void {
    this.#closing.abort()
    this.#clearTimers()
    this.#trickle.clear()
    this.connection.close()
  }

  #clearTimers(): void {
    clearTimeout(this.#answerTimer)
    this.#restarts.clear()
  }

  /** The other side is another one, whom this connection does not reach. `prepare`: what the next one needs. */
  renew(prepare: () => Promise<void>, isFirst: boolean): Promise<void> {
    this.#clearTimers()
    return this.#run(async () => {
      await prepare()
      if (this.#isClosed) return
      this.senders.unhold()
      this.#replaceConnection()
      this.#revision = this.#repeats = 0
      this.#isYielding = false
      if (isFirst) this.begin()
      if (isFirst) await this.#offer({ isFirst })
    })
  }

  get #isClosed(): boolean {
    return this.connection.signalingState === 'closed'
  }

  #run(step: () => Promise<void>): Promise<void> {
    const done = this.#work.then(() => (this.#isClosed ? undefined : step()))
    this.#work = done.catch(() => {})
    return done
  }

  #then(step: () => Promise<void>): void {
    const { connection } = this
    // A connection that has been replaced needs nothing.
    this.#run(step).catch(error => this.#isClosed || connection !== this.connection || this.#options.onError(error))
  }

  // ── Descriptions ────────────────────────────────────────────────────────────────────────────────────────────────────

  async #offer({ isFirst = false, isRepeat = false } = {}): Promise<void> {
    const { connection } = this
    if (connection.signalingState !== (isRepeat ? 'have-local-offer' : 'stable') || this.#isYielding) return
    const isChange = !isFirst && !isRepeat
    if (isChange && !connection.remoteDescription && this.#options.answersFirst?.()) return
    await this.#options.whenReady?.()
    const offer = await connection.createOffer({ iceRestart: isRepeat })
    if (!offer.sdp?.includes('m=')) return
    try {
      const reply = await this.#options.post('offer', { sdp: keepRole(offer.sdp, connection) })
      if (!reply) this.#isYielding = true
      else this.#revision = reply.revision
    } catch (error) {
      return this.#onRefusal(error as Problem, isFirst)
    }
    if (this.#isClosed || this.#isYielding) return
    // Only after the server has accepted it: so an offer that it refuses needs no rollback.
    await this.#setLocal(offer)
    this.expectAnswer()
  }

  #onRefusal(problem: Problem, isFirst: boolean): void {
    // The other side was first. If a change is still needed after its offer was answered, negotiationneeded fires again.
    if (problem.code === 'offer_collision') this.#isYielding = true
    else if (problem.retryable && !isFirst) setTimeout(() => this.#then(() => this.#offer()), ANSWER_WITHIN_MS)
    else throw problem
  }

  /** From now on an offer of ours should be answered. */
  expectAnswer(): void {
    clearTimeout(this.#answerTimer)
    const isDue = this.#revision > 0 && this.connection.signalingState === 'have-local-offer'
    if (!isDue) return
    const repeat = () => this.#then(() => this.#offer({ isRepeat: true }))
    this.#answerTimer = setTimeout(repeat, ANSWER_WITHIN_MS * 2 ** this.#repeats++)
  }

  async #answer({ sdp, revision }: Description): Promise<void> {
    if (this.#isOfNewConnection(sdp)) this.#replaceConnection()
    const { connection } = this
    await this.#setRemote({ type: 'offer', sdp })
    this.begin()
    const answer = await connection.createAnswer()
    await this.#setLocal(answer)
    this.#isYielding = false
    await this.#options.post('answer', { sdp: answer.sdp, revision })
    this.#trickle.release(THEIRS_WITHIN_MS)
  }

  /**
   * Chromium pairs new ports with the candidates of before an ICE restart. Firefox answers there, but takes no media. If a check of Firefox
   * arrives before its candidate, Chromium drops the new pair in favour of the old one. So Firefox gets our candidates after we have its.
   */
  #setLocal(description: RTCSessionDescriptionInit): Promise<void> {
    const before = this.connection.localDescription
    if (before && !isOfFirefox(before.sdp) && this.#isWithFirefox) this.#trickle.hold()
    return this.connection.setLocalDescription(description)
  }

  #setRemote(description: { readonly type: RTCSdpType; readonly sdp: string }): Promise<void> {
    // Chromium does not keep this line.
    this.#isWithFirefox = isOfFirefox(description.sdp)
    return this.connection.setRemoteDescription(description)
  }

  /** A page that was reloaded offers with a new connection, whose certificate is another one. */
  #isOfNewConnection(sdp: string): boolean {
    const known = this.connection.remoteDescription
    return known !== null && fingerprintOf(known.sdp) !== fingerprintOf(sdp)
  }

  #replaceConnection(): void {
    this.connection.onconnectionstatechange = null
    this.connection.close()
    this.#trickle.clear()
    this.connection = this.#open()
  }

  async #complete({ sdp, revision }: Description): Promise<void> {
    const isExpected = this.connection.signalingState === 'have-local-offer'
    // The answer to an offer that a newer one of ours has superseded.
    if (!isExpected || (revision && this.#revision && revision !== this.#revision)) return
    clearTimeout(this.#answerTimer)
    this.#repeats = 0
    if (this.#isOfNewConnection(sdp)) {
      this.#replaceConnection()
      this.begin()
      return this.#offer()
    }
    await this.#setRemote({ type: 'answer', sdp })
    this.#trickle.release(THEIRS_WITHIN_MS)
  }

  // ── ICE ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

  async #addCandidates({ candidates, end }: Candidates): Promise<void> {
    // Those of an answer that came too late.
    if (!this.connection.remoteDescription) return
    for (const candidate of candidates) await this.connection.addIceCandidate(candidate)
    if (!end) return
    await this.connection.addIceCandidate()
    // Those of before the ICE restart end before its answer.
    if (this.connection.signalingState === 'stable') this.#trickle.release()
  }
}
