// A call, from its first moment to its last, as this device sees it. calls.ts hands it the events.
import type {
  AcceptCallReply,
  CallParty,
  Call as CallRecord,
  CallTimeline,
  CreateCallReply,
  CreateCallRequest,
  RejectCallRequest,
  SendCallMessageReply
} from './api.js'
import { holdCall, lockOf } from './call-locks.js'
import { CallMedia, type MediaOptions, type Muted } from './call-media.js'
import { type EndRequest, endCall, endedProblem, isGone, pathOf, type Requester } from './call-requests.js'
import { CallState, type EndReason, type Signals, type Start, type State } from './call-state.js'
import type { RequestOptions } from './core.js'
import type { Negotiator } from './negotiator.js'
import { Problem } from './problem.js'
import type { SignalType } from './signals.js'

export type CreateBody = Omit<CreateCallRequest, 'offer' | 'candidates' | 'end'> & { callId: string }
/** `offer`, `answer`, `candidates` and `end` are for programs that bring their own WebRTC. */
export interface AcceptOptions extends MediaOptions, Signals {}
type Revision = { revision: number } | null
/** What a call needs of the client. */
export interface CallHost extends Requester {
  /** Resolves to what creates the connections of a call; null without RTCPeerConnection. */
  prepare(rtc?: RTCConfiguration): Promise<(() => RTCPeerConnection) | null>
  /** This call goes on under the id of the one that it was merged into. */
  rename(call: Call, before: string): void
  onError(error: unknown): void
}

export class Call extends CallState {
  /** @internal Whether this tab is in the call: it called, accepted or resumed it. */
  isHere = false
  readonly #host: CallHost
  readonly #media = new CallMedia()
  /** The body of the create. Null: the server has the call. */
  #creation: CreateBody | null = null
  readonly #report = (error: unknown): void => {
    if (this.state !== 'ended' && !isGone(error) && !this.emit('error', error)) this.#host.onError(error)
  }

  constructor(host: CallHost, start: Start) {
    super(start)
    this.#host = host
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
  async create(body: CreateBody, { offer, candidates, end, ...options }: AcceptOptions): Promise<void> {
    this.#creation = body
    this.#enter()
    try {
      const negotiator = offer ? null : await this.#open(options)
      if (body.offerer !== 'callee') await negotiator?.offer()
      if (this.#creation && this.state !== 'ended') await this.#create({ offer, candidates, end })
    } catch (error) {
      // It was hung up meanwhile, which closed the connection.
      if (this.state === 'ended' && !(error instanceof Problem)) return
      this.finishAs((error as Problem).code === 'callee_busy' ? 'busy' : 'failed')
      throw error
    }
  }

  async #create(signals: Signals): Promise<Revision> {
    const reply = await this.#host.request<CreateCallReply>('POST', '/calls', { ...this.#creation, ...signals })
    const { call, resolution, offer, candidates, end } = reply
    this.#creation = null
    // It was hung up before the server had it.
    if (this.state === 'ended') await endCall(this.#host, pathOf(call.callId, 'hangup'))
    else if (resolution === 'merged') this.#merge(call, { offer, candidates, end })
    else {
      this.apply(call)
      return call.negotiation
    }
    return null
  }

  /** The callee was calling us: their call goes on, and we have accepted it. Our offer, if there was one, is discarded. */
  #merge(call: CallRecord, first: Signals): void {
    const before = this.id
    Object.assign(this, { direction: 'incoming', record: call })
    this.#host.rename(this, before)
    this.#enter()
    this.apply(call)
    this.adopt(first)
  }

  /** @internal The `call.incoming` of a call that a snapshot had. It may be accepted already. */
  adopt({ offer, candidates, end }: Signals): void {
    this.first = { offer, candidates, end }
    if (this.isHere) this.deliver(this.first)
  }

  /** Rejects with a Problem, such as `answered_elsewhere`. After `caller_busy` you may try again. */
  async accept({ offer, answer, candidates, end, ...options }: AcceptOptions = {}): Promise<void> {
    this.#enter()
    try {
      const negotiator = offer || answer ? null : await this.#open(options)
      if (negotiator) await this.#answerFirst(negotiator)
      if (this.state === 'ringing') await this.#accept({ offer, answer, candidates, end })
      if (this.state === 'ended') throw endedProblem(this.reason)
    } catch (error) {
      this.isHere = false
      this.#media.close()
      if ((error as Problem).code === 'answered_elsewhere') this.finishAs('answered_elsewhere')
      throw this.state === 'ended' && !(error instanceof Problem) ? endedProblem(this.reason) : error
    }
  }

  async #answerFirst(negotiator: Negotiator): Promise<void> {
    const { offer, ...rest } = this.first
    if (!offer) return this.record.offerer === 'callee' ? negotiator.offer() : undefined
    const answered = negotiator.answer(offer)
    this.deliver(rest)
    await answered
  }

  async #accept(signals: Signals): Promise<Revision> {
    const { call } = await this.#post<AcceptCallReply>('accept', signals)
    this.apply(call)
    return call.negotiation
  }

  /** Goes on with a call whose page was reloaded: with a new connection, and new media. */
  async resume(options: MediaOptions = {}): Promise<void> {
    this.#enter()
    const negotiator = await this.#open(options)
    negotiator?.offer().catch(this.#report)
  }

  #enter(): void {
    this.isHere = true
    holdCall(lockOf(this.id, this.direction), new Promise(resolve => this.once('ended', resolve)))
  }

  async #open(options: MediaOptions): Promise<Negotiator | null> {
    const connect = await this.#host.prepare(options.rtc)
    if (!connect || this.state === 'ended') return null
    return this.#media.open(connect, options, {
      ready: () => this.#untilOffersAreTaken(),
      post: (action, body) => this.signal(action, body),
      onTrack: ({ track, transceiver }) => {
        if (this.remoteStream) this.emit('track', { track, transceiver, stream: this.remoteStream })
      },
      onConnected: () => this.#reportConnected(),
      onFailed: () => this.hangup('media_failed').catch(this.#report),
      onError: this.#report
    })
  }

  /** Once a call exists, the caller's offers are refused until it is accepted. */
  async #untilOffersAreTaken(): Promise<void> {
    const waits = this.state === 'ringing' && this.direction === 'outgoing' && !this.#creation
    if (waits) await new Promise(resolve => this.once('accepted', resolve))
  }

  async #reportConnected(): Promise<void> {
    if (this.state !== 'connecting') return
    this.advance('connected')
    await this.#post('connected').catch(this.#report)
  }

  // ── Acting ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Ends the call on this device at once, in every state. */
  async hangup(reason: 'hangup' | 'media_failed' = 'hangup', options: RequestOptions = {}): Promise<void> {
    if (this.state !== 'ringing') return this.#end(reason, 'hangup', { body: { reason }, options })
    // The server keeps a cancel for a create that has not arrived.
    if (this.direction === 'outgoing') return this.#end('cancelled', 'cancel', { options })
    return this.#end('declined', 'hangup', { options })
  }

  /** `device`: stops the ringing on this device only. */
  reject({ scope = 'user' }: RejectCallRequest = {}): Promise<void> {
    return this.#end('declined', 'reject', { body: { scope } })
  }

  async #end(reason: EndReason, action: string, request: EndRequest): Promise<void> {
    if (this.state === 'ended') return
    this.finishAs(reason)
    await endCall(this.#host, pathOf(this.id, action), request)
  }

  /** Stops media in both directions, or lets it flow again. Only in a connected call. */
  async hold(isHeld: boolean): Promise<void> {
    this.held.local = isHeld
    this.#media.negotiator?.senders.hold(isHeld)
    this.emit('held', { ...this.held })
    await this.#post(isHeld ? 'hold' : 'resume')
  }

  /** Stops or resumes tracks of this side, and tells the other side: `mute({ audio: true })`. */
  async mute(muted: Muted): Promise<void> {
    const sends = this.#media.mute(muted)
    if (this.state === 'connecting' || this.state === 'connected') await this.#post('media', sends)
  }

  send(content: string, messageId?: string): Promise<SendCallMessageReply> {
    return this.#post('messages', { content, messageId })
  }

  /** For programs that bring their own WebRTC. The first description goes with the create or the accept. */
  async signal(action: SignalType, body: object): Promise<Revision> {
    if (action === 'candidates' || this.state !== 'ringing') return this.#post(action, body)
    return this.#creation ? this.#create({ [action]: body }) : this.#accept({ [action]: body })
  }

  timeline(): Promise<CallTimeline> {
    return this.#host.request('GET', pathOf(this.id, 'timeline'))
  }

  #post<T>(action: string, body: object = {}): Promise<T> {
    return this.#host.request('POST', pathOf(this.id, action), body)
  }

  // ── What happens ────────────────────────────────────────────────────────────────────────────────────────────────────

  protected override deliverOne(type: SignalType, data: object): void {
    const { negotiator } = this.#media
    if (negotiator) negotiator.receive(type, data)
    else super.deliverOne(type, data)
  }

  protected override advance(state: State): void {
    const before = this.state
    super.advance(state)
    if (this.state === before) return
    const sends = this.#media.mute({})
    if (before === 'ringing' && Object.keys(sends).length > 0) this.mute({}).catch(this.#report)
    this.#media.negotiator?.expectAnswer()
  }

  /** @internal */
  override finishAs(reason: EndReason, by: CallParty | null = null): void {
    this.#media.close()
    super.finishAs(reason, by)
  }

  protected override onListenerError(error: unknown): void {
    this.#host.onError(error)
  }
}
