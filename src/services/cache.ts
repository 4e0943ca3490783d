// The states that this node has read or written lately, so that a candidate needs no read. A cached state may be out of date, or lost by a
// failover; the store compares its stamp before it commits or sends anything decided on it. A state with undelivered mail is not cached,
// so that later events do not overtake it.
import { LRUCache } from 'lru-cache'
import type { Stamp } from '../store/aggregate.js'

/** With the tag of the commit that wrote it; version and tag are its stamp. */
export interface CachedState<State> {
  readonly state: State
  readonly tag: string
}

export interface Cache<State> {
  get(id: string): CachedState<State> | undefined
  /** `length` of the state as JSON, in characters. */
  set(id: string, cached: CachedState<State>, length: number): unknown
  delete(id: string): unknown
  /** Caches the commit of another node, unless the cached state is as new. */
  offer(id: string, written: Stamp & { readonly state: string }): void
}

/** Characters of JSON in one cache; decoded states take two or three times as much memory. */
const CACHE_LENGTH_MAX = 33_554_432
/** What an entry takes besides its state. */
const ENTRY_LENGTH = 512
/** Counted as a share of the length: with `max`, lru-cache would allocate all entries in advance. */
const ENTRIES_MAX = 20_000

export function createCache<State extends { readonly version: number }>(lengthMax = CACHE_LENGTH_MAX): Cache<State> {
  const entries = new LRUCache<string, CachedState<State>>({ maxSize: lengthMax })
  const set = (id: string, cached: CachedState<State>, length: number) =>
    entries.set(id, cached, { size: Math.max(length + ENTRY_LENGTH, Math.ceil(lengthMax / ENTRIES_MAX)) })
  return {
    get: id => entries.get(id),
    set,
    delete: id => entries.delete(id),
    offer(id, { version, tag, state }) {
      const cachedVersion = entries.peek(id)?.state.version ?? 0
      if (cachedVersion < version) set(id, { state: JSON.parse(state) as State, tag }, state.length)
    }
  }
}
