// Which devices of the called users a call wakes, and which of them are told that it has stopped ringing.
import { ringsFor } from './called.js'
import { shownCaller } from './operator-call.js'
import type { CalledUser, CallState } from './state.js'

/** For the push gateway. What it needs besides is added when it is delivered. */
export interface CallPush {
  readonly data: {
    readonly kind: 'incoming' | 'cancelled'
    readonly callId: string
    readonly user: string
    readonly from: CallState['caller']
    readonly media: CallState['media']
    readonly metadata: CallState['metadata']
    readonly devices: readonly string[]
  }
  /** It is dropped after this instant. */
  readonly expiresAt: number
}

/** A push service that has not delivered `incoming` by the end of the ring time never will, so `cancelled` is needed little longer. */
const CANCELLED_KEPT_MS = 30_000

/** What the change wakes. Once for each called user `incoming`, and after it once `cancelled`. */
export const pushesOf = (before: CallState | null, state: CallState, now: number): CallPush[] =>
  [...state.called, ...startedWith(before, state)].flatMap(called => pushTo(called, { before, state, now }) ?? [])

/** The first user of a call that an operator started, who is the caller now. */
const startedWith = (before: CallState | null, { caller }: CallState): CalledUser[] =>
  (before?.called ?? []).filter(({ user }) => user === caller.user)

interface Change {
  readonly before: CallState | null
  readonly state: CallState
  readonly now: number
}

function pushTo(called: CalledUser, { before, state, now }: Change): CallPush | null {
  const { user, pushed: devices } = called
  if (devices === null) return null
  const was = before !== null && ringsFor(before, user)
  const is = ringsFor(state, user)
  if (was === is) return null
  if (is) return toPush(state, { kind: 'incoming', user, devices }, called.endsAt ?? now)
  const left = devices.filter(device => !knowsByItself(state, called, device))
  if (left.length === 0 && devices.length > 0) return null
  return toPush(state, { kind: 'cancelled', user, devices: left }, now + CANCELLED_KEPT_MS)
}

/** The device has answered, ended or declined the call. */
function knowsByItself(
  { caller, callee, endedBy }: CallState,
  { user, declined }: CalledUser,
  device: string
): boolean {
  const acted = [caller, callee, endedBy].some(each => each?.user === user && each.device === device)
  return acted || declined.includes(device)
}

function toPush(
  state: CallState,
  { kind, user, devices }: Pick<CallPush['data'], 'kind' | 'user' | 'devices'>,
  expiresAt: number
): CallPush {
  const { callId, media, metadata } = state
  return { data: { kind, callId, user, from: shownCaller(state), media, metadata, devices }, expiresAt }
}
