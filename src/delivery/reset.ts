// A mailbox may hold a RESET: what stands before it may lack something, so a reader begins there and reads the snapshot.
import { RESET } from '../store/forgotten.js'
import type { StoredEvent } from '../store/store.js'

/** What is delivered of a page: all of it, or what follows its last reset, which comes first. */
export function afterReset(events: readonly StoredEvent[]): readonly StoredEvent[] {
  const last = events.findLastIndex(({ type }) => type === RESET)
  return last < 0 ? events : events.slice(last)
}
