// From ringing to connected, and hold.
import type { Endpoint } from '../../schemas/common.js'
import { endpoint } from '../endpoint.js'
import type { CommandOf } from './command.js'
import { conflict, mustBe, sideOf, talking, tell, toSide } from './party.js'
import { releaseWaiting } from './signal.js'
import { type CallState, type Decision, otherSide, viewCall } from './state.js'

const unchanged = (state: CallState): Decision => ({ state, events: [] })

/** The caller hears of the first device that rings, and not which one it is. */
export function ring(state: CallState, actor: Endpoint): Decision {
  mustBe(state, actor, 'callee')
  if (state.phase === 'ended') throw conflict(state, 'call_ended')
  if (state.phase !== 'ringing') throw conflict(state, 'wrong_state')
  if (state.alerted) return unchanged(state)
  const next = { ...state, version: state.version + 1, alerted: true }
  return { state: next, events: tell(next, toSide(next, 'caller', null), 'call.ringing', { by: next.callee }) }
}

/** First accept wins (G8). The winner's retry gets the same answer. */
export function accept(state: CallState, command: CommandOf<'accept'>, now: number): Decision {
  const { actor, connectMs, checkMs } = command
  mustBe(state, actor, 'callee')
  if (state.phase === 'ended') throw conflict(state, 'call_ended')
  if (state.phase !== 'ringing') {
    if (state.callee?.device === actor.device) return unchanged(state)
    throw conflict(state, 'answered_elsewhere')
  }
  const losers = toSide(state, 'callee', actor)
  const next: CallState = {
    ...state,
    version: state.version + 1,
    phase: 'connecting',
    callee: endpoint(actor),
    answeredAt: now,
    limitAt: now + connectMs,
    checkAt: now + checkMs,
    earlyOffer: null
  }
  const call = viewCall(next, now)
  const told = [
    ...tell(next, toSide(next, 'caller', null), 'call.accepted', { by: next.callee, call }),
    ...tell(next, losers, 'call.ended', { reason: 'answered_elsewhere', endedBy: next.callee, call })
  ]
  const released = releaseWaiting(next, 'caller')
  return { state: released.state, events: [...told, ...released.events] }
}

/** Media flows. The second side to say so changes nothing. */
export function connect(state: CallState, actor: Endpoint, now: number): Decision {
  const side = talking(state, actor)
  if (state.phase === 'ringing') throw conflict(state, 'wrong_state', 'Nobody has answered yet')
  if (state.phase === 'connected') return unchanged(state)
  const next: CallState = { ...state, version: state.version + 1, phase: 'connected', connectedAt: now, limitAt: null }
  const told = { by: actor, setupMs: now - state.createdAt }
  const audience = [
    ...toSide(next, otherSide(side), actor),
    ...(side === 'caller' ? toSide(next, 'caller', actor) : [])
  ]
  return { state: next, events: tell(next, audience, 'call.connected', told) }
}

/** Each side holds and resumes for itself; media direction itself is renegotiated by offer and answer. */
export function hold(state: CallState, actor: Endpoint, held: boolean): Decision {
  sideOf(state, actor.user)
  const side = talking(state, actor)
  if (state.phase !== 'connected') throw conflict(state, 'wrong_state', 'It is not connected')
  if (state.held[side] === held) return unchanged(state)
  const next = { ...state, version: state.version + 1, held: { ...state.held, [side]: held } }
  const audience = toSide(next, otherSide(side), actor)
  return {
    state: next,
    events: tell(next, audience, held ? 'call.held' : 'call.resumed', { by: actor, held: next.held })
  }
}
