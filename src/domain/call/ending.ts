// How a call ends: cancel, reject, hang-up, and the end that the server decides.
import type { Endpoint } from '../../schemas/common.js'
import { endpoint } from '../endpoint.js'
import { NO_SIGNALS } from '../negotiation/state.js'
import type { CommandOf } from './command.js'
import { callEvents, conflict, requireSide, sideOf, toSide } from './party.js'
import { type CallDecision, type CallState, type EndReason, type Side, unchanged, viewCall } from './state.js'

export function cancel(state: CallState, actor: Endpoint, now: number): CallDecision {
  requireSide(state, actor, 'caller')
  if (state.phase === 'ended') return unchanged(state)
  if (state.phase === 'connected')
    throw conflict(state, 'wrong_state', { detail: 'The call is connected: hang up instead' })
  return end(state, { reason: 'cancelled', by: actor, except: actor }, now)
}

export function reject(state: CallState, command: CommandOf<'reject'>, now: number): CallDecision {
  const { actor, scope, devices } = command
  const ending = { reason: 'declined', by: actor, except: actor } as const
  requireSide(state, actor, 'callee')
  if (state.phase === 'ended') return unchanged(state)
  if (state.phase === 'connected')
    throw conflict(state, 'wrong_state', { detail: 'The call is connected: hang up instead' })
  if (state.phase === 'connecting') {
    if (state.callee?.device !== actor.device) throw conflict(state, 'answered_elsewhere')
    return end(state, ending, now)
  }
  if (scope === 'user') return end(state, ending, now)
  const declined = state.declined.includes(actor.device) ? state.declined : [...state.declined, actor.device]
  if (devices.every(device => declined.includes(device))) return end({ ...state, declined }, ending, now)
  if (declined === state.declined) return unchanged(state)
  return { state: { ...state, version: state.version + 1, declined }, events: [] }
}

/** Changes nothing unless the call rings for this user. */
export function endAsBusy(state: CallState, user: string, now: number): CallDecision {
  if (state.phase !== 'ringing' || state.callee?.user !== user) return unchanged(state)
  return end(state, { reason: 'busy', by: null, except: null }, now)
}

/**
 * Any device of either side may hang up: otherwise a user whose phone has died would stay busy. While the call rings this cancels or rejects it, so
 * that a client can end a call without knowing whether it was answered a moment ago.
 */
export function hangup(state: CallState, command: CommandOf<'hangup'>, now: number): CallDecision {
  const { actor, reason } = command
  const side = sideOf(state, actor.user)
  if (state.phase === 'ended') return unchanged(state)
  if (state.phase === 'ringing') {
    if (side === 'caller') return cancel(state, actor, now)
    return reject(state, { type: 'reject', actor, scope: 'user', devices: [] }, now)
  }
  return end(state, { reason, by: actor, except: actor }, now)
}

export interface Ending {
  readonly reason: EndReason
  /** The device that ended the call, or the one that was lost; null when the server ended it. */
  readonly by: Endpoint | null
  /** The device that gets no event: the reply to its request says the same. Null without a request. */
  readonly except: Endpoint | null
}

/**
 * Ends a live call. Each device that follows it receives exactly one event that says so (G8):
 * - There is one `call.ended` for each side. toSide leaves out `except` and, of the callee, the devices that declined (their reply said so)
 *   and those that lost the accept (they received `answered_elsewhere`).
 * - A repeat finds the phase `ended` and changes nothing.
 * - Of two ends that were decided on one state the stamp refuses the second, which is then decided on an ended call.
 * - On a Cluster, where mail may be delivered again, lua/taken.lua drops the repeat.
 */
export function end(state: CallState, { reason, by, except }: Ending, now: number): CallDecision {
  const ended: CallState = {
    ...state,
    version: state.version + 1,
    phase: 'ended',
    endedAt: now,
    reason,
    endedBy: by === null ? null : endpoint(by),
    limitAt: null,
    checkAt: null,
    early: {},
    away: { caller: false, callee: false },
    signaled: { caller: NO_SIGNALS, callee: NO_SIGNALS }
  }
  const call = viewCall(ended, now)
  const eventsFor = (side: Side) => {
    const reasonForSide = side === 'callee' && reason === 'declined' ? 'declined_elsewhere' : reason
    const data = { reason: reasonForSide, endedBy: call.endedBy, call }
    return callEvents(ended, toSide(ended, side, except), { type: 'call.ended', data })
  }
  return { state: ended, events: [...eventsFor('caller'), ...eventsFor('callee')] }
}
