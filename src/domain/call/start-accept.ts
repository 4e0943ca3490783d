// The accept of the first user of a call that an operator has started.
import { endpoint } from '../endpoint.js'
import { calledUser, isInvited } from './called.js'
import type { CallCommand, CommandOf } from './command.js'
import { type CallDecision, unchanged } from './decision.js'
import { isStarting, OPERATOR } from './operator-call.js'
import { callEvents, conflict, toCalled } from './party.js'
import { applyCreated, notTheOfferer } from './signal.js'
import type { CallState } from './state.js'
import { viewCall } from './view.js'

/**
 * The first user accepts: its device becomes the caller, and the second user is the next to ring. Its other devices have lost the accept, and do
 * not follow the call. `offer` and `candidates` count as those of a create.
 */
export function acceptAsCaller(state: CallState, command: CommandOf<'accept'>, now: number): CallDecision {
  const { actor, offer, answer, batch } = command
  if (answer !== undefined) throw conflict(state, 'no_offer_pending')
  if (offer !== undefined && state.offerer === 'callee') throw notTheOfferer(state, { retryable: false })
  const first = calledUser(state, actor.user)
  const turned: CallState = {
    ...state,
    version: state.version + 1,
    caller: endpoint(actor),
    called: state.called.filter(({ user }) => user !== actor.user),
    // The second user's turn: the node that commits begins it, or another one finds it due.
    limitAt: now
  }
  const { state: signaled, signals, outcomes } = applyCreated(turned, { offer: offer ?? null, batch })
  const next = { ...signaled, early: signals }
  const data = { reason: 'answered_elsewhere', endedBy: next.caller, call: viewCall(next, now, actor.user) }
  const others = first && isInvited(first) ? toCalled(first, actor) : []
  return { state: next, events: callEvents(next, others, { type: 'call.ended', data }), outcomes }
}

/**
 * What a device of the first user does about the call that rang, after one of them has accepted. Null: it is none of that.
 * @throws AppError answered_elsewhere, call_ended
 */
export function decideLateAnswer(state: CallState, command: CallCommand): CallDecision | null {
  if (state.creator !== OPERATOR || isStarting(state)) return null
  if (command.type !== 'accept' && command.type !== 'reject' && command.type !== 'ringing') return null
  const { actor, type } = command
  if (actor.user !== state.caller.user) return null
  if (state.phase === 'ended') {
    if (type === 'reject') return unchanged(state)
    throw conflict(state, 'call_ended')
  }
  if (actor.device === state.caller.device && type === 'accept') return unchanged(state)
  throw conflict(state, 'answered_elsewhere')
}
