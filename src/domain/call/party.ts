// Which side of a call a user is, and which devices its events go to.
import { AppError, type ErrorCode } from '../../errors.js'
import type { Endpoint } from '../../schemas/common.js'
import { calledUser, isInvited, viewCallee } from './called.js'
import type { CallEvent, Recipients } from './decision.js'
import { isStarting } from './operator-call.js'
import type { CalledUser, CallState, Side } from './state.js'
import { transferTo } from './transfer-state.js'

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

export function isPartyOf(state: CallState, user: string): boolean {
  const called = calledUser(state, user) ?? transferTo(state, user)?.target
  return user === state.caller.user || (called !== undefined && isInvited(called))
}

/** A party, or one for whom the call has ended. */
export const wasPartyOf = (state: CallState, user: string): boolean =>
  isPartyOf(state, user) || state.former.some(each => each.user === user)

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
  const device = endpointOf(state, side)?.device
  if (device === undefined) throw tooEarly(state, 'Accept the call first')
  if (device !== actor.device) throw conflict(state, 'other_device', { detail: `The call is on your device ${device}` })
  return side
}

/** The side's device in the call; null for a callee who has not answered. */
export const endpointOf = (state: CallState, side: Side): Endpoint | null => state[side]

/** The one device that signals for a side go to; none before the callee has answered. */
export function toDevice(state: CallState, side: Side): Recipients[] {
  const device = endpointOf(state, side)
  return device === null ? [] : [device]
}

/**
 * The devices of a side that follow the call: all of the caller's; of the called users the ones that ring and, after the answer, the one that
 * answered. Without `except`, the acting device, which gets the reply.
 */
export function toSide(state: CallState, side: Side, except: Endpoint | null): Recipients[] {
  if (side === 'callee') {
    if (state.callee !== null) return isSameDevice(state.callee, except) ? [] : [state.callee]
    return state.called.flatMap(called => (isInvited(called) ? toCalled(called, except) : []))
  }
  if (isStarting(state)) return []
  const { user } = state.caller
  // Only the devices of the user who created the call follow it.
  const isFollowed = user === state.creator && state.joined.caller.transfer === 0
  if (!isFollowed) return isSameDevice(state.caller, except) ? [] : [state.caller]
  return [except?.user === user ? { user, except: [except.device] } : { user }]
}

/** The devices of a called user that ring. */
export function toCalled({ user, device, declined }: CalledUser, except: Endpoint | null): Recipients[] {
  const excluded = [...declined, ...(except?.user === user ? [except.device] : [])]
  if (device !== null) return excluded.includes(device) ? [] : [{ user, device }]
  return [excluded.length > 0 ? { user, except: excluded } : { user }]
}

/** Whether an event for these recipients goes to this device of the user. */
export const reaches = ({ device, except = [] }: Recipients, name: string): boolean =>
  device === undefined ? !except.includes(name) : device === name

const isSameDevice = (a: Endpoint, b: Endpoint | null): boolean => a.user === b?.user && a.device === b.device

/** What the caller learns of called users while others ring or wait. */
export const calleeChanged = (state: CallState, users: readonly string[]): CallEvent[] =>
  users.flatMap(user => {
    const callee = calledUser(state, user)
    // Of a call to one user the other events say it all.
    if (callee === undefined || state.called.length === 1) return []
    const data = { callee: viewCallee(state, callee) }
    return callEvents(state, toSide(state, 'caller', null), { type: 'call.callee_changed', data })
  })

type Data = CallEvent['data']

/** One event for each of the recipients. `data`, or what it makes for each user, is extended by the call's id and version. */
export function callEvents(
  { callId, version }: CallState,
  to: readonly Recipients[],
  { type, data }: { readonly type: string; readonly data: Data | ((user: string) => Data) }
): CallEvent[] {
  return to.map(each => ({
    to: each,
    type,
    data: { callId, version, ...(typeof data === 'function' ? data(each.user) : data) }
  }))
}
