// A call from ringing to connected, and hold.
import type { Call } from '../../schemas/call.js'
import type { Endpoint } from '../../schemas/common.js'
import { endpoint } from '../endpoint.js'
import type { CandidateBatch } from '../negotiation/candidate.js'
import { isWaiting } from '../negotiation/candidates.js'
import { isRetry } from '../negotiation/negotiation.js'
import { isDescribed } from '../negotiation/state.js'
import { calledUser, isRinging, withCalled } from './called.js'
import type { CommandOf } from './command.js'
import { type CallDecision, type CallEvent, unchanged } from './decision.js'
import { end, withDepartures } from './ending.js'
import { isStarting } from './operator-call.js'
import {
  callEvents,
  conflict,
  requireActiveDevice,
  requireSide,
  toCalled,
  toDevice,
  tooEarly,
  toSide
} from './party.js'
import { withSide, withStats } from './seen.js'
import { applyAccepted, classifyFor, decideAnswer, decideBatch, decideOffer, releaseWaitingOf } from './signal.js'
import { acceptAsCaller } from './start-accept.js'
import { type CalledUser, type CallState, otherSide, type RequestSignals } from './state.js'
import { viewCall } from './view.js'

/** A device of the callee rings. The caller gets one event for all devices, and it names none of them. */
export function markRinging(state: CallState, actor: Endpoint): CallDecision {
  requireSide(state, actor, 'callee')
  if (state.phase === 'ended') throw conflict(state, 'call_ended')
  if (state.phase !== 'ringing') throw conflict(state, 'wrong_state')
  requireCalledDevice(state, actor)
  if (calledUser(state, actor.user)?.isAlerted) return unchanged(state)
  const next = { ...withCalled(state, actor.user, { isAlerted: true }), version: state.version + 1 }
  const data = { by: { user: actor.user, device: null } }
  return { state: next, events: callEvents(next, toSide(next, 'caller', null), { type: 'call.ringing', data }) }
}

/** @throws AppError other_device if the call rings another device only */
function requireCalledDevice(state: CallState, actor: Endpoint): void {
  const device = calledUser(state, actor.user)?.device ?? null
  if (device === null || device === actor.device) return
  throw conflict(state, 'other_device', { detail: `The call rings on your device ${device}` })
}

/** The first accept wins (G8). A retry by the device that won changes nothing. */
export function accept(state: CallState, command: CommandOf<'accept'>, now: number): CallDecision {
  const { actor, connectMs, checkMs, maxMs } = command
  requireSide(state, actor, 'callee')
  if (state.phase === 'ended') throw conflict(state, 'call_ended')
  if (state.phase !== 'ringing') {
    if (state.callee?.device === actor.device) return repeatAccept(state, command)
    throw conflict(state, 'answered_elsewhere')
  }
  requireCalledDevice(state, actor)
  if (isStarting(state)) return acceptAsCaller(state, command, now)
  const answered: CallState = {
    ...state,
    version: state.version + 1,
    phase: 'connecting',
    callee: endpoint(actor),
    called: state.called.map(each => answeredBy(each, actor)),
    answeredAt: now,
    limitAt: now + connectMs,
    endsAt: endsAtOf(maxMs, state, now),
    checkAt: now + checkMs,
    early: {}
  }
  const others = state.called.filter(each => isRinging(each) && each.user !== actor.user).map(({ user }) => user)
  const { state: next, signals, outcomes } = applyAccepted(answered, command, state)
  const lost = withDepartures(state, next, { users: others, reason: 'answered_elsewhere', by: null, now })
  const winner = calledUser(state, actor.user)
  const endedElsewhere = { reason: 'answered_elsewhere', endedBy: next.callee, call: viewCall(next, now, actor.user) }
  const events = [
    ...acceptedEvents(next, viewCall(next, now, next.caller.user), signals),
    ...callEvents(next, winner ? toCalled(winner, actor) : [], { type: 'call.ended', data: endedElsewhere }),
    ...lost.events
  ]
  const released = releaseWaitingOf(lost.state, 'caller')
  const decision = { state: released.state, events: [...events, ...released.events], outcomes }
  return lost.releases?.length ? { ...decision, releases: lost.releases } : decision
}

/** A called user after another one, or its own device, has answered. */
function answeredBy(called: CalledUser, actor: Endpoint): CalledUser {
  if (called.user === actor.user) return { ...called, state: 'answered' }
  if (called.state === 'ended') return called
  return { ...called, state: 'ended', reason: 'answered_elsewhere' }
}

/** The shorter of the maximum durations of the server and of this call counts. */
function endsAtOf(maxMs: number | null, { maxMs: ofCall }: CallState, now: number): number | null {
  if (maxMs === null && ofCall === undefined) return null
  return now + Math.min(maxMs ?? Number.POSITIVE_INFINITY, ofCall ?? Number.POSITIVE_INFINITY)
}

/**
 * The device has accepted already. A description counts if it is the first one of this side, or the last one again with other candidates: an
 * accept names no revision, so a delayed retry must not answer a later offer. Candidates without a description count unless they wait already.
 */
function repeatAccept(state: CallState, { actor, offer, answer, batch }: CommandOf<'accept'>): CallDecision {
  const { negotiation, signaled } = state
  const kind = offer ? 'offer' : 'answer'
  const description = offer ?? answer
  if (description === undefined) {
    return batch && !isWaiting(signaled.callee, batch) ? decideBatch(state, 'callee', batch) : repeated(state, batch)
  }
  const isLast = isRetry(signaled.callee, { kind, revision: negotiation.revision }, { description })
  if (isDescribed(signaled.callee) && !isLast) return repeated(state, batch)
  return (offer ? decideOffer : decideAnswer)(state, { type: kind, actor, description, batch })
}

const repeated = (state: CallState, batch: CandidateBatch | undefined): CallDecision => ({
  ...unchanged(state),
  outcomes: batch && classifyFor(state, 'callee', batch)
})

/** Of the caller's devices only the one in the call gets the signals, as it alone gets all later ones. */
function acceptedEvents(state: CallState, call: Call, signals: RequestSignals): CallEvent[] {
  const data = { by: state.callee, call }
  const event = { type: 'call.accepted', data }
  if (Object.keys(signals).length === 0) return callEvents(state, toSide(state, 'caller', null), event)
  return [
    ...callEvents(state, toDevice(state, 'caller'), { ...event, data: { ...data, ...signals } }),
    ...callEvents(state, toSide(state, 'caller', state.caller), event)
  ]
}

/** Media flows. The report of the second side changes nothing but its `stats`. */
export function markConnected(state: CallState, { actor, stats }: CommandOf<'connected'>, now: number): CallDecision {
  const side = requireActiveDevice(state, actor)
  if (state.phase === 'ringing') throw tooEarly(state, 'The call has not been answered yet')
  const reported = withStats(state, side, stats)
  if (state.phase === 'connected' && state.connectedAt !== null) return withSide(state, side, reported.seen[side])
  const next = { ...withoutConnectLimit(reported), connectedAt: state.connectedAt ?? now }
  const recipients = [
    ...toSide(next, otherSide(side), actor),
    ...(side === 'caller' ? toSide(next, 'caller', actor) : [])
  ]
  const data = { by: actor, setupMs: now - state.createdAt - state.joined.callee.afterMs }
  return { state: next, events: callEvents(next, recipients, { type: 'call.connected', data }) }
}

/**
 * The connect time is over. If both sides have sent a description, the call goes on as connected: clients need not report that media flows.
 * A later report sets `connectedAt`.
 */
export function endConnectTime(state: CallState, now: number): CallDecision {
  if (!isDescribed(state.signaled.caller) || !isDescribed(state.signaled.callee)) {
    return end(state, { reason: 'expired', by: null, except: null }, now)
  }
  const next = withoutConnectLimit(state)
  const recipients = [...toSide(next, 'caller', null), ...toSide(next, 'callee', null)]
  const data = { by: null, setupMs: null }
  return { state: next, events: callEvents(next, recipients, { type: 'call.connected', data }) }
}

const withoutConnectLimit = (state: CallState): CallState => ({
  ...state,
  version: state.version + 1,
  phase: 'connected',
  limitAt: state.endsAt
})

/** Each side holds and resumes for itself. Clients change the media direction by offer and answer. */
export function setHold(state: CallState, actor: Endpoint, held: boolean): CallDecision {
  const side = requireActiveDevice(state, actor)
  if (state.phase !== 'connected') throw tooEarly(state, 'The call is not connected')
  if (state.held[side] === held) return unchanged(state)
  const next = { ...state, version: state.version + 1, held: { ...state.held, [side]: held } }
  const type = held ? 'call.held' : 'call.resumed'
  const events = callEvents(next, toSide(next, otherSide(side), actor), { type, data: { by: actor, held: next.held } })
  return { state: next, events }
}
