// The watch index. A device's watch list says which users it watches; the index of each watched user says which devices watch them. The
// two lie in different partitions, and several requests may change both at once.
import type { Watcher } from '../../store/watches.js'
import type { Context } from '../context.js'

/** Adds the watcher to the index of each of these users. Resolves to the users who have too many watchers. */
export async function addToWatchIndex(context: Context, watcher: Watcher, users: readonly string[]): Promise<string[]> {
  const { store, clock, config } = context
  const entry = { ...watcher, at: clock.now() }
  const added = await Promise.all(users.map(user => store.watches.add(user, entry, config.maxWatchersPerUser)))
  return users.filter((_, i) => !added[i])
}

/**
 * Makes the index of `users` agree with the watcher's list. Another request may change the list at the same time, so the list is read
 * again until it is the one that was applied. The users in `indexed` have the watcher in their index already.
 */
export async function syncWatchIndex(
  context: Context,
  watcher: Watcher,
  { users, indexed = [] }: { readonly users: readonly string[]; readonly indexed?: readonly string[] }
): Promise<void> {
  const { watches } = context.store
  const known = new Set(indexed)
  let list = await watches.list(watcher)
  for (;;) {
    const applied = new Set(list)
    const missing = users.filter(user => applied.has(user) && !known.has(user))
    const surplus = users.filter(user => !applied.has(user))
    await Promise.all([
      addToWatchIndex(context, watcher, missing),
      ...surplus.map(user => watches.remove(user, watcher))
    ])
    // A concurrent request that applies another list may have removed them from the index.
    known.clear()
    list = await watches.list(watcher)
    if (list.length === applied.size && list.every(user => applied.has(user))) return
  }
}
