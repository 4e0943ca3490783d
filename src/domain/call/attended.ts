// The end of the call that an attended transfer replaces. It is a commit of its own, after the accept in the call that goes on.
import type { Endpoint } from '../../schemas/common.js'
import type { CommandOf } from './command.js'
import { type CallDecision, unchanged } from './decision.js'
import { end } from './ending.js'
import type { CallState } from './state.js'

/** If the target is still in it. If the transferor is not, the target hangs up: it is in one call afterwards. */
export function endReplaced(state: CallState, { by, to }: CommandOf<'endReplaced'>, now: number): CallDecision {
  if (state.phase === 'ended' || !isIn(state, to)) return unchanged(state)
  if (isIn(state, by)) return end(state, { reason: 'transferred', by, except: null }, now)
  return end(state, { reason: state.phase === 'ringing' ? 'cancelled' : 'hangup', by: to, except: null }, now)
}

const isIn = ({ caller, callee }: CallState, { user, device }: Endpoint): boolean =>
  [caller, callee].some(side => side?.user === user && side.device === device)

/** Only the deadline of the call changes, which may have ended meanwhile. */
export function forgetReplaced(state: CallState, { callId }: CommandOf<'forgetReplaced'>): CallDecision {
  const { replaced = [] } = state
  const left = replaced.filter(each => each.callId !== callId)
  return left.length === replaced.length ? unchanged(state) : { state: { ...state, replaced: left }, events: [] }
}

/** The call that goes on, and the one that it replaces. The older one goes on, so that requests that cross mean the same. */
export function byAge<T extends Pick<CallState, 'createdAt' | 'callId'>>(one: T, other: T): [older: T, newer: T] {
  const isOlder = one.createdAt < other.createdAt || (one.createdAt === other.createdAt && one.callId < other.callId)
  return isOlder ? [one, other] : [other, one]
}
