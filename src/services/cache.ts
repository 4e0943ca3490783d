// What this node has read or written lately, so that a candidate needs no look-up. A cached state may be old: whatever is
// decided on it is verified by the store (a commit by its version, a message by the mailbox's memory of versions), and nothing is
// refused on its word. Only states with nothing left to dispatch are kept here (DESIGN 5a).
import { LRUCache } from 'lru-cache'

export interface Cache<State> {
  get(id: string): State | undefined
  set(id: string, state: State): unknown
  delete(id: string): unknown
}

export const createCache = <State extends object>(): Cache<State> => new LRUCache<string, State>({ max: 20_000 })
