// What this node has read or written lately, so that a candidate needs no look-up. A cached state may be old, or a failover may have
// forgotten it: whatever is decided on it is verified by the store (by the stamp of its commit), and nothing is refused on its
// account. Only states with nothing left to dispatch are kept here (DESIGN 5a).
import { LRUCache } from 'lru-cache'

/** A state, and the tag of the commit that wrote it: with the state's version its stamp. */
export interface Known<State> {
  readonly state: State
  readonly tag: string
}

export interface Cache<State> {
  get(id: string): Known<State> | undefined
  set(id: string, known: Known<State>): unknown
  delete(id: string): unknown
}

export const createCache = <State extends object>(): Cache<State> => new LRUCache<string, Known<State>>({ max: 20_000 })
