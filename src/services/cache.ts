// Calls this node has read or written lately, so that a candidate needs no look-up. A cached call may be old: whatever is
// decided on it is verified by the store (a commit by its version, a direct append by the mailbox's memory of versions), and
// nothing is refused on its word. Only calls with nothing left to dispatch are kept here (DESIGN 5a).
import { LRUCache } from 'lru-cache'
import type { CallState } from '../domain/state.js'

export type CallCache = Pick<LRUCache<string, CallState>, 'get' | 'set' | 'delete'>

export const createCallCache = (): CallCache => new LRUCache({ max: 20_000 })
