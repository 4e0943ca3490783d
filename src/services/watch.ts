// Whom a device watches. A watch belongs to the device and not to its user, as its stream and its mailbox do: two clients of one
// person show different things, and neither should take the other's list away.
import { AppError } from '../errors.js'
import type { Actor } from '../schemas/claims.js'
import type { Endpoint } from '../schemas/common.js'
import type { WatchBody, WatchedPresence } from '../schemas/presence.js'
import type { Context } from './context.js'
import { registerDevice } from './sign-of-life.js'
import { beginToWatch, readWatched, toWatchedPresence } from './watched.js'

/** Replaces the list. Whatever changes after the versions in the reply comes as an event. @throws AppError too_many_watchers, … */
export async function putWatch(context: Context, actor: Actor, { users }: WatchBody): Promise<WatchedPresence[]> {
  const { watches } = context.store
  const watcher = endpointOf(actor)
  const wanted = [...new Set(users)]
  await registerDevice(context, actor)
  const before = await watches.list(watcher)
  await watches.put(watcher, wanted)
  const refused = await renew(context, watcher, wanted)
  if (refused.length > 0) {
    await watches.put(watcher, before)
    await drop(context, watcher, without(wanted, before))
    throw new AppError('too_many_watchers', { extra: { users: refused } })
  }
  await drop(context, watcher, without(before, wanted))
  // Another PUT of the same device may have been at work, and what was dropped here may be what it wanted.
  await renew(context, watcher, without(await watches.list(watcher), wanted))
  return show(context, wanted, new Set(without(wanted, before)))
}

export async function getWatch(context: Context, actor: Actor): Promise<WatchedPresence[]> {
  const watcher = endpointOf(actor)
  const users = await context.store.watches.list(watcher)
  // It costs little, and heals what a failover may have forgotten.
  await renew(context, watcher, users)
  return show(context, users, new Set())
}

export async function deleteWatch(context: Context, actor: Actor): Promise<void> {
  const watcher = endpointOf(actor)
  const users = await context.store.watches.list(watcher)
  await context.store.watches.put(watcher, [])
  await drop(context, watcher, users)
}

const endpointOf = ({ user, device }: Actor): Endpoint => ({ user, device })

const without = (users: readonly string[], others: readonly string[]): string[] =>
  users.filter(user => !others.includes(user))

/** Among the watchers of each. Resolves to those who have too many. */
async function renew(
  { store, clock, config }: Context,
  watcher: Endpoint,
  users: readonly string[]
): Promise<string[]> {
  const watched = { ...watcher, at: clock.now() }
  const added = await Promise.all(users.map(user => store.watches.add(user, watched, config.maxWatchersPerUser)))
  return users.filter((_, i) => !added[i])
}

async function drop({ store }: Context, watcher: Endpoint, users: readonly string[]): Promise<void> {
  await Promise.all(users.map(user => store.watches.remove(user, watcher)))
}

/** As it was last told, not as it is: a change that has not lasted yet comes as an event, or never. */
async function show(
  context: Context,
  users: readonly string[],
  fresh: ReadonlySet<string>
): Promise<WatchedPresence[]> {
  const states = await Promise.all(
    users.map(async user => {
      const known = fresh.has(user) ? null : await readWatched(context, user)
      return known === null || known.lookAt === null ? beginToWatch(context, user) : known
    })
  )
  return states.map(toWatchedPresence)
}
