// The presence that other users see of a user, from all devices, and when a change of it is published to the watchers.
//
//               differs from `published`           differs for the debounce
//   unchanged ────────────────────────────▶ pending ───────────────────────▶ published, unchanged
//       ▲                                      │ equals `published` again
//       └──────────────────────────────────────┘
//
// `online` and `busy` after `offline` or `away` are published at once. Every other change must last for the debounce.
import type { PresenceState } from '../../schemas/presence.js'

/** What the store knows about one device. */
export interface DeviceActivity {
  readonly online: boolean
  readonly seenAt: number
  /** Its stream was closed and no keepalive followed. */
  readonly left: boolean
  readonly status: string
}

export interface PresenceSnapshot {
  readonly state: PresenceState
  /** Number of live devices. */
  readonly devices: number
  /** Null when the user has no registered device. */
  readonly seenAt: number | null
}

export interface WatchedState {
  readonly user: string
  readonly version: number
  /** The presence that watchers have. */
  readonly published: PresenceSnapshot
  /** A different state that is not published yet, and when it began. */
  readonly pending: { readonly state: PresenceState; readonly since: number } | null
  /** Null: the user has no watchers. */
  readonly checkAt: number | null
}

/** What a check of a watched user has read. */
export interface PresenceCheck {
  readonly current: PresenceSnapshot
  /** When to check again if nothing happens before. */
  readonly nextCheckAt: number
  /** The loss of a device is not published before this instant: time without the store counts against no one. */
  readonly absenceCountsFrom: number
  readonly debounceMs: number
  readonly isWatched: boolean
  /** The systems of the operator receive the presence of every user. */
  readonly isForOperator: boolean
}

export interface PresenceDecision {
  /** The same object when there is nothing to commit. */
  readonly state: WatchedState
  /** Watchers get an event. */
  readonly publishes: boolean
}

const isLive = ({ online, left, seenAt }: DeviceActivity, now: number, ttlMs: number) =>
  online || (!left && now - seenAt < ttlMs)

export function presenceOf(
  devices: readonly DeviceActivity[],
  { isBusy, now, ttlMs }: { isBusy: boolean; now: number; ttlMs: number }
): PresenceSnapshot {
  const live = devices.filter(device => isLive(device, now, ttlMs))
  const seenAt = devices.length === 0 ? null : Math.max(...devices.map(device => device.seenAt))
  return { state: stateOf(live, isBusy), devices: live.length, seenAt }
}

function stateOf(live: readonly DeviceActivity[], isBusy: boolean): PresenceState {
  if (live.length === 0) return 'offline'
  if (isBusy) return 'busy'
  return live.every(({ status }) => status === 'away') ? 'away' : 'online'
}

/** When the first live device expires unless it sends a keepalive: a node that crashed cannot report its devices as gone. */
export function nextCheckAt(devices: readonly DeviceActivity[], now: number, ttlMs: number): number {
  const expiries = devices.filter(device => isLive(device, now, ttlMs)).map(({ seenAt }) => seenAt + ttlMs)
  return Math.max(now + Math.ceil(ttlMs / 3), Math.min(now + ttlMs, ...expiries))
}

/**
 * A device starts to watch the user. Each start increments the version, so a concurrent check that saw no watchers conflicts and cannot
 * stop the checks. A new state's version is the time in milliseconds and grows more slowly than time: a state that expired and was
 * created again has greater versions than before.
 */
export function decideWatch(
  state: WatchedState | null,
  { user, current, checkAt }: { user: string; current: PresenceSnapshot; checkAt: number },
  now: number
): WatchedState {
  const version = state === null ? now : state.version + 1
  if (state === null || state.checkAt === null) return { user, version, published: current, pending: null, checkAt }
  return { ...state, version }
}

/** The state of a user whom only the operator follows, before their first device comes. */
export const OFFLINE: PresenceSnapshot = { state: 'offline', devices: 0, seenAt: null }

export function decidePresence(state: WatchedState, check: PresenceCheck, now: number): PresenceDecision {
  const unchanged = { state, publishes: false }
  if (state.checkAt === null) return unchanged
  const next = { ...state, version: state.version + 1, pending: null }
  const { current, nextCheckAt } = check
  // Nothing can happen to a user who is offline until a device of theirs comes.
  const isAtRest = current.state === 'offline' && state.published.state === 'offline'
  if (!check.isWatched && (isAtRest || !check.isForOperator))
    return { state: { ...next, checkAt: null }, publishes: false }
  const settled = { ...next, published: current, checkAt: nextCheckAt }
  if (current.state === state.published.state) {
    const isQuiet = state.pending === null && state.checkAt > now
    return isQuiet ? unchanged : { state: settled, publishes: false }
  }
  const pending = state.pending?.state === current.state ? state.pending : null
  const since = pending?.since ?? now
  const dueAt = dueFrom(since, state.published, check)
  if (dueAt <= now) return { state: settled, publishes: true }
  if (pending !== null && state.checkAt > now) return unchanged
  return { state: { ...next, pending: { state: current.state, since }, checkAt: dueAt }, publishes: false }
}

function dueFrom(
  since: number,
  published: PresenceSnapshot,
  { current, absenceCountsFrom, debounceMs }: PresenceCheck
) {
  if (isAvailable(current) && !isAvailable(published)) return since
  const dueAt = since + debounceMs
  return current.devices < published.devices ? Math.max(dueAt, absenceCountsFrom) : dueAt
}

const isAvailable = ({ state }: PresenceSnapshot) => state === 'online' || state === 'busy'
