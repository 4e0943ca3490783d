// Which side of a call a user is, and which devices its events go to.
import { AppError, type ErrorCode } from '../../errors.js'
import type { Endpoint } from '../../schemas/common.js'
import type { CallEvent, CallState, Recipients, Side } from './state.js'

/** The members that every conflict of a call carries. */
export const currentState = (state: CallState) => ({
  callId: state.callId,
  currentState: state.phase,
  version: state.version,
  ...(state.reason ? { reason: state.reason } : {})
})

interface ConflictParts {
  readonly detail?: string | undefined
  readonly retryable?: boolean
  readonly extra?: Readonly<Record<string, unknown>> | undefined
}

/** The error `code`, with the call's current state among its members. */
export function conflict(state: CallState, code: ErrorCode, { extra, detail, ...more }: ConflictParts = {}): AppError {
  return new AppError(code, { ...more, ...(detail ? { detail } : {}), extra: { ...currentState(state), ...extra } })
}

/** The call has not come that far: later the same request may succeed. */
export const tooEarly = (state: CallState, detail: string): AppError =>
  conflict(state, 'wrong_state', { detail, retryable: true })

/** A callee who blocks the caller is not a party. */
export const isPartyOf = (state: CallState, user: string): boolean =>
  user === state.caller.user || (user === state.callee?.user && !state.isMuted)

/** @throws AppError call_not_found for a stranger, who cannot learn that the call exists */
export function sideOf(state: CallState, user: string): Side {
  if (!isPartyOf(state, user)) throw new AppError('call_not_found')
  return user === state.caller.user ? 'caller' : 'callee'
}

/** @throws AppError wrong_party unless the actor's user is on this side; call_not_found */
export function requireSide(state: CallState, actor: Endpoint, side: Side): void {
  if (sideOf(state, actor.user) !== side)
    throw conflict(state, 'wrong_party', { detail: `Only the ${side} may do this` })
}

/** The actor's side, if the actor's device is the one in the call. @throws AppError call_ended, wrong_state, other_device, call_not_found */
export function requireActiveDevice(state: CallState, actor: Endpoint): Side {
  const side = sideOf(state, actor.user)
  if (state.phase === 'ended') throw conflict(state, 'call_ended')
  const device = deviceOf(state, side)
  if (device === null) throw tooEarly(state, 'Accept the call first')
  if (device !== actor.device) throw conflict(state, 'other_device', { detail: `The call is on your device ${device}` })
  return side
}

function deviceOf(state: CallState, side: Side): string | null {
  return side === 'caller' ? state.caller.device : (state.callee?.device ?? null)
}

/** The side's device in the call; null for a callee who has not answered. */
export function endpointOf(state: CallState, side: Side): Endpoint | null {
  const device = deviceOf(state, side)
  const user = side === 'caller' ? state.caller.user : state.callee?.user
  return user === undefined || device === null ? null : { user, device }
}

/** The one device that signals for a side go to; none before the callee has answered. */
export function toDevice(state: CallState, side: Side): Recipients[] {
  const device = endpointOf(state, side)
  return device === null ? [] : [device]
}

/**
 * The devices of a side that follow the call: all of the caller's; of the callee's the ones that ring and, after the answer, the one that
 * answered. Without `except`, the acting device, which gets the reply.
 */
export function toSide(state: CallState, side: Side, except: Endpoint | null): Recipients[] {
  if (side === 'callee' && state.callee?.device != null) {
    const { user, device } = state.callee
    return except?.user === user && except.device === device ? [] : [{ user, device }]
  }
  const user = side === 'caller' ? state.caller.user : state.callee?.user
  if (user === undefined || (side === 'callee' && state.isMuted)) return []
  const excluded = side === 'callee' ? [...state.declined] : []
  if (except?.user === user) excluded.push(except.device)
  return [excluded.length > 0 ? { user, except: excluded } : { user }]
}

/** One event for each of the recipients. `data` is extended by the call's id and version. */
export function callEvents(
  { callId, version }: CallState,
  to: readonly Recipients[],
  { type, data }: Pick<CallEvent, 'type' | 'data'>
): CallEvent[] {
  return to.map(each => ({ to: each, type, data: { callId, version, ...data } }))
}
