// A device's list says whom it watches; an index beside each watched user says who does. They lie in different partitions, and
// several may be at work on both.
import type { Watcher } from '../../store/watches.js'
import type { Context } from '../context.js'

/** Among the watchers of each of these. Resolves to those who have too many. */
export async function enlist({ store, clock, config }: Context, watcher: Watcher, users: readonly string[]) {
  const watched = { ...watcher, at: clock.now() }
  const added = await Promise.all(users.map(user => store.watches.add(user, watched, config.maxWatchersPerUser)))
  return users.filter((_, i) => !added[i])
}

/**
 * The index says of these users what the list says. What is done here may come after what somebody else did on another list: so
 * whoever touches the index looks at the list again, until it is the one that was followed. Those in `enlisted` are in the index.
 */
export async function followList(
  context: Context,
  watcher: Watcher,
  about: readonly string[],
  enlisted: readonly string[] = []
): Promise<void> {
  const { watches } = context.store
  let list = await watches.list(watcher)
  const indexed = new Set(enlisted)
  for (;;) {
    const followed = new Set(list)
    const missing = about.filter(user => followed.has(user) && !indexed.has(user))
    const others = about.filter(user => !followed.has(user))
    await Promise.all([enlist(context, watcher, missing), ...others.map(user => watches.remove(user, watcher))])
    // Another list may be followed meanwhile, which takes away what is here.
    indexed.clear()
    list = await watches.list(watcher)
    if (list.length === followed.size && list.every(user => followed.has(user))) return
  }
}
