// Users who are watched. What those who watch were told is an aggregate of its own, in the watched user's partition: whoever
// notices that something has happened looks, and its deadline makes any node look again when a change has lasted, or when the
// last signs of life would lapse. Nobody who is not watched has one.
import { beginWatch, decideLook, type Look, type Shown, type WatchedState } from '../../domain/presence/presence.js'
import type { WatchedPresence } from '../../schemas/presence.js'
import type { Watcher } from '../../store/watches.js'
import { type Decision, unchanged } from '../aggregate-kind.js'
import type { Context } from '../context.js'
import { fairSince } from '../device/liveness.js'
import { createLoop } from '../update-aggregate.js'
import { lookUp, toHiddenPresence, toPresence } from './read-presence.js'
import { followList } from './watch-index.js'

/** So many of those who watch a user are looked after at a time. */
const RENEW_MAX = 1000

/** How long the state of a user whom nobody watches any more is kept. */
const KEEP_MS = 120_000

const { read, transact } = createLoop<WatchedState>({
  kind: 'presence',
  deadlineOf: ({ lookAt }) => lookAt,
  isOver: ({ lookAt }) => lookAt === null,
  // Longer than clocks differ: what begins again is later than what ended, by its version too.
  keepMs: () => KEEP_MS,
  publish: (context, user) => context.fanout.start({ kind: 'presence', id: user })
})

export const readWatched = read

export const toWatchedPresence = ({ user, told, version }: WatchedState): WatchedPresence =>
  isUnknown(told) ? toHiddenWatchedPresence(user) : { ...toPresence(user, told), version }

/** Older than any version that is counted: what is told later is newer, for a user who comes to exist and for one who is shown again. */
const UNKNOWN_VERSION = 1

/** As those see them who may not, and a user of whom nothing is known: nothing tells the two apart. */
export const toHiddenWatchedPresence = (user: string): WatchedPresence => ({
  ...toHiddenPresence(user),
  version: UNKNOWN_VERSION
})

const isUnknown = ({ state, seenAt }: Shown): boolean => state === 'offline' && seenAt === null

/** Somebody came, went, set a status, began a call or ended one. Never fails, and nobody waits for it: the next look tells it. */
export function noticeChange(context: Context, user: string): void {
  look(context, user).catch(error => context.log.debug({ err: error }, 'a change of presence not noticed yet'))
}

/** As those who watch are told from now on. The caller is among the watchers already. */
export async function beginToWatch(context: Context, user: string): Promise<WatchedState> {
  const { shown, nextAt } = await lookUp(context, user)
  // Mostly there is none yet: if there is, the commit conflicts and says so.
  const { state } = await transact(
    context,
    user,
    (watched, now) => ({ state: beginWatch(watched, { user, shown, lookAt: nextAt }, now), events: [] }),
    { isNew: true }
  )
  // What happened between the look-up and the commit found nobody to tell.
  const again = await lookUp(context, user)
  return again.shown.state === state.told.state ? state : ((await look(context, user)) ?? state)
}

/** The time has come: those who watch no more are forgotten, and what has lasted is told. */
export async function checkWatched(context: Context, user: string): Promise<void> {
  const { clock, config, store } = context
  const until = clock.now() - Math.floor(config.retentionMs / 2)
  const due = await store.watches.watchers(user, { until, limit: RENEW_MAX })
  await Promise.all(due.map(watcher => keepOrDrop(context, user, watcher)))
  await look(context, user)
}

/** A watch lasts for as long as its device does, and stands on the device's own list. */
async function keepOrDrop(context: Context, user: string, { user: who, device }: Watcher): Promise<void> {
  const { store, clock } = context
  const devices = await store.mailboxes.devices(who, clock.now())
  const isThere = devices.some(each => each.device === device)
  if (isThere) await followList(context, { user: who, device }, [user])
  else await store.watches.remove(user, { user: who, device })
}

/** Null: nobody ever watched. */
async function look(context: Context, user: string): Promise<WatchedState | null> {
  const { state } = await transact(context, user, watched => decideNow(context, watched))
  return state
}

/** The world is read after the state: a commit on that state has missed nothing that the commit before could not have seen. */
async function decideNow(context: Context, watched: WatchedState | null): Promise<Decision<WatchedState>> {
  if (watched === null || watched.lookAt === null) return unchanged(watched)
  const found = await lookAround(context, watched.user)
  const { state, tell } = decideLook(watched, found, context.clock.now())
  if (!tell) return { state, events: [] }
  return { state, events: [{ to: 'watchers', type: 'presence.changed', data: toWatchedPresence(state) }] }
}

async function lookAround(context: Context, user: string): Promise<Look> {
  const { store, config } = context
  const fairAt = fairSince(context)
  const [{ shown, nextAt }, isWatched] = await Promise.all([lookUp(context, user), store.watches.isWatched(user)])
  return { shown, nextAt, fairAt, debounceMs: config.presenceDebounceMs, isWatched }
}
