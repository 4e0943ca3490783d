// What goes over the wire: every request with its reply, and every event.
import { Emitter } from '../../client/src/emitter.js'

interface EntryBase {
  readonly number: number
  readonly person: string
  /** In ms since the epoch. */
  readonly at: number
}

export interface WireRequest extends EntryBase {
  readonly kind: 'request'
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | null
  /** Null: no reply yet. 0: it failed without one. */
  status: number | null
  /** Until the head of the reply. */
  ms: number | null
  reply: string | null
  /** What a switch of the page did to it. */
  note: string | null
}

export interface WireEvent extends EntryBase {
  readonly kind: 'event'
  readonly type: string
  readonly id: string | null
  /** The cursor before it: a stream or poll from there has this event first. */
  readonly after: string | null
  readonly data: unknown
  /** `repeated`: it had arrived before, and the SDK drops it. Or what a switch of the page does to it. */
  readonly note: string | null
}

export type WireEntry = WireRequest | WireEvent

export interface WireEvents {
  added: WireEntry
  /** Its reply, or a part of that, has arrived. */
  updated: WireRequest
}

type New<Entry extends WireEntry> = Omit<Entry, 'number' | 'at' | 'kind'>

export class Wire extends Emitter<WireEvents> {
  #number = 0

  request(fields: Omit<New<WireRequest>, 'status' | 'ms' | 'reply' | 'note'>): WireRequest {
    const empty = { status: null, ms: null, reply: null, note: null }
    return this.#add({ kind: 'request', ...this.#next(), ...fields, ...empty })
  }

  event(fields: New<WireEvent>): void {
    this.#add({ kind: 'event', ...this.#next(), ...fields })
  }

  update(request: WireRequest, change: Partial<WireRequest>): void {
    Object.assign(request, change)
    this.emit('updated', request)
  }

  #next() {
    return { number: ++this.#number, at: Date.now() }
  }

  #add<Entry extends WireEntry>(entry: Entry): Entry {
    this.emit('added', entry)
    return entry
  }
}
