// All calls of this tab: which call an event belongs to, and what becomes of calls that an earlier page was in.
import type { Call as CallRecord, Snapshot } from './api.js'
import { Call } from './call.js'
import type { EndReason, First } from './call-events.js'
import { type Direction, heldLocks, lockOf } from './call-locks.js'
import { type AcceptOptions, type CallHost, type Client, type CreateBody, pathOf } from './call-requests.js'
import type { SignalpostEvent } from './core.js'
import { listen, randomId } from './platform.js'

/** A user, one device of a user, or up to 8 of them: the first who accepts is in the call. */
export type CallTo = CreateBody['to']

export interface CallOptions extends AcceptOptions, Partial<Omit<CreateBody, 'to' | 'media'>> {
  /** What the call is for. By default what `media` has: `video`, `audio` or `data`. */
  readonly kind?: CreateBody['media']
  /** Cancels the call, also before the server has it. */
  readonly signal?: AbortSignal
}

/** What calls need of the client. */
export interface CallsClient extends Client {
  request(method: 'POST', path: string): Promise<unknown>
  /** A call rings, or no tab has it. Returns false if the application does not listen. */
  emit(type: 'incoming' | 'resumable', call: Call): boolean
  has(type: 'resumable'): boolean
}

export class Calls implements CallHost {
  /** Calls that have not ended, by id. */
  readonly live = new Map<string, Call>()
  readonly client: CallsClient

  constructor(client: CallsClient) {
    this.client = client
    listen('pagehide', () => this.#onPageHide())
  }

  async create(to: CallTo, options: CallOptions): Promise<Call> {
    const { callId = randomId(), media, kind = kindOf(media), signal, setup, rtc, ...rest } = options
    signal?.throwIfAborted()
    const { offer, answer, candidates, end, ...body } = rest
    const { device, user } = this.client
    const creation = { ...body, to, callId, ...(kind && { media: kind }) }
    // The reply says whom it rings.
    const record = { ...creation, caller: { user: user ?? '', device }, callee: null }
    const call = this.#add(new Call(this, { direction: 'outgoing', callRecord: record, user }))
    signal?.addEventListener('abort', () => call.hangup().catch(error => this.client.onError(error)))
    await call.beforeListening(() => call.create(creation, options))
    return this.live.get(call.id) ?? call
  }

  #add(call: Call): Call {
    this.live.set(call.id, call)
    call.once('ended', () => {
      if (this.live.get(call.id) === call) this.live.delete(call.id)
    })
    return call
  }

  /** The call that rang here under this id is the one that we now have. */
  rename(call: Call, before: string): void {
    this.live.delete(before)
    this.live.get(call.id)?.finishAs('merged')
    this.live.set(call.id, call)
  }

  // ── Events ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  receive(event: SignalpostEvent): void {
    const { type, data } = event
    const call = this.live.get((data as { callId: string }).callId)
    if (type === 'call.incoming') call ? call.adopt(data) : this.#ring(data.call, data)
    else call?.receive(event)
  }

  #ring(record: CallRecord, first: First = {}): void {
    const { user } = this.client
    const call = this.#add(new Call(this, { direction: 'incoming', callRecord: record, user, first }))
    if (!this.client.emit('incoming', call)) return
    // The other tabs ring themselves: they need not be told.
    this.client.request('POST', pathOf(call.id, 'ringing')).catch(() => {})
  }

  /** Another tab of this device has acted. */
  onOwn({ call: record }: { call?: CallRecord }): void {
    const call = record && this.live.get(record.callId)
    if (!call || call.isHere || call.version > record.version) return
    if (record.state !== 'ended') call.finishAs('answered_elsewhere')
    else call.finishAs(record.reason === 'declined' ? 'declined_elsewhere' : (record.reason as EndReason))
  }

  /** At the start, and after a reset: events may be missing. */
  async onSnapshot({ calls }: Snapshot): Promise<void> {
    const ids = new Set(calls.map(({ callId }) => callId))
    for (const call of this.live.values()) if (!ids.has(call.id) && call.version > 0) call.finishAs('lost')
    const held = await heldLocks()
    for (const record of calls) {
      const known = this.live.get(record.callId)
      if (known) known.applyRecord(record)
      else if (record.state === 'ringing' && record.callee?.user === this.client.user) this.#ring(record)
      else if (this.#isOurs(record) && !held.has(lockOf(record.callId, this.#directionOf(record))))
        this.#takeOver(record)
    }
  }

  #isOurs({ caller, callee }: CallRecord): boolean {
    const { device, user } = this.client
    return [caller, callee].some(side => side?.user === user && side.device === device)
  }

  #directionOf({ caller }: CallRecord): Direction {
    return caller.user === this.client.user ? 'outgoing' : 'incoming'
  }

  /** The page that was in this call is gone, and its media with it. */
  #takeOver(record: CallRecord): void {
    const { user } = this.client
    const call = this.#add(new Call(this, { direction: this.#directionOf(record), callRecord: record, user }))
    if (!this.client.emit('resumable', call)) call.hangup().catch(error => this.client.onError(error))
  }

  #onPageHide(): void {
    if (this.client.has('resumable')) return
    for (const call of this.live.values()) if (call.isHere) call.hangup('hangup', { keepalive: true }).catch(() => {})
  }
}

function kindOf(media: MediaStream | undefined): CreateBody['media'] {
  if (!media) return undefined
  return media.getVideoTracks().length > 0 ? 'video' : 'audio'
}
