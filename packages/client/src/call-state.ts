// What the server says about a call: its state, and who is in it.
import type { CalleeStatus, CallParty, Call as CallRecord, EndReason as ServerReason } from './api.js'
import type { SignalpostEvent } from './core.js'
import type { Listener } from './emitter.js'
import { Receiver } from './receiver.js'
import type { Candidates, Description, SignalType } from './signals.js'

/** `failed`: the server refused the call. `merged`: both users called each other, and the other Call object goes on. */
export type EndReason = ServerReason | 'failed' | 'merged'

export interface Signals {
  readonly offer?: { readonly sdp: string; readonly revision?: number } | undefined
  readonly answer?: { readonly sdp: string; readonly revision?: number } | undefined
  readonly candidates?: readonly RTCIceCandidateInit[] | undefined
  readonly end?: boolean | undefined
}

export interface CallEvents {
  /** A device of the callee rings. */
  ringing: object
  accepted: object
  /** Of several callees one begins to ring, or has ended while others go on. */
  callee: { callee: CalleeStatus }
  connected: object
  track: { track: MediaStreamTrack; stream: MediaStream; transceiver: RTCRtpTransceiver }
  /** A side has put the call on hold, or has taken it off hold. */
  held: { local: boolean; remote: boolean }
  /** Whether the other side sends audio and video. Null: it has not said so. */
  media: { audio: boolean | null; video: boolean | null }
  message: { messageId: string; content: string; from: CallParty }
  /** The call ends as `lost` after this time unless the other side comes back. */
  peer_away: { expiresInMs: number }
  peer_back: object
  /** Without a peerConnection: a signal of the other side. */
  signal: { type: 'offer' | 'answer'; data: Description } | { type: 'candidates'; data: Candidates }
  ended: { reason: EndReason; by: CallParty | null }
  error: unknown
}

export interface Start {
  readonly direction: 'incoming' | 'outgoing'
  readonly callRecord: Pick<CallRecord, 'callId' | 'caller' | 'callee'> & Partial<CallRecord>
  /** What came with `call.incoming`. */
  readonly first?: Signals
}

/** Those among other options. */
export const signalsOf = ({ offer, answer, candidates, end }: Signals): Signals => ({ offer, answer, candidates, end })

export type State = CallRecord['state']
const ORDER: readonly State[] = ['ringing', 'connecting', 'connected', 'ended']

export class CallState extends Receiver<CallEvents> {
  direction: Start['direction']
  state: State
  reason: EndReason | null = null
  /** When its time to ring or to connect ends, in ms by the clock of this machine. Null: no limit. */
  expiresAt: number | null = null
  readonly held = { local: false, remote: false }
  /** @internal Whether this tab is in the call: it called, accepted or resumed it. */
  isHere = false
  /** What came with `call.incoming`: the offer to answer. */
  first: Signals
  protected callRecord: Start['callRecord']
  /** Signals wait for the first listener: they may arrive before the reply to the request that they answer. */
  readonly #signals: CallEvents['signal'][] = []

  constructor({ direction, callRecord, first = {} }: Start) {
    super()
    this.direction = direction
    this.callRecord = callRecord
    this.first = first
    this.state = callRecord.state ?? 'ringing'
    this.held.local = callRecord.held?.[direction === 'incoming' ? 'callee' : 'caller'] ?? false
    this.#note(callRecord)
  }

  get id(): string {
    return this.callRecord.callId
  }
  get from(): CallRecord['caller'] {
    return this.callRecord.caller
  }
  /** Null as long as several callees are called, and before the server has the call. */
  get to(): CallParty | null {
    return this.callRecord.callee
  }
  /** Of a call to several users, for the caller: how it goes with each. Otherwise empty. */
  get callees(): readonly CalleeStatus[] {
    return this.callRecord.callees ?? []
  }
  /** The other side. Null as long as several callees are called. */
  get peer(): CallParty | null {
    return this.direction === 'incoming' ? this.from : this.to
  }
  /** The side that makes the first offer. */
  get offerer(): CallRecord['offerer'] {
    return this.callRecord.offerer ?? 'caller'
  }
  /** What the call is for. */
  get kind(): CallRecord['media'] {
    return this.callRecord.media ?? null
  }
  get metadata(): CallRecord['metadata'] {
    return this.callRecord.metadata ?? {}
  }
  get version(): number {
    return this.callRecord.version ?? 0
  }

  /** @internal Takes the state of a reply, an event or a snapshot. */
  applyRecord(record: Partial<CallRecord>): void {
    if (this.state === 'ended' || (record.version ?? this.version) < this.version) return
    this.callRecord = { ...this.callRecord, ...record }
    this.#note(record)
    const { state = this.state } = record
    if (state === 'ended') this.finishAs(record.reason as EndReason, record.endedBy)
    else this.advanceTo(state)
  }

  #note({ expiresInMs, held }: Partial<CallRecord>): void {
    if (expiresInMs !== undefined) this.expiresAt = expiresInMs === null ? null : Date.now() + expiresInMs
    if (held) this.held.remote = held[this.direction === 'incoming' ? 'caller' : 'callee']
  }

  /** A call never goes back to an earlier state. */
  protected advanceTo(state: State): void {
    if (ORDER.indexOf(state) <= ORDER.indexOf(this.state)) return
    const before = this.state
    this.state = state
    // In its turn: not before `client.call` resolves, if this comes with the reply to the create.
    if (before === 'ringing') this.receive({ type: 'accepted', data: {} } as unknown as SignalpostEvent)
    if (state === 'connected') this.emit('connected', {})
  }

  /** @internal The call has ended for this device. */
  finishAs(reason: EndReason, by: CallParty | null = null): void {
    if (this.state === 'ended') return
    this.state = 'ended'
    this.reason = reason
    this.expiresAt = null
    this.emit('ended', { reason, by })
  }

  protected override handleNow({ type, data }: SignalpostEvent): void {
    // Its reason is that of this user; the state of the call has the reason of the one who ended it, or goes on elsewhere.
    if (type === 'call.ended') this.finishAs(data.reason, data.endedBy)
    const { callee } = data as { callee?: CalleeStatus }
    Object.assign(this.callees.find(({ user }) => user === callee?.user) ?? {}, callee)
    this.applyRecord('call' in data ? data.call : ({ ...data, callee: this.to } as Partial<CallRecord>))
    if (this.state === 'ended') return
    const name = type.slice(type.indexOf('.') + 1)
    if (type === 'call.accepted') this.deliver(data)
    else if (type === 'call.connected') this.advanceTo(name as State)
    else if (type.startsWith('signal.')) this.deliverOne(name as SignalType, data)
    else if ('held' in data) this.emit('held', { ...this.held })
    else this.emit(name.replace('_changed', '') as keyof CallEvents, data as never)
  }

  /** @internal The `call.incoming` of a call that a snapshot had. It may be accepted already. */
  adopt(signals: Signals): void {
    this.first = signalsOf(signals)
    if (this.isHere) this.deliver(this.first)
  }

  protected deliver({ offer, answer, candidates, end }: Signals): void {
    if (offer) this.deliverOne('offer', offer)
    if (answer) this.deliverOne('answer', answer)
    if (candidates) this.deliverOne('candidates', { candidates, end })
  }

  /** Gives it to the negotiation of this side. */
  protected deliverOne(type: SignalType, data: object): void {
    this.#signals.push({ type, data } as CallEvents['signal'])
    this.#emitSignals()
  }

  #emitSignals(): void {
    while (this.has('signal') && this.#signals[0]) this.emit('signal', this.#signals.shift() as CallEvents['signal'])
  }

  override on<Type extends keyof CallEvents>(type: Type, listener: Listener<CallEvents[Type]>): () => void {
    queueMicrotask(() => this.#emitSignals())
    return super.on(type, listener)
  }
}
