// Presence of watched users. What was last published about a user is an aggregate in the user's partition. It is checked when something
// happens to the user and when its deadline comes: a pending change has lasted, or the last keepalives expire. A user without watchers
// has none, unless webhooks carry the presence of every user: then each user has one who is not offline.
import {
  decidePresence,
  decideWatch,
  OFFLINE,
  type PresenceCheck,
  type PresenceSnapshot,
  type WatchedState
} from '../../domain/presence/presence.js'
import type { WatchedPresence } from '../../schemas/presence.js'
import type { Watcher } from '../../store/watches.js'
import { type Decision, keepState } from '../aggregate-rules.js'
import type { Context } from '../context.js'
import { absenceCountsFrom } from '../device/liveness.js'
import { createUpdater } from '../update-aggregate.js'
import { isWanted, webhooksIn } from '../webhooks/queue-events.js'
import { readPresence, toHiddenPresence, toPresence } from './read-presence.js'
import { syncWatchIndex } from './watch-index.js'

/** Watchers that one check renews or removes. */
const RENEW_MAX = 1000

/** How long the state of a user without watchers is kept. Longer than clocks differ, so a new state has a greater version. */
const KEEP_MS = 120_000

const { read, update } = createUpdater<WatchedState>({
  kind: 'presence',
  deadlineOf: ({ checkAt }) => checkAt,
  isOver: ({ checkAt }) => checkAt === null,
  keepMs: () => KEEP_MS,
  webhooksOf: (context, { before, state }, now) =>
    webhooksIn(context, now, () =>
      (before?.published ?? OFFLINE).state === state.published.state
        ? []
        : [{ type: PRESENCE_CHANGED, data: toWatchedPresence(state) }]
    ),
  startFanout: (context, user) => context.startFanout({ kind: 'presence', id: user })
})

export const readWatchedState = read

const PRESENCE_CHANGED = 'presence.changed'

/** The systems of the operator receive the presence of every user, watched or not. */
export const isPresenceForOperator = (context: Context): boolean => isWanted(context, PRESENCE_CHANGED)

export const toWatchedPresence = ({ user, published, version }: WatchedState): WatchedPresence =>
  isUnknown(published) ? toHiddenWatchedPresence(user) : { ...toPresence(user, published), version }

/** Less than every real version: what is published once the user exists, or may be seen, is newer. */
const UNKNOWN_VERSION = 1

/** For a user whom the watcher may not see, and for one who does not exist: the two must not differ. */
export const toHiddenWatchedPresence = (user: string): WatchedPresence => ({
  ...toHiddenPresence(user),
  version: UNKNOWN_VERSION
})

const isUnknown = ({ state, seenAt }: PresenceSnapshot): boolean => state === 'offline' && seenAt === null

/** To be called after a change of the user's devices, status or calls. Never throws; after a failure the deadline's check publishes. */
export function schedulePresenceCheck(context: Context, user: string): void {
  checkPresence(context, user).catch(error =>
    context.log.debug({ err: error, user }, 'presence not checked; its deadline checks it')
  )
}

/** The state that the watchers have. The caller is in the watch index already. */
export async function startWatching(context: Context, user: string): Promise<WatchedState> {
  const { current, nextCheckAt } = await readPresence(context, user)
  const { state } = await update(context, { id: user, isNew: true }, (watched, now) => ({
    state: decideWatch(watched, { user, current, checkAt: nextCheckAt }, now),
    events: []
  }))
  // A change between the read and the commit was checked when no state existed, and so was not published.
  const reread = await readPresence(context, user)
  if (reread.current.state === state.published.state) return state
  return (await checkPresence(context, user)) ?? state
}

/** The deadline has come: renews or removes the watchers that have not been renewed for long, and publishes what is due. */
export async function checkWatchedUser(context: Context, user: string): Promise<void> {
  const { clock, config, store } = context
  const until = clock.now() - Math.floor(config.retentionMs / 2)
  const watchers = await store.watches.watchers(user, { until, limit: RENEW_MAX })
  await Promise.all(watchers.map(watcher => renewOrRemove(context, user, watcher)))
  await checkPresence(context, user)
}

/** A watcher remains while its device is registered and the user is on the device's list. */
async function renewOrRemove(context: Context, user: string, watcher: Watcher): Promise<void> {
  const { store, clock } = context
  const devices = await store.mailboxes.devices(watcher.user, clock.now())
  const isRegistered = devices.some(({ device }) => device === watcher.device)
  if (isRegistered) await syncWatchIndex(context, watcher, { users: [user] })
  else await store.watches.remove(user, watcher)
}

/** Null: no device has watched the user. */
async function checkPresence(context: Context, user: string): Promise<WatchedState | null> {
  const { state } = await update(context, { id: user }, watched => decideCheck(context, user, watched))
  return state
}

/** Presence is read after the state, so each commit is based on a presence at least as new as the one before. */
async function decideCheck(
  context: Context,
  user: string,
  watched: WatchedState | null
): Promise<Decision<WatchedState>> {
  const isFollowed = watched !== null && watched.checkAt !== null
  if (!isFollowed && !isPresenceForOperator(context)) return keepState(watched)
  const check = await readCheck(context, user)
  const now = context.clock.now()
  if (!isFollowed && check.current.state === 'offline') return keepState(watched)
  const before = isFollowed ? watched : decideWatch(watched, { user, current: OFFLINE, checkAt: now }, now)
  const { state, publishes } = decidePresence(before, check, now)
  if (!publishes || !check.isWatched) return { state, events: [] }
  return { state, events: [{ to: 'watchers', type: PRESENCE_CHANGED, data: toWatchedPresence(state) }] }
}

async function readCheck(context: Context, user: string): Promise<PresenceCheck> {
  const { store, config } = context
  const start = absenceCountsFrom(context)
  const [presence, isWatched] = await Promise.all([readPresence(context, user), store.watches.isWatched(user)])
  return {
    ...presence,
    ...{ absenceCountsFrom: start, debounceMs: config.presenceDebounceMs, isWatched },
    isForOperator: isPresenceForOperator(context)
  }
}
