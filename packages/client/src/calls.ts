// All calls of this tab: which call an event belongs to, and what becomes of calls that an earlier page was in.
import type { Call as CallRecord, Snapshot } from './api.js'
import { type AcceptOptions, Call, type CallHost, type CreateBody } from './call.js'
import { type Direction, heldLocks, lockOf } from './call-locks.js'
import { pathOf } from './call-requests.js'
import type { Signals } from './call-state.js'
import type { SignalpostCore, SignalpostEvent } from './core.js'
import { listen, randomId } from './platform.js'

export interface CallOptions extends AcceptOptions, Partial<Omit<CreateBody, 'to' | 'media'>> {
  /** What the call is for. By default what `media` has: `video`, `audio` or `data`. */
  readonly kind?: CreateBody['media']
  /** Cancels the call, also before the server has it. */
  readonly signal?: AbortSignal
}

export interface CallsOptions extends Omit<CallHost, 'rename'> {
  readonly client: Pick<SignalpostCore, 'device' | 'user' | 'request'>
  /** A call rings, or no tab has it. Returns false if the application does not listen. */
  ring(type: 'incoming' | 'resumable', call: Call): boolean
  isResumed(): boolean
}

export class Calls {
  /** Calls that have not ended, by id. */
  readonly live = new Map<string, Call>()
  readonly #options: CallsOptions
  readonly #host: CallHost

  constructor(options: CallsOptions) {
    this.#options = options
    this.#host = { ...options, rename: (call, before) => this.#rename(call, before) }
    listen('pagehide', () => this.#onPageHide())
  }

  async create(to: string, options: CallOptions): Promise<Call> {
    const { callId = randomId(), media, kind = kindOf(media), signal, ...rest } = options
    signal?.throwIfAborted()
    const { setup, rtc, offer, answer, candidates, end, ...body } = rest
    const { device, user } = this.#options.client
    const record = {
      ...body,
      callId,
      media: kind ?? null,
      caller: { user: user ?? '', device },
      callee: { user: to, device: null }
    }
    const call = this.#add(new Call(this.#host, { direction: 'outgoing', record }))
    signal?.addEventListener('abort', () => call.hangup().catch(this.#options.onError))
    const creation = { ...body, to, callId, ...(kind && { media: kind }) }
    await call.beforeListening(() => call.create(creation, { media, setup, rtc, offer, candidates, end }))
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
  #rename(call: Call, before: string): void {
    this.live.delete(before)
    this.live.get(call.id)?.finishAs('merged')
    this.live.set(call.id, call)
  }

  // ── Events ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  receive(event: SignalpostEvent): void {
    const { type, data } = event
    if (!('callId' in data)) return
    const call = this.live.get(data.callId)
    if (type === 'call.incoming') call ? call.adopt(data) : this.#ring(data.call, data)
    else call?.receive(event)
  }

  #ring(record: CallRecord, { offer, candidates, end }: Signals = {}): void {
    const first = { offer, candidates, end }
    const call = this.#add(new Call(this.#host, { direction: 'incoming', record, first }))
    if (!this.#options.ring('incoming', call)) return
    // The other tabs ring themselves: they need not be told.
    this.#options.client.request('POST', pathOf(call.id, 'ringing')).catch(() => {})
  }

  /** Another tab of this device has acted. */
  onOwn({ call: record }: { call?: CallRecord }): void {
    const call = record && this.live.get(record.callId)
    if (!call || call.isHere || call.version > record.version) return
    if (record.state !== 'ended') call.finishAs('answered_elsewhere')
    else call.finishAs(record.reason === 'declined' ? 'declined_elsewhere' : (record.reason ?? 'server'))
  }

  /** At the start, and after a reset: events may be missing. */
  async onSnapshot({ calls }: Snapshot): Promise<void> {
    const ids = new Set(calls.map(({ callId }) => callId))
    for (const call of this.live.values()) if (!ids.has(call.id) && call.version > 0) call.finishAs('lost')
    const held = await heldLocks()
    for (const record of calls) {
      const known = this.live.get(record.callId)
      if (known) known.apply(record)
      else if (record.state === 'ringing' && record.callee?.user === this.#options.client.user) this.#ring(record)
      else if (this.#isOurs(record) && !held.has(lockOf(record.callId, this.#directionOf(record))))
        this.#takeOver(record)
    }
  }

  #isOurs({ caller, callee }: CallRecord): boolean {
    const { device, user } = this.#options.client
    return [caller, callee].some(side => side?.user === user && side.device === device)
  }

  #directionOf({ caller }: CallRecord): Direction {
    return caller.user === this.#options.client.user ? 'outgoing' : 'incoming'
  }

  /** The page that was in this call is gone, and its media with it. */
  #takeOver(record: CallRecord): void {
    const call = this.#add(new Call(this.#host, { direction: this.#directionOf(record), record }))
    if (!this.#options.ring('resumable', call)) call.hangup().catch(this.#options.onError)
  }

  #onPageHide(): void {
    if (this.#options.isResumed()) return
    for (const call of this.live.values()) if (call.isHere) call.hangup('hangup', { keepalive: true }).catch(() => {})
  }
}

function kindOf(media: MediaStream | undefined): CreateBody['media'] {
  if (!media) return undefined
  return media.getVideoTracks().length > 0 ? 'video' : 'audio'
}
