// A call that rings its users one after the other: the turn of the next one.
import { calledUser, isInvited, nextRingEnd, nextToRing, withCalled } from './called.js'
import type { CommandOf } from './command.js'
import { incomingData } from './creation.js'
import { type CallDecision, unchanged } from './decision.js'
import { leave } from './ending.js'
import { callEvents, calleeChanged, toCalled } from './party.js'
import type { CallState } from './state.js'

/** Changes nothing unless it is this user's turn: another node may have begun it. */
export function ringNext(
  state: CallState,
  { user, isMuted = false, wakes = null }: CommandOf<'ring'>,
  now: number
): CallDecision {
  const next = nextToRing(state)
  if (next?.user !== user) return unchanged(state)
  const changes = { state: 'ringing', endsAt: now + next.ringMs, isMuted, pushed: wakes } as const
  const rings = withCalled({ ...state, version: state.version + 1 }, user, changes)
  const after = { ...rings, limitAt: nextRingEnd(rings.called, now) }
  const called = calledUser(after, user)
  const incoming = { type: 'call.incoming', data: incomingData(after, now, user) }
  const to = called && isInvited(called) ? toCalled(called, null) : []
  return { state: after, events: [...calleeChanged(after, [user]), ...callEvents(after, to, incoming)] }
}

/** The user whose turn it is does not ring. */
export function skipNext(state: CallState, { user, reason }: CommandOf<'skip'>, now: number): CallDecision {
  if (nextToRing(state)?.user !== user) return unchanged(state)
  // A node that died may have taken the user's lease.
  return { ...leave(state, { users: [user], reason, by: null }, now), releases: [user] }
}
