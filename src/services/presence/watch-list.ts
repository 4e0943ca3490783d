// The watch list of a device. It belongs to the device and not to the user, as the stream and the mailbox do: two clients of one user
// show different things.
import { endpoint } from '../../domain/endpoint.js'
import { AppError } from '../../errors.js'
import type { Actor } from '../../schemas/claims.js'
import type { Endpoint } from '../../schemas/common.js'
import type { WatchedPresence, WatchUsersRequest } from '../../schemas/presence.js'
import type { Context } from '../context.js'
import { registerDevice } from '../device/keepalive.js'
import { runUnlimited } from '../unlimited-action.js'
import { readWatchedState, startWatching, toHiddenWatchedPresence, toWatchedPresence } from './publish-presence.js'
import { mayShowPresence } from './visibility.js'
import { addToWatchIndex, syncWatchIndex } from './watch-index.js'

/**
 * Replaces the list. Every change after the versions in the reply arrives as an event.
 * @throws AppError rate_limited, too_many_watchers, too_many_devices, store_unavailable
 */
export async function watchUsers(
  context: Context,
  actor: Actor,
  { users }: WatchUsersRequest
): Promise<WatchedPresence[]> {
  const { watches } = context.store
  const watcher = endpoint(actor)
  const wanted = [...new Set(users)]
  await context.budgets.spend(actor.user, 'presence', wanted.length)
  await registerDevice(context, actor)
  const added = without(wanted, await watches.list(watcher))
  const refused = await addToWatchIndex(context, watcher, added)
  if (refused.length > 0) {
    await syncWatchIndex(context, watcher, { users: wanted })
    throw new AppError('too_many_watchers', { extra: { users: refused } })
  }
  const before = await watches.put(watcher, wanted)
  await syncWatchIndex(context, watcher, { users: [...wanted, ...without(before, wanted)], indexed: added })
  return readAll(context, actor, { users: wanted, added: without(wanted, before) })
}

/** @throws AppError rate_limited, store_unavailable */
export async function listWatchedUsers(context: Context, actor: Actor): Promise<WatchedPresence[]> {
  const watcher = endpoint(actor)
  const users = await context.store.watches.list(watcher)
  if (users.length > 0) await context.budgets.spend(actor.user, 'presence', users.length)
  // Restores index entries that a failover has lost.
  await syncWatchIndex(context, watcher, { users })
  return readAll(context, actor, { users, added: [] })
}

export function stopWatching(context: Context, actor: Actor): Promise<void> {
  return runUnlimited(context, actor, async () => ({
    result: undefined,
    isRepeat: !(await clearWatch(context, actor))
  }))
}

/** False: the list was empty. */
export async function clearWatch(context: Context, actor: Endpoint): Promise<boolean> {
  const watcher = endpoint(actor)
  const before = await context.store.watches.put(watcher, [])
  await syncWatchIndex(context, watcher, { users: before })
  return before.length > 0
}

const without = (users: readonly string[], others: readonly string[]): string[] =>
  users.filter(user => !others.includes(user))

/** The published presence, not the current one: a pending change arrives as an event if it lasts. */
function readAll(
  context: Context,
  actor: Actor,
  { users, added }: { readonly users: readonly string[]; readonly added: readonly string[] }
): Promise<WatchedPresence[]> {
  return Promise.all(
    users.map(async user => {
      const read = added.includes(user) ? null : await readWatchedState(context, user)
      const state = read === null || read.checkAt === null ? await startWatching(context, user) : read
      const isVisible = await mayShowPresence(context, actor, user)
      return isVisible ? toWatchedPresence(state) : toHiddenWatchedPresence(user)
    })
  )
}
