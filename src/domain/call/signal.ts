// Offers, answers and candidates of a call: who may send them, and to which device they go. The negotiation itself is in negotiation.ts.
import type { CandidateOutcomes } from '../../schemas/signal.js'
import type { CandidateBatch } from '../negotiation/candidate.js'
import { applyBatch, applyCandidates, classifyCandidates, releaseWaiting } from '../negotiation/candidates.js'
import { applyAnswer, applyOffer } from '../negotiation/negotiation.js'
import {
  isDescribed,
  type Negotiation,
  type NegotiationResult,
  type Signal,
  type Signaler
} from '../negotiation/state.js'
import type { CommandOf } from './command.js'
import type { CallDecision, CallEvent } from './decision.js'
import { callEvents, conflict, endpointOf, requireActiveDevice, toDevice, tooEarly } from './party.js'
import { type CallState, otherSide, type RequestSignals, type Side } from './state.js'

export function decideOffer(state: CallState, command: CommandOf<'offer' | 'answer'>): CallDecision {
  const side = requireAnswered(state, command)
  const isFirst = !isDescribed(state.signaled.caller) && !isDescribed(state.signaled.callee)
  const result = applyOffer(state, signalerOf(state, side), command)
  if (isFirst && side !== state.offerer) throw notTheOfferer(state, { retryable: true })
  return decide(state, side, result)
}

/** `retryable`: the same offer is accepted after the first one. */
export const notTheOfferer = (state: CallState, { retryable }: { retryable: boolean }) =>
  conflict(state, 'wrong_party', { detail: `The ${state.offerer} makes the first offer`, retryable })

interface AppliedSignals {
  readonly state: CallState
  readonly signals: RequestSignals
  readonly outcomes?: CandidateOutcomes | undefined
}

/** The offer and the candidates of the create that led to `state`: they go to devices that ring, as members of `call.incoming`. */
export function applyCreated(
  state: CallState,
  { offer, batch }: Pick<CommandOf<'create'>, 'offer' | 'batch'>
): AppliedSignals {
  const signaler = { ...signalerOf(state, 'caller'), canDeliver: true }
  if (offer) return toApplied(state, applyOffer(state, signaler, { description: offer, batch }))
  return batch ? toApplied(state, applyBatch(state, signaler, batch)) : { state, signals: {} }
}

/**
 * The same for the accept that led to `state`, and `call.accepted`. `before`: the call as it is if the accept is refused.
 * @throws AppError wrong_party, no_offer_pending
 */
export function applyAccepted(
  state: CallState,
  { offer, answer, batch }: CommandOf<'accept'>,
  before: CallState
): AppliedSignals {
  const { refuse } = signalerOf(before, 'callee')
  const signaler = { ...signalerOf(state, 'callee'), refuse }
  if (offer) {
    if (state.offerer !== 'callee') throw notTheOfferer(before, { retryable: false })
    return toApplied(state, applyOffer(state, signaler, { description: offer, batch }))
  }
  if (answer) return toApplied(state, applyAnswer(state, signaler, { description: answer, batch }))
  return batch ? toApplied(state, applyBatch(state, signaler, batch)) : { state, signals: {} }
}

/** Keeps the version: it is part of the decision that made `state`. */
const toApplied = (state: CallState, { next, signals, outcomes }: NegotiationResult<Side>): AppliedSignals => ({
  state: merge(state, next),
  signals: Object.assign({}, ...signals.map(toMembers)),
  outcomes
})

function toMembers({ type, data: { revision, sdp, candidates, end } }: Signal): object {
  return type === 'signal.candidates' ? { candidates, end } : { [type.slice('signal.'.length)]: { revision, sdp } }
}

export function decideAnswer(state: CallState, command: CommandOf<'offer' | 'answer'>): CallDecision {
  const side = requireAnswered(state, command)
  return decide(state, side, applyAnswer(state, signalerOf(state, side), command))
}

export function decideCandidates(state: CallState, command: CommandOf<'candidates'>): CallDecision {
  const side = requireActiveDevice(state, command.actor)
  return decide(state, side, applyCandidates(state, signalerOf(state, side), command.batch))
}

/** Candidates that are accepted also if all of them are rejected. */
export const decideBatch = (state: CallState, side: Side, batch: CandidateBatch): CallDecision =>
  decide(state, side, applyBatch(state, signalerOf(state, side), batch))

/** The outcomes of candidates of a retry, which are not sent again. */
export const classifyFor = (state: CallState, side: Side, batch: CandidateBatch): CandidateOutcomes =>
  classifyCandidates(state, signalerOf(state, side), batch)

/** Sends the candidates of a side that wait and can be delivered now. Keeps the version: it is part of the decision that made `state`. */
export function releaseWaitingOf(state: CallState, side: Side): CallDecision {
  const { next, signals } = releaseWaiting(state, signalerOf(state, side))
  return { state: merge(state, next), events: signalEvents(state, side, signals) }
}

function requireAnswered(state: CallState, command: CommandOf<'offer' | 'answer'>): Side {
  const side = requireActiveDevice(state, command.actor)
  if (state.phase === 'ringing') throw tooEarly(state, 'The call has not been answered yet')
  return side
}

const signalerOf = (state: CallState, side: Side): Signaler<Side> => ({
  side,
  other: otherSide(side),
  canDeliver: state.phase !== 'ringing',
  isPolite: side === 'callee',
  refuse: (code, detail, extra) => conflict(state, code, { detail, extra })
})

function decide(state: CallState, side: Side, { next, signals, outcomes }: NegotiationResult<Side>): CallDecision {
  const after = next === state ? state : merge({ ...state, version: state.version + 1 }, next)
  return { state: after, events: signalEvents(after, side, signals), outcomes }
}

const merge = (state: CallState, { negotiation, signaled }: Negotiation<Side>): CallState =>
  state.negotiation === negotiation && state.signaled === signaled ? state : { ...state, negotiation, signaled }

function signalEvents(state: CallState, side: Side, signals: readonly Signal[]): CallEvent[] {
  const from = endpointOf(state, side)
  const to = toDevice(state, otherSide(side))
  return signals.flatMap(({ type, data }) => callEvents(state, to, { type, data: { from, ...data } }))
}
