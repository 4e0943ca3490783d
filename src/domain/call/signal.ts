// Offers, answers and candidates of a call: who may send them, and to which device they go. The negotiation itself is in negotiation.ts.
import type { CandidateBatch } from '../negotiation/candidate.js'
import {
  applyCandidates,
  type CandidateOutcomes,
  classifyCandidates,
  releaseWaiting
} from '../negotiation/candidates.js'
import { applyAnswer, applyOffer } from '../negotiation/negotiation.js'
import type { Description } from '../negotiation/sdp.js'
import type { Negotiation, NegotiationResult, Signal, Signaler } from '../negotiation/state.js'
import type { CommandOf } from './command.js'
import { callEvents, conflict, endpointOf, requireActiveDevice, toDevice, tooEarly } from './party.js'
import { type CallDecision, type CallEvent, type CallState, otherSide, type Side } from './state.js'

export function decideOffer(state: CallState, command: CommandOf<'offer' | 'answer'>): CallDecision {
  const side = requireAnswered(state, command)
  const result = applyOffer(state, signalerOf(state, side), command)
  if (state.negotiation.revision === 0 && side !== state.offerer) throw notTheOfferer(state, { retryable: true })
  return decide(state, side, result)
}

/** `retryable`: the same offer is accepted after the first one. */
const notTheOfferer = (state: CallState, { retryable }: { retryable: boolean }) =>
  conflict(state, 'wrong_party', { detail: `The ${state.offerer} makes the first offer`, retryable })

/** An offer as it is part of an event. */
export interface SentOffer {
  readonly revision: number
  readonly sdp: string
}

/** The first offer, made by the accept that led to `state`. Keeps the version. @throws AppError wrong_party if the caller makes it */
export function withFirstOffer(state: CallState, description: Description): { state: CallState; offer: SentOffer } {
  if (state.offerer !== 'callee') throw notTheOfferer(state, { retryable: false })
  const { next } = applyOffer(state, signalerOf(state, 'callee'), { description })
  return { state: merge(state, next), offer: { revision: next.negotiation.revision, sdp: description.sdp } }
}

export function decideAnswer(state: CallState, command: CommandOf<'offer' | 'answer'>): CallDecision {
  const side = requireAnswered(state, command)
  return decide(state, side, applyAnswer(state, signalerOf(state, side), command))
}

export function decideCandidates(state: CallState, command: CommandOf<'candidates'>): CallDecision {
  const side = requireActiveDevice(state, command.actor)
  return decide(state, side, applyCandidates(state, signalerOf(state, side), command.batch))
}

/** What the command `candidates` does with each of them. */
export function classifyCandidatesOf(state: CallState, side: Side, batch: CandidateBatch): CandidateOutcomes {
  return classifyCandidates(state, signalerOf(state, side), batch)
}

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

function decide(state: CallState, side: Side, { next, signals }: NegotiationResult<Side>): CallDecision {
  const after = next === state ? state : merge({ ...state, version: state.version + 1 }, next)
  return { state: after, events: signalEvents(after, side, signals) }
}

const merge = (state: CallState, { negotiation, signaled }: Negotiation<Side>): CallState =>
  state.negotiation === negotiation && state.signaled === signaled ? state : { ...state, negotiation, signaled }

function signalEvents(state: CallState, side: Side, signals: readonly Signal[]): CallEvent[] {
  const from = endpointOf(state, side)
  const to = toDevice(state, otherSide(side))
  return signals.flatMap(({ type, data }) => callEvents(state, to, { type, data: { from, ...data } }))
}
