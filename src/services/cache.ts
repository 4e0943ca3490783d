// What this node has read or written lately, so that a candidate needs no look-up. A cached state may be old, or a failover may have
// forgotten it: whatever is decided on it is verified by the store (by the stamp of its commit), and nothing is refused on its
// account. Only states with nothing left to deliver are kept here (DESIGN 5a).
import { LRUCache } from 'lru-cache'
import type { Stamp } from '../store/aggregate.js'

/** A state, and the tag of the commit that wrote it: with the state's version its stamp. */
export interface Known<State> {
  readonly state: State
  readonly tag: string
}

export interface Cache<State> {
  get(id: string): Known<State> | undefined
  /** `length` is that of the state as text. */
  set(id: string, known: Known<State>, length: number): unknown
  delete(id: string): unknown
  /** What another node has written, unless something as new is cached. */
  offer(id: string, written: Stamp & { readonly state: string }): void
}

/** Of all states in one cache, as text; decoded they take two or three times as much. */
const CACHE_LENGTH_MAX = 33_554_432
/** What an entry takes beside its state. */
const ENTRY_LENGTH = 512

export function createCache<State extends { readonly version: number }>(lengthMax = CACHE_LENGTH_MAX): Cache<State> {
  const kept = new LRUCache<string, Known<State>>({ max: 20_000, maxSize: lengthMax })
  const set = (id: string, known: Known<State>, length: number) => kept.set(id, known, { size: length + ENTRY_LENGTH })
  return {
    get: id => kept.get(id),
    set,
    delete: id => kept.delete(id),
    offer(id, { version, tag, state }) {
      const cached = kept.peek(id)?.state.version ?? 0
      if (cached < version) set(id, { state: JSON.parse(state) as State, tag }, state.length)
    }
  }
}
