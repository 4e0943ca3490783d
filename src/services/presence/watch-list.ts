// Whom a device watches. A watch belongs to the device and not to its user, as its stream and its mailbox do: two clients of one
// person show different things, and neither should take the other's list away.
import { endpoint } from '../../domain/endpoint.js'
import { AppError } from '../../errors.js'
import type { Actor } from '../../schemas/claims.js'
import type { WatchBody, WatchedPresence } from '../../schemas/presence.js'
import type { Context } from '../context.js'
import { registerDevice } from '../device/keepalive.js'
import { free } from '../free-action.js'
import { beginToWatch, readWatched, toHiddenWatchedPresence, toWatchedPresence } from './publish-presence.js'
import { mayShowPresence } from './visibility.js'
import { enlist, followList } from './watch-index.js'

/** Replaces the list. Whatever changes after the versions in the reply comes as an event. @throws AppError rate_limited, too_many_watchers, … */
export async function putWatch(context: Context, actor: Actor, { users }: WatchBody): Promise<WatchedPresence[]> {
  const { watches } = context.store
  const watcher = endpoint(actor)
  const wanted = [...new Set(users)]
  await context.budgets.spend(actor.user, 'presence', wanted.length)
  await registerDevice(context, actor)
  const added = without(wanted, await watches.list(watcher))
  const refused = await enlist(context, watcher, added)
  if (refused.length > 0) {
    await followList(context, watcher, wanted)
    throw new AppError('too_many_watchers', { extra: { users: refused } })
  }
  const before = await watches.put(watcher, wanted)
  await followList(context, watcher, [...wanted, ...without(before, wanted)], added)
  return show(context, actor, { users: wanted, fresh: without(wanted, before) })
}

export async function getWatch(context: Context, actor: Actor): Promise<WatchedPresence[]> {
  const watcher = endpoint(actor)
  const users = await context.store.watches.list(watcher)
  if (users.length > 0) await context.budgets.spend(actor.user, 'presence', users.length)
  // It costs little, and heals what a failover may have forgotten.
  await followList(context, watcher, users)
  return show(context, actor, { users, fresh: [] })
}

export function deleteWatch(context: Context, actor: Actor): Promise<void> {
  return free(context, actor, async () => ({ result: undefined, isRepeat: !(await clearWatch(context, actor)) }))
}

/** False: the device watched nobody. */
export async function clearWatch(context: Context, actor: Actor): Promise<boolean> {
  const watcher = endpoint(actor)
  const before = await context.store.watches.put(watcher, [])
  await followList(context, watcher, before)
  return before.length > 0
}

const without = (users: readonly string[], others: readonly string[]): string[] =>
  users.filter(user => !others.includes(user))

/** As it was last told, not as it is: a change that has not lasted yet comes as an event, or never. */
async function show(
  context: Context,
  actor: Actor,
  { users, fresh }: { users: readonly string[]; fresh: readonly string[] }
): Promise<WatchedPresence[]> {
  return Promise.all(
    users.map(async user => {
      const known = fresh.includes(user) ? null : await readWatched(context, user)
      const state = known === null || known.lookAt === null ? await beginToWatch(context, user) : known
      const isShown = await mayShowPresence(context, actor, user)
      return isShown ? toWatchedPresence(state) : toHiddenWatchedPresence(user)
    })
  )
}
