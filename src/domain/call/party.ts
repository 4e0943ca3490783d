// Who somebody is to a call, and who gets to hear of what.
import { AppError, type ErrorCode } from '../../errors.js'
import type { Endpoint } from '../../schemas/common.js'
import type { Audience, CallEvent, CallState, Side } from './state.js'

/** What every conflict carries: where the call stands. */
export const standing = (state: CallState) => ({
  callId: state.callId,
  currentState: state.phase,
  version: state.version,
  ...(state.reason ? { reason: state.reason } : {})
})

/** The conflict `code` with the call's current state. */
export function conflict(
  state: CallState,
  code: ErrorCode,
  detail?: string,
  extra: Record<string, unknown> = {}
): AppError {
  return new AppError(code, { ...(detail ? { detail } : {}), extra: { ...standing(state), ...extra } })
}

export const isPartyOf = (state: CallState, user: string): boolean =>
  user === state.caller.user || (user === state.callee?.user && !state.isMuted)

/** @throws AppError call_not_found for everybody who takes no part: a stranger cannot tell it from a call that never was. */
export function sideOf(state: CallState, user: string): Side {
  if (user === state.caller.user) return 'caller'
  if (user === state.callee?.user && !state.isMuted) return 'callee'
  throw new AppError('call_not_found')
}

/** The side of an actor who must be the one `side`. @throws AppError wrong_party, call_not_found */
export function mustBe(state: CallState, actor: Endpoint, side: Side): void {
  if (sideOf(state, actor.user) !== side) throw conflict(state, 'wrong_party', `Only the ${side} may do this`)
}

/** The side of an actor who speaks for it from the device in the call. @throws AppError call_ended, wrong_state, other_device */
export function talking(state: CallState, actor: Endpoint): Side {
  const side = sideOf(state, actor.user)
  if (state.phase === 'ended') throw conflict(state, 'call_ended')
  const device = deviceOf(state, side)
  if (device === null) throw conflict(state, 'wrong_state', 'Accept the call first')
  if (device !== actor.device) throw conflict(state, 'other_device', `The call is on your device ${device}`)
  return side
}

export function deviceOf(state: CallState, side: Side): string | null {
  return side === 'caller' ? state.caller.device : (state.callee?.device ?? null)
}

/** A side that is known to be there: both, but for the tombstone of a call that was never created. */
export function endpointOf(state: CallState, side: Side): Endpoint | null {
  const device = deviceOf(state, side)
  const user = side === 'caller' ? state.caller.user : state.callee?.user
  return user === undefined || device === null ? null : { user, device }
}

/** The one device that a side's signals go to, none while it rings. */
export function toDevice(state: CallState, side: Side): Audience[] {
  const endpoint = endpointOf(state, side)
  return endpoint === null ? [] : [endpoint]
}

/**
 * Everybody on a side who follows the call: all devices of the caller; of the callee those that ring and, once one has
 * answered, that one alone. The acting device is left out: its reply says it all.
 */
export function toSide(state: CallState, side: Side, actor: Endpoint | null): Audience[] {
  if (side === 'callee' && state.callee?.device != null) {
    const { user, device } = state.callee
    return actor?.user === user && actor.device === device ? [] : [{ user, device }]
  }
  const user = side === 'caller' ? state.caller.user : state.callee?.user
  if (user === undefined || (side === 'callee' && state.isMuted)) return []
  const except = side === 'callee' ? [...state.declined] : []
  if (actor?.user === user) except.push(actor.device)
  return [except.length > 0 ? { user, except } : { user }]
}

/** One event of this call for each audience; every call event names its call and version. */
export function tell(state: CallState, to: Audience[], type: string, data: Record<string, unknown> = {}): CallEvent[] {
  return to.map(audience => ({ to: audience, type, data: { callId: state.callId, version: state.version, ...data } }))
}
