// How a call ends: cancel, reject, hang-up, and the end that the server decides.
import type { Endpoint } from '../../schemas/common.js'
import { endpoint } from '../endpoint.js'
import { NO_SIGNALS } from '../negotiation/state.js'
import { calledUser, endReasonOf, isInvited, nextRingEnd, withCalled } from './called.js'
import type { CommandOf } from './command.js'
import { type CallDecision, type CallEvent, unchanged } from './decision.js'
import { isStarting } from './operator-call.js'
import { callEvents, calleeChanged, conflict, requireSide, sideOf, toCalled, toSide } from './party.js'
import { type CalledReason, type CalledUser, type CallState, type EndReason, pendingTransfer } from './state.js'
import { viewCall, withFormer } from './view.js'

export function cancel(state: CallState, actor: Endpoint, now: number): CallDecision {
  requireSide(state, actor, 'caller')
  if (state.phase === 'ended') return unchanged(state)
  if (state.phase === 'connected')
    throw conflict(state, 'wrong_state', { detail: 'The call is connected: hang up instead' })
  return end(state, { reason: 'cancelled', by: actor, except: actor }, now)
}

export function reject(state: CallState, command: CommandOf<'reject'>, now: number): CallDecision {
  const { actor, scope, devices } = command
  const leaving = { users: [actor.user], reason: 'declined', by: actor } as const
  requireSide(state, actor, 'callee')
  if (state.phase === 'ended') return unchanged(state)
  if (state.phase === 'connected')
    throw conflict(state, 'wrong_state', { detail: 'The call is connected: hang up instead' })
  if (state.phase === 'connecting') {
    if (state.callee?.device !== actor.device) throw conflict(state, 'answered_elsewhere')
    return end(state, { reason: 'declined', by: actor, except: actor }, now)
  }
  const called = calledUser(state, actor.user)
  if (scope === 'user' || called === undefined) return leave(state, leaving, now)
  const before = called.declined
  const declined = before.includes(actor.device) ? before : [...before, actor.device]
  const next = withCalled(state, actor.user, { declined })
  if (called.device === actor.device || devices.every(device => declined.includes(device))) {
    return leave(next, leaving, now)
  }
  if (declined === before) return unchanged(state)
  return { state: { ...next, version: state.version + 1 }, events: [] }
}

/** The user cannot answer any more. Changes nothing unless the call rings for this user. */
export function stopRinging(
  state: CallState,
  { user, type: reason }: CommandOf<'busy' | 'unreachable'>,
  now: number
): CallDecision {
  const called = calledUser(state, user)
  if (state.phase !== 'ringing' || called === undefined || !isInvited(called)) return unchanged(state)
  return leave(state, { users: [user], reason, by: null }, now)
}

export interface Leaving {
  readonly users: readonly string[]
  readonly reason: CalledReason
  /** The device that declined; it gets no event. Null: none did. */
  readonly by: Endpoint | null
}

/** These users stop ringing. The call goes on with the others, and ends if none rings or waits. */
export function leave(state: CallState, { users, reason, by }: Leaving, now: number): CallDecision {
  const isLeaving = ({ user }: CalledUser) => users.includes(user)
  const goesOn = state.called.some(each => !isLeaving(each) && ['ringing', 'waiting'].includes(each.state))
  const called = state.called.map(each => (isLeaving(each) ? { ...each, reason } : each))
  if (isStarting(state)) {
    return end({ ...state, called }, { reason: endReasonOf(reason), by, except: by }, now)
  }
  if (!goesOn) {
    const common = commonReason(called)
    return end({ ...state, called }, { reason: common, by: common === reason ? by : null, except: by }, now)
  }
  const left = called.map(each => (isLeaving(each) ? { ...each, state: 'ended' as const } : each))
  const next = { ...state, version: state.version + 1, called: left, limitAt: nextRingEnd(left, now) }
  const decision = withDepartures(state, next, { users, reason, by, now })
  return { ...decision, events: [...calleeChanged(decision.state, users), ...decision.events] }
}

/** The reason of a call that none has answered: that of all called users, or `no_answer` if they differ. */
function commonReason(called: readonly CalledUser[]): EndReason {
  const [first, ...others] = new Set(called.map(({ reason }) => reason && endReasonOf(reason)))
  return first && others.length === 0 ? first : 'no_answer'
}

/** `next`, in which these users are not called any more, with the end that they see, and their leases released. */
export function withDepartures(
  before: CallState,
  next: CallState,
  { users, reason, by, now }: Pick<Leaving, 'users' | 'reason' | 'by'> & { readonly now: number }
): CallDecision {
  const invited = before.called.filter(each => users.includes(each.user) && isInvited(each))
  const leaving = invited.map(({ user }) => user)
  // They see the call as it was while they rang.
  const views = withFormer({ ...before, version: next.version }, leaving, {
    reason: endReasonOf(reason),
    by,
    now
  })
  const state = { ...next, former: views.former }
  const events = invited.flatMap(each =>
    callEvents(state, toCalled(each, by), { type: 'call.ended', data: departureFor(views, each.user, now) })
  )
  return { state, events, releases: leaving }
}

/** How the ringing of a transfer's target ends. */
export interface TargetEnd {
  readonly reason: 'declined' | 'busy' | 'no_answer' | 'cancelled'
  /** The device that declined or withdrew it; it gets no event. Null: none did. */
  readonly by: Endpoint | null
}

/** The target of a pending transfer stops ringing: it is a former party, and its devices receive the end. */
export function targetEnd(
  state: CallState,
  { reason, by }: TargetEnd,
  now: number
): Pick<CallDecision, 'state' | 'events'> {
  const target = pendingTransfer(state)?.target
  if (target === undefined || target.isMuted) return unchanged(state)
  const left = withFormer(state, [target.user], { reason, by, now })
  const data = departureFor(left, target.user, now)
  return { state: left, events: callEvents(left, toCalled(target, by), { type: 'call.ended', data }) }
}

function departureFor(state: CallState, user: string, now: number): CallEvent['data'] {
  const call = viewCall(state, now, user)
  return { reason: call.reason === 'declined' ? 'declined_elsewhere' : call.reason, endedBy: call.endedBy, call }
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

/** No party ends it: both sides receive `call.ended` on all devices that follow the call. */
export const endByServer = (state: CallState, now: number): CallDecision =>
  state.phase === 'ended' ? unchanged(state) : end(state, { reason: 'server', by: null, except: null }, now)

export interface Ending {
  readonly reason: EndReason
  /** The device that ended the call, or the one that was lost; null when the server ended it. */
  readonly by: Endpoint | null
  /** The device that gets no event: the reply to its request says the same. Null without a request. */
  readonly except: Endpoint | null
}

/**
 * Ends a live call. Each device that follows it receives exactly one event that says so (G8):
 * - There is one `call.ended` for the caller and for each called user. toSide leaves out `except` and the devices of called users that
 *   declined (their reply said so), lost the accept, or belong to a user who has left (they received an end then).
 * - A repeat finds the phase `ended` and changes nothing.
 * - Of two ends that were decided on one state the stamp refuses the second, which is then decided on an ended call.
 * - On a Cluster, where mail may be delivered again, lua/taken.lua drops the repeat.
 */
export function end(state: CallState, { reason, by, except }: Ending, now: number): CallDecision {
  const target = targetEnd({ ...state, version: state.version + 1 }, { reason: 'cancelled', by }, now)
  const ended: CallState = {
    ...state,
    former: target.state.former,
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
  const recipients = [...toSide(ended, 'caller', except), ...toSide(ended, 'callee', except)]
  const data = (user: string) => {
    const call = viewCall(ended, now, user)
    const isElsewhere = user !== ended.caller.user && call.reason === 'declined'
    return { reason: isElsewhere ? 'declined_elsewhere' : call.reason, endedBy: call.endedBy, call }
  }
  return { state: ended, events: [...callEvents(ended, recipients, { type: 'call.ended', data }), ...target.events] }
}
