// The users whom a call rings: all at once, or one after the other.
import type { CalledUser, CallState } from './state.js'

export const calledUser = (state: CallState, user: string): CalledUser | undefined =>
  state.called.find(each => each.user === user)

export const isRinging = ({ state }: CalledUser): boolean => state === 'ringing'

/** A user who has not begun to ring knows nothing of the call, nor does one who blocks the caller. */
export const isInvited = ({ state, isMuted }: CalledUser): boolean =>
  !isMuted && (state === 'ringing' || state === 'answered')

/** The state with changes of one called user. */
export const withCalled = (state: CallState, user: string, changes: Partial<CalledUser>): CallState => ({
  ...state,
  called: state.called.map(each => (each.user === user ? { ...each, ...changes } : each))
})

/** When the next of the called users rings no more; `now` if the next one has to begin; null: no user rings or waits. */
export function nextRingEnd(called: readonly CalledUser[], now: number): number | null {
  const ends = called.filter(isRinging).map(({ endsAt }) => endsAt ?? now)
  if (ends.length > 0) return Math.min(...ends)
  return called.some(({ state }) => state === 'waiting') ? now : null
}

/** When the last of the called users rings no more, if none answers or declines. */
export function lastRingEnd({ called, limitAt }: CallState): number | null {
  if (limitAt === null) return null
  const last = Math.max(limitAt, ...called.filter(isRinging).map(({ endsAt }) => endsAt ?? 0))
  return called.reduce((end, { state, ringMs }) => end + (state === 'waiting' ? ringMs : 0), last)
}
