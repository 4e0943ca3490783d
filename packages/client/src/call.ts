// A call, from its first moment to its last, as this device sees it. calls.ts hands it the events.
import type { AcceptCallReply, CallParty, Call as CallRecord, CreateCallReply } from './api.js'
import { CallActions } from './call-actions.js'
import { type EndReason, type Signals, signalsOf } from './call-events.js'
import { holdCall, lockOf } from './call-locks.js'
import { CallMedia, type MediaOptions, type Muted } from './call-media.js'
import type { AcceptOptions, CreateBody } from './call-requests.js'
import type { State } from './call-state.js'
import type { Negotiator } from './negotiator.js'
import { isGone, Problem } from './problem.js'
import type { SignalType } from './signals.js'

export class Call extends CallActions {
  readonly #media = new CallMedia()
  /** The body of the create. Null: the server has the call. */
  #creation: CreateBody | null = null
  /** Settles with the request. */
  #accepting: Promise<unknown> | null = null
  #rtc: RTCConfiguration | undefined
  /** Lets go of the lock of the call. */
  #release = () => {}
  readonly #report = (error: unknown): void => {
    if (this.state !== 'ended' && !isGone(error) && !this.emit('error', error)) this.host.client.onError(error)
  }

  /** Null before this side begins to connect, and without WebRTC. A call that the other side resumes has a new one. */
  get peerConnection(): RTCPeerConnection | null {
    return this.#media.negotiator?.connection ?? null
  }
  /** The media of the other side: the same object as long as the call lasts. Null without WebRTC. */
  get remoteStream(): MediaStream | null {
    return this.#media.remote
  }

  /** @internal The first offer goes with the create. */
  async create(body: CreateBody, options: AcceptOptions): Promise<void> {
    this.#creation = body
    this.#enter()
    try {
      const negotiator = options.offer ? null : await this.#open(options)
      if (body.offerer !== 'callee') await negotiator?.offer()
      if (this.#creation && this.state !== 'ended') await this.#create(signalsOf(options))
    } catch (error) {
      // It was hung up meanwhile, which closed the connection.
      if (this.state === 'ended' && !(error instanceof Problem)) return
      this.finishAs((error as Problem).code === 'callee_busy' ? 'busy' : 'failed')
      throw error
    }
  }

  async #create(signals: Signals): Promise<CallRecord['negotiation'] | null> {
    const body = { ...this.#creation, ...signals }
    const reply = await this.host.client.requestAndShare<CreateCallReply>('POST', '/calls', body)
    const { call, resolution } = reply
    this.#creation = null
    // It was hung up before the server had it.
    if (this.state === 'ended') {
      this.callRecord = call
      await this.leave('hangup')
    } else if (resolution === 'merged') this.#merge(call, signalsOf(reply))
    else {
      this.applyRecord(call)
      return call.negotiation
    }
    return null
  }

  /** The callee was calling us: their call goes on, and we have accepted it. Our offer, if there was one, is discarded. */
  #merge(call: CallRecord, first: Signals): void {
    const before = this.id
    Object.assign(this, { direction: 'incoming', callRecord: call })
    this.host.rename(this, before)
    this.#enter()
    this.applyRecord(call)
    this.adopt(first)
  }

  /** Rejects with a Problem, such as `answered_elsewhere`. After `caller_busy` you may try again. Does nothing in a call that this tab is in. */
  async accept(options: AcceptOptions = {}): Promise<void> {
    if (this.isHere && this.state !== 'ended') return
    this.#enter()
    try {
      const negotiator = options.offer || options.answer ? null : await this.#open(options)
      if (negotiator) await this.#answerFirst(negotiator)
      if (this.state === 'ringing' && this.direction === 'incoming') await this.#accept(signalsOf(options))
      // Of a call that the operator has started, if it did not go with the accept.
      if (this.isOfferer && !negotiator?.connection.localDescription) negotiator?.offer().catch(this.#report)
    } catch (error) {
      this.isHere = false
      this.#media.close()
      if ((error as Problem).code === 'answered_elsewhere') this.finishAs('answered_elsewhere')
      if (this.state !== 'ended' || error instanceof Problem) throw error
    }
    if (this.state !== 'ended') return
    const code = this.reason === 'answered_elsewhere' ? this.reason : 'call_ended'
    throw new Problem({ code, message: 'The call has ended' })
  }

  async #answerFirst(negotiator: Negotiator): Promise<void> {
    const { offer, ...rest } = this.first
    if (!offer) return this.#offersNow ? negotiator.offer() : undefined
    const answered = negotiator.answer(offer)
    this.deliver(rest)
    await answered
  }

  /** A snapshot does not say whether the operator has started the call: then the offer waits for the reply to the accept. */
  get #offersNow(): boolean {
    return (
      this.isOfferer && (this.startedBy !== null || this.direction === 'outgoing' || this.from.device !== 'operator')
    )
  }

  #accept(signals: Signals): Promise<CallRecord['negotiation'] | null> {
    const accepting = this.post<AcceptCallReply>('accept', signals).then(({ call }) => {
      this.applyRecord(call)
      this.#enter()
      return call.negotiation
    })
    this.#accepting = accepting.catch(() => {
      this.#accepting = null
    })
    return accepting
  }

  /** Goes on with a call whose page was reloaded: with a new connection, and new media. */
  async resume(options: MediaOptions = {}): Promise<void> {
    this.#enter()
    const negotiator = await this.#open(options)
    negotiator?.offer().catch(this.#report)
  }

  #enter(): void {
    this.isHere = true
    this.#release()
    holdCall(
      lockOf(this.id, this.direction),
      new Promise<void>(resolve => {
        this.#release = resolve
      })
    )
  }

  async #open(options: MediaOptions): Promise<Negotiator | null> {
    this.#rtc = options.rtc
    const connect = await this.host.client.prepare(options.rtc)
    if (!connect || this.state === 'ended') return null
    return this.#media.open(connect, options, {
      whenReady: () => this.#untilOffersAreTaken(),
      answersFirst: () => !this.#offersNow,
      post: (action, body) => this.signal(action, body),
      onTrack: ({ track, transceiver }) => {
        const stream = this.remoteStream
        stream?.addTrack(track)
        if (stream) this.emit('track', { track, transceiver, stream })
      },
      onConnected: () => this.#reportConnected(),
      onFailed: () => this.hangup('media_failed').catch(this.#report),
      ...{ onError: this.#report, iceRestartsMs: this.host.client.options.times?.iceRestartsMs }
    })
  }

  /** Once a call exists, the caller's offers are refused until it is accepted. */
  async #untilOffersAreTaken(): Promise<void> {
    if (this.state !== 'ringing' || this.direction === 'incoming' || this.#creation) return
    // If it ends instead, the offer is refused as call_ended.
    await new Promise(resolve => (['accepted', 'ended'] as const).map(type => this.once(type, resolve)))
  }

  async #reportConnected(): Promise<void> {
    if (this.state !== 'connecting') return
    this.advanceTo('connected')
    await this.post('connected').catch(this.#report)
  }

  // ── Acting ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Stops media in both directions, or lets it flow again. Only in a connected call. */
  async hold(isHeld: boolean): Promise<void> {
    this.held.local = isHeld
    this.#media.negotiator?.senders.hold(isHeld)
    this.emit('held', { ...this.held })
    await this.post(isHeld ? 'hold' : 'resume')
  }

  /** Stops or resumes tracks of this side, and tells the other side: `mute({ audio: true })`. */
  async mute(muted: Muted): Promise<void> {
    const sends = this.#media.mute(muted)
    if (this.state === 'connecting' || this.state === 'connected') await this.post('media', sends)
  }

  /** For programs that bring their own WebRTC. The first description goes with the create or the accept. */
  async signal(action: SignalType, body: object): Promise<CallRecord['negotiation'] | null> {
    if (action === 'candidates' || this.state !== 'ringing') return this.post(action, body)
    if (this.#creation) return this.#create({ [action]: body })
    if (this.direction === 'incoming' && !this.#accepting) return this.#accept({ [action]: body })
    // A repeated accept may not take it.
    await this.#accepting
    await this.#untilOffersAreTaken()
    return this.post(action, body)
  }

  // ── What happens ────────────────────────────────────────────────────────────────────────────────────────────────────

  protected override deliverOne(type: SignalType, data: object): void {
    const { negotiator } = this.#media
    if (negotiator) negotiator.receive(type, data)
    else super.deliverOne(type, data)
  }

  protected override advanceTo(state: State): void {
    const before = this.state
    super.advanceTo(state)
    if (this.state === before) return
    const sends = this.#media.mute({})
    if (before === 'ringing' && Object.keys(sends).length > 0) this.mute({}).catch(this.#report)
    this.#media.negotiator?.expectAnswer()
  }

  /** With a new connection, and the same media. */
  protected override onOtherPeer(): void {
    if (this.isHere) this.#enter()
    this.#media.renew(() => this.host.client.prepare(this.#rtc), this.isOfferer).catch(this.#report)
  }

  /** @internal */
  override finishAs(reason: EndReason, by: CallParty | null = null): void {
    this.#release()
    this.#media.close()
    super.finishAs(reason, by)
  }

  protected override onError(error: unknown): void {
    this.host.client.onError(error)
  }
}
