// What others see of a user: one presence from all devices, and when a change of it is worth telling.
//
//            differs from what was told          still differs after the delay
//   quiet ──────────────────────────────▶ turning ───────────────────────────▶ told, quiet
//     ▲                                     │ as it was told, after all
//     └─────────────────────────────────────┘
//
// Who comes is told at once. Whatever else changes has to last for the debounce: a blip makes no noise.
import type { PresenceState } from '../../schemas/presence.js'

/** What a device last gave as a sign of itself. */
export interface Sign {
  readonly online: boolean
  readonly seenAt: number
  /** Its stream was closed, and nothing was heard of it since. */
  readonly left: boolean
  readonly status: string
}

export interface Shown {
  readonly state: PresenceState
  /** Devices that are there. */
  readonly devices: number
  /** Null when no registered device is known. */
  readonly seenAt: number | null
}

export interface WatchedState {
  readonly user: string
  readonly version: number
  /** As those who watch know it. */
  readonly told: Shown
  /** What it is by now instead, and since when. */
  readonly turning: { readonly state: PresenceState; readonly since: number } | null
  /** When to look again; null: nobody watches. */
  readonly lookAt: number | null
}

/** A look at a user who is watched. */
export interface Look {
  readonly shown: Shown
  /** When it has to be looked at again though nothing was heard. */
  readonly nextAt: number
  /** Before then nobody is missed: time without the store counts against nobody. */
  readonly fairAt: number
  readonly debounceMs: number
  readonly isWatched: boolean
}

const isHere = ({ online, left, seenAt }: Sign, now: number, ttlMs: number) => online || (!left && now - seenAt < ttlMs)

export function presenceOf(
  signs: readonly Sign[],
  { isBusy, now, ttlMs }: { isBusy: boolean; now: number; ttlMs: number }
): Shown {
  const here = signs.filter(sign => isHere(sign, now, ttlMs))
  const seenAt = signs.length === 0 ? null : Math.max(...signs.map(sign => sign.seenAt))
  return { state: stateOf(here, isBusy), devices: here.length, seenAt }
}

function stateOf(here: readonly Sign[], isBusy: boolean): PresenceState {
  if (here.length === 0) return 'offline'
  if (isBusy) return 'busy'
  return here.every(({ status }) => status === 'away') ? 'away' : 'online'
}

/** When the first device that is there would lapse, were nothing heard of it any more: a node that crashed cannot say so. */
export function lapsesAt(signs: readonly Sign[], now: number, ttlMs: number): number {
  const lapses = signs.filter(sign => isHere(sign, now, ttlMs)).map(({ seenAt }) => seenAt + ttlMs)
  return Math.max(now + Math.ceil(ttlMs / 3), Math.min(now + ttlMs, ...lapses))
}

/**
 * Somebody begins to watch. The version counts it, so that nobody who just saw no watchers can end what goes on. Versions begin with
 * the time in milliseconds and change more slowly than it passes: what is forgotten and begins again has greater ones.
 */
export function beginWatch(
  state: WatchedState | null,
  { user, shown, lookAt }: { user: string; shown: Shown; lookAt: number },
  now: number
): WatchedState {
  const version = state === null ? now : state.version + 1
  if (state === null || state.lookAt === null) return { user, version, told: shown, turning: null, lookAt }
  return { ...state, version }
}

/** The very state when there is nothing to keep. `tell`: those who watch shall hear of it. */
export function decideLook(state: WatchedState, look: Look, now: number): { state: WatchedState; tell: boolean } {
  if (state.lookAt === null) return { state, tell: false }
  const version = state.version + 1
  if (!look.isWatched) return { state: { ...state, version, turning: null, lookAt: null }, tell: false }
  const { shown, nextAt } = look
  if (shown.state === state.told.state) {
    const isQuiet = state.turning === null && state.lookAt > now
    if (isQuiet) return { state, tell: false }
    return { state: { ...state, version, told: shown, turning: null, lookAt: nextAt }, tell: false }
  }
  const goesOn = state.turning?.state === shown.state ? state.turning : null
  const since = goesOn?.since ?? now
  const dueAt = dueFrom(since, state.told, look)
  if (dueAt <= now) return { state: { ...state, version, told: shown, turning: null, lookAt: nextAt }, tell: true }
  if (goesOn !== null && state.lookAt > now) return { state, tell: false }
  return { state: { ...state, version, turning: { state: shown.state, since }, lookAt: dueAt }, tell: false }
}

function dueFrom(since: number, told: Shown, { shown, fairAt, debounceMs }: Look): number {
  if (isThere(shown) && !isThere(told)) return since
  const dueAt = since + debounceMs
  return shown.devices < told.devices ? Math.max(dueAt, fairAt) : dueAt
}

const isThere = ({ state }: Shown) => state === 'online' || state === 'busy'
