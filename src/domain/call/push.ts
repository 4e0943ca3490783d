// Which devices of the called users a call wakes, and which of them are told that it has stopped ringing.
import { ringsFor } from './called.js'
import { shownCaller } from './operator-call.js'
import { type CalledUser, type CallState, pendingTransfer } from './state.js'
import { transfereeOf, transferTo } from './transfer-state.js'

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
export function pushesOf(before: CallState | null, state: CallState, now: number): CallPush[] {
  const targets = [state, before].flatMap(call => (call && pendingTransfer(call)?.target) ?? [])
  const isCalled = ({ user }: CalledUser) => state.called.some(each => each.user === user)
  const called = [
    ...state.called,
    ...startedWith(before, state),
    ...targets.slice(0, 1).filter(target => !isCalled(target))
  ]
  return called.flatMap(each => pushTo(each, { before, state, now }) ?? [])
}

/** Whether the call rings for this user now, also as the target of a transfer. */
export const rings = (state: CallState, user: string): boolean =>
  ringsFor(state, user) || transferTo(state, user) !== null

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
  const was = before !== null && rings(before, user)
  const is = rings(state, user)
  if (was === is) return null
  if (is) return toPush(state, { kind: 'incoming', user, devices }, called.endsAt ?? now)
  const left = devices.filter(device => !knowsByItself(state, called, device))
  if (left.length === 0 && devices.length > 0) return null
  return toPush(before ?? state, { kind: 'cancelled', user, devices: left }, now + CANCELLED_KEPT_MS)
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
  const { callId, media, metadata, transfer } = state
  const from = transfer ? transfereeOf(state, transfer) : shownCaller(state)
  return { data: { kind, callId, user, from, media, metadata, devices }, expiresAt }
}
