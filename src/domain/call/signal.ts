// Offers, answers and candidates of a call: who may speak, and to whom it goes. What they mean is in negotiation.ts.
import type { Candidate } from '../../schemas/signal.js'
import {
  answerIn,
  candidatesIn,
  countLater,
  offerIn,
  releaseIn,
  type Signal,
  type Spoken,
  type Talk,
  type Turn
} from '../negotiation/negotiation.js'
import type { CommandOf } from './command.js'
import { conflict, endpointOf, talking, tell, toDevice } from './party.js'
import { type CallEvent, type CallState, type Decision, otherSide, type Side } from './state.js'

export function offer(state: CallState, command: CommandOf<'offer' | 'answer'>): Decision {
  const side = signaling(state, command)
  const spoken = offerIn(state, turnOf(state, side), command)
  if (state.negotiation.revision === 0 && side === 'callee') {
    throw conflict(state, 'wrong_party', 'The caller makes the first offer')
  }
  return decide(state, side, spoken)
}

export function answer(state: CallState, command: CommandOf<'offer' | 'answer'>): Decision {
  const side = signaling(state, command)
  return decide(state, side, answerIn(state, turnOf(state, side), command))
}

export function candidates(state: CallState, command: CommandOf<'candidates'>): Decision {
  const side = talking(state, command.actor)
  return decide(state, side, candidatesIn(state, turnOf(state, side), command.batch))
}

/** How many of these would wait; for the reply. */
export function countWaiting(state: CallState, side: Side, batch: readonly Candidate[]): number {
  return countLater(state, turnOf(state, side), batch)
}

/** Sends what waited for the side's current generation, once the other side can hear it; part of the decision `state` is of. */
export function releaseWaiting(state: CallState, side: Side): Decision {
  const { talk, signals } = releaseIn(state, turnOf(state, side))
  return { state: merge(state, talk), events: signalsTo(state, side, signals) }
}

function signaling(state: CallState, command: CommandOf<'offer' | 'answer'>): Side {
  const side = talking(state, command.actor)
  if (state.phase === 'ringing') throw conflict(state, 'wrong_state', 'Nobody has answered yet')
  return side
}

const turnOf = (state: CallState, side: Side): Turn<Side> => ({
  side,
  other: otherSide(side),
  open: state.phase !== 'ringing',
  polite: side === 'callee',
  refuse: (code, detail, extra) => conflict(state, code, detail, extra)
})

/** What changes what was signaled is a new version of the call. */
function decide(state: CallState, side: Side, { talk, signals }: Spoken<Side>): Decision {
  const next = talk === state ? state : merge({ ...state, version: state.version + 1 }, talk)
  return { state: next, events: signalsTo(next, side, signals) }
}

const merge = (state: CallState, { negotiation, legs }: Talk<Side>): CallState =>
  state.negotiation === negotiation && state.legs === legs ? state : { ...state, negotiation, legs }

function signalsTo(state: CallState, side: Side, signals: readonly Signal[]): CallEvent[] {
  const from = endpointOf(state, side)
  const to = toDevice(state, otherSide(side))
  return signals.flatMap(({ type, data }) => tell(state, to, type, { from, ...data }))
}
