// The users whom a call rings: all at once, or one after the other.
import type { CalleeStatus } from '../../schemas/callee.js'
import type { NewCallee } from './command.js'
import type { CalledReason, CalledUser, CallState, EndReason } from './state.js'

export function newCalled(callee: NewCallee, now: number): CalledUser {
  const { user, ringMs, isWaiting = false, leftOut = null, device = null, isMuted = false, wakes = null } = callee
  const state = leftOut ? 'ended' : isWaiting ? 'waiting' : 'ringing'
  return {
    user,
    device,
    state,
    reason: leftOut,
    ringMs,
    endsAt: state === 'ringing' ? now + ringMs : null,
    isMuted,
    isAlerted: false,
    pushed: wakes,
    declined: []
  }
}

export const calledUser = (state: CallState, user: string): CalledUser | undefined =>
  state.called.find(each => each.user === user)

export const isRinging = ({ state }: CalledUser): boolean => state === 'ringing'

/** Whether the call rings for this user now. */
export function ringsFor(state: CallState, user: string): boolean {
  const called = calledUser(state, user)
  return state.phase === 'ringing' && called !== undefined && isRinging(called)
}

/** A user who has not begun to ring knows nothing of the call, nor does one who blocks the caller. */
export const isInvited = ({ state, isMuted }: CalledUser): boolean =>
  !isMuted && (state === 'ringing' || state === 'answered')

/** The state with changes of one called user. */
export const withCalled = (state: CallState, user: string, changes: Partial<CalledUser>): CallState => ({
  ...state,
  called: state.called.map(each => (each.user === user ? { ...each, ...changes } : each))
})

/** When the next of the called users stops ringing; `now` if the next one has to begin; null: no user rings or waits. */
export function nextRingEnd(called: readonly CalledUser[], now: number): number | null {
  const ends = called.filter(isRinging).map(({ endsAt }) => endsAt ?? now)
  if (ends.length > 0) return Math.min(...ends)
  return called.some(({ state }) => state === 'waiting') ? now : null
}

/** When the last of the called users stops ringing, if none answers or declines. */
export function lastRingEnd({ called, limitAt }: CallState): number | null {
  if (limitAt === null) return null
  const last = Math.max(limitAt, ...called.filter(isRinging).map(({ endsAt }) => endsAt ?? 0))
  return called.reduce((end, { state, ringMs }) => end + (state === 'waiting' ? ringMs : 0), last)
}

/** The user whose turn it is to ring: the first who waits, if none rings. */
export const nextToRing = ({ phase, called }: CallState): CalledUser | undefined =>
  phase === 'ringing' && !called.some(isRinging) ? called.find(({ state }) => state === 'waiting') : undefined

/** A called user of several, as the caller sees it. No device is shown before the answer. */
export function viewCallee(call: CallState, { user, state, reason }: CalledUser): CalleeStatus {
  const device = state === 'answered' ? (call.callee?.device ?? null) : null
  const isOver = call.phase === 'ended' && (state === 'ringing' || state === 'waiting')
  if (!isOver) return { user, device, state, reason }
  return { user, device, state: 'ended', reason: reason ?? (isCalledReason(call.reason) ? call.reason : null) }
}

/** How the call ended for a called user: that one could not be reached is for the caller only. */
export const endReasonOf = (reason: CalledReason): EndReason => (reason === 'unreachable' ? 'no_answer' : reason)

const isCalledReason = (reason: CallState['reason']): reason is 'cancelled' | 'busy' | 'no_answer' | 'declined' =>
  reason !== null && ['cancelled', 'busy', 'no_answer', 'declined'].includes(reason)
