// What the server says about a call: its state, and who is in it.
import type { CalleeStatus, CallParty, Call as CallRecord, Endpoint, EventData, PendingTransfer } from './api.js'
import type { CallEvents, EndReason, First, Signals, Start } from './call-events.js'
import type { SignalpostEvent } from './core.js'
import type { Listener } from './emitter.js'
import { Receiver } from './receiver.js'
import type { SignalType } from './signals.js'

export type State = CallRecord['state']
const ORDER: readonly State[] = ['ringing', 'connecting', 'connected', 'ended']

const isSame = (a: CallParty, b: CallParty | null) => a.user === b?.user && a.device === b.device

export abstract class CallState extends Receiver<CallEvents> {
  direction: Start['direction']
  state: State
  reason: EndReason | null = null
  /** When its time to ring or to connect ends, in ms by the clock of this machine. Null: no limit. */
  expiresAt: number | null = null
  readonly held = { local: false, remote: false }
  /** @internal Whether this tab is in the call: it called, accepted or resumed it. */
  isHere = false
  /** @internal */
  first: First
  readonly #user: string | null
  protected callRecord: Start['callRecord']
  /** Signals wait for the first listener: they may arrive before the reply to the request that they answer. */
  readonly #signals: CallEvents['signal'][] = []

  constructor({ direction, callRecord, user, first = {} }: Start) {
    super()
    this.#user = user
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
  /** The operator has started the call: you are the first to ring, and `peer` is whom you call when you accept. */
  get startedBy(): 'operator' | null {
    return this.first.startedBy ?? null
  }
  /** Who transfers the call to you, or has done so. */
  get transferredBy(): CallParty | null {
    return this.first.transferredBy ?? null
  }
  /** Of an attended transfer to you: the id of your call with that user. It ends when you accept this one. */
  get replaces(): string | null {
    return this.first.replaces ?? null
  }
  /** The transfer whose target rings while both parties are in the call. */
  get pendingTransfer(): PendingTransfer | null {
    return this.callRecord.transfer ?? null
  }
  get version(): number {
    return this.callRecord.version ?? 0
  }

  /** @internal Takes the state of a reply, an event or a snapshot. */
  applyRecord(record: Partial<CallRecord>): void {
    if (this.state === 'ended' || (record.version ?? this.version) < this.version) return
    const { peer, callRecord } = this
    const { state = this.state, caller } = record
    // A whole record without a transfer says that none is pending.
    this.callRecord = { ...callRecord, ...(caller && { transfer: undefined }), ...record } as Start['callRecord']
    if (caller && this.#user) this.direction = caller.user === this.#user ? 'outgoing' : 'incoming'
    this.#note(record)
    if (state === 'ended') this.finishAs(record.reason as EndReason, record.endedBy)
    else if (this.state !== 'ringing' && peer?.device && !isSame(peer, this.peer)) this.#beginAnew()
    this.advanceTo(state)
  }

  /** The call was transferred, and is one with another user. */
  #beginAnew(): void {
    this.state = 'ringing'
    this.held.local = false
    this.emit('held', { ...this.held })
    this.onOtherPeer()
  }

  protected abstract onOtherPeer(): void

  /** Whether this side makes the first offer: as the caller, also if the operator has started the call and this user is to be the caller. */
  protected get isOfferer(): boolean {
    return (this.direction === 'outgoing' || this.startedBy !== null) === (this.offerer === 'caller')
  }

  #note({ expiresInMs, held }: Partial<CallRecord>): void {
    if (expiresInMs !== undefined) this.expiresAt = expiresInMs === null ? null : Date.now() + expiresInMs
    if (held) this.held.remote = held[this.direction === 'incoming' ? 'caller' : 'callee']
  }

  /** A call goes back to an earlier state only when it is transferred. */
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
    this.applyRecord('call' in data ? data.call : this.#recordOf(type, data))
    if (this.state === 'ended') return
    const name = type.slice(type.indexOf('.') + 1)
    if (type === 'call.accepted' || type === 'call.transferred') this.deliver(data as Signals)
    if (type === 'call.accepted') return
    if (type === 'call.connected') this.advanceTo(name as State)
    else if (type.startsWith('signal.')) this.deliverOne(name as SignalType, data)
    else if ('held' in data) this.emit('held', { ...this.held })
    else this.emit(name.replace('_changed', '') as keyof CallEvents, data as never)
  }

  /** What an event without a whole record says. */
  #recordOf(type: string, data: object): Partial<CallRecord> {
    const { version, to, toCall, expiresInMs, left } = data as EventData['call.transferring']
    if (type === 'call.transfer_failed') return { transfer: undefined, version } as object
    if (type !== 'call.transferring') return { ...data, callee: this.to }
    const { caller, callee } = this.callRecord
    const isIncoming = this.direction === 'incoming'
    // The acting side receives no event.
    const transfer = { by: isIncoming ? 'caller' : 'callee', to, toCall, expiresInMs } as PendingTransfer
    if (!left) return { version, transfer }
    return {
      ...{ version, state: 'ringing', expiresInMs, offerer: this.isOfferer ? 'caller' : 'callee' },
      ...{ caller: (isIncoming ? callee : caller) as Endpoint, callee: { user: to.user, device: null } }
    }
  }

  /** @internal The `call.incoming` of a call that a snapshot had. It may be accepted already. */
  adopt(first: First): void {
    this.first = first
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
