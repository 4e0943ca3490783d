// Offer, answer, candidates. One negotiation is in flight at a time and has a number, its revision; crossing offers are
// decided here: the first one stands. A candidate never arrives before its description (G6): until that was committed it
// waits in the call; one of an older ICE generation is refused. RFC 8829 section 4.1, RFC 8838, RFC 8839 section 5.4.
import type { Candidate } from '../schemas/signal.js'
import type { CommandOf } from './command.js'
import { conflict, endpointOf, talking, tell, toDevice } from './party.js'
import { type Description, ufragOf } from './sdp.js'
import { type CallState, type Decision, type Leg, otherSide, type Side } from './state.js'

/** Candidates that may wait on a leg: several times what a browser gathers. */
export const WAITING_MAX = 256
/** Generations remembered, to tell a late candidate from an early one. */
const OLDER_MAX = 16

export function offer(state: CallState, command: CommandOf<'offer' | 'answer'>): Decision {
  const side = signaling(state, command)
  const { revision, pendingFrom } = state.negotiation
  if (isRetry(state, side, command)) return { state, events: [] }
  if (pendingFrom === otherSide(side)) {
    const extra = { revision, pendingFrom, polite: side === 'callee' }
    throw conflict(state, 'offer_collision', 'Roll back your offer, answer the pending one, then offer again', extra)
  }
  if (command.revision !== undefined && command.revision !== revision + 1) {
    throw conflict(state, 'stale_revision', `The next offer is revision ${revision + 1}`, { revision })
  }
  if (revision === 0 && side === 'callee') throw conflict(state, 'wrong_party', 'The caller makes the first offer')
  return describe(state, side, command.description, { revision: revision + 1, pendingFrom: side })
}

export function answer(state: CallState, command: CommandOf<'offer' | 'answer'>): Decision {
  const side = signaling(state, command)
  const { revision, pendingFrom } = state.negotiation
  if (isRetry(state, side, command)) return { state, events: [] }
  if (command.revision !== undefined && command.revision !== revision) {
    throw conflict(state, 'stale_revision', `The pending offer is revision ${revision}`, { revision })
  }
  if (pendingFrom !== otherSide(side)) throw conflict(state, 'no_offer_pending', undefined, { revision })
  return describe(state, side, command.description, { revision, pendingFrom: null })
}

/** Candidates of the current generation go straight through; others wait for their description. */
export function candidates(state: CallState, command: CommandOf<'candidates'>): Decision {
  const side = talking(state, command.actor)
  const leg = state.legs[side]
  const { now, later } = sortByGeneration(state, side, command.batch.candidates)
  const end = command.batch.end === true
  const endNow = end && later.length === 0 && leg.waiting.length === 0 && isOpen(state, leg)
  const kept = later.length > 0 || (end && !endNow && !leg.waitingEnd)
  if (kept && leg.waiting.length + later.length > WAITING_MAX)
    throw conflict(state, 'too_many_held', `At most ${WAITING_MAX} wait`)
  const waiting: Leg = { ...leg, waiting: [...leg.waiting, ...later], waitingEnd: leg.waitingEnd || end }
  const next = kept ? withLeg({ ...state, version: state.version + 1 }, side, waiting) : state
  return { state: next, events: now.length > 0 || endNow ? tellCandidates(next, side, now, endNow) : [] }
}

/** How many of these would wait; for the reply. */
export function countWaiting(state: CallState, side: Side, batch: readonly Candidate[]): number {
  return sortByGeneration(state, side, batch).later.length
}

/** Sends what waited for the side's current generation, once the other side can hear it. */
export function releaseWaiting(state: CallState, side: Side): Decision {
  const leg = state.legs[side]
  if (!isOpen(state, leg) || (leg.waiting.length === 0 && !leg.waitingEnd)) return { state, events: [] }
  const ready = leg.waiting.filter(candidate => isCurrent(leg, candidate))
  const waiting = leg.waiting.filter(
    candidate => !isCurrent(leg, candidate) && !leg.older.includes(ufragOf(candidate) ?? '')
  )
  const end = leg.waitingEnd && waiting.length === 0
  const next = withLeg(state, side, { ...leg, waiting, waitingEnd: leg.waitingEnd && !end })
  return { state: next, events: ready.length > 0 || end ? tellCandidates(next, side, ready, end) : [] }
}

function signaling(state: CallState, command: CommandOf<'offer' | 'answer'>): Side {
  const side = talking(state, command.actor)
  if (state.phase === 'ringing') throw conflict(state, 'wrong_state', 'Nobody has answered yet')
  return side
}

function isRetry(
  state: CallState,
  side: Side,
  { type, description, revision }: CommandOf<'offer' | 'answer'>
): boolean {
  const last = state.legs[side].last
  if (last === null || last.revision !== state.negotiation.revision) return false
  return last.kind === type && last.digest === description.digest && (revision ?? last.revision) === last.revision
}

function describe(
  state: CallState,
  side: Side,
  description: Description,
  negotiation: CallState['negotiation']
): Decision {
  const leg = state.legs[side]
  const kind = negotiation.pendingFrom === null ? 'answer' : 'offer'
  const sameGeneration = description.ufrags.every(ufrag => leg.ufrags.includes(ufrag))
  const described: Leg = {
    ...leg,
    ufrags: description.ufrags,
    older: sameGeneration ? leg.older : [...leg.older, ...leg.ufrags].slice(-OLDER_MAX),
    last: { kind, revision: negotiation.revision, digest: description.digest }
  }
  const next = withLeg({ ...state, version: state.version + 1, negotiation }, side, described)
  const data = { from: endpointOf(next, side), revision: negotiation.revision, sdp: description.sdp }
  const sent = tell(next, toDevice(next, otherSide(side)), `signal.${kind}`, data)
  const released = releaseWaiting(next, side)
  return { state: released.state, events: [...sent, ...released.events] }
}

/** The leg has a description and somebody to hear it. */
const isOpen = (state: CallState, leg: Leg) => leg.ufrags.length > 0 && state.phase !== 'ringing'

function isCurrent(leg: Leg, candidate: Candidate): boolean {
  const ufrag = ufragOf(candidate)
  return ufrag === null || leg.ufrags.includes(ufrag)
}

function sortByGeneration(state: CallState, side: Side, batch: readonly Candidate[]) {
  const leg = state.legs[side]
  const now: Candidate[] = []
  const later: Candidate[] = []
  for (const candidate of batch) {
    const ufrag = ufragOf(candidate)
    if (ufrag !== null && leg.older.includes(ufrag) && !leg.ufrags.includes(ufrag)) {
      throw conflict(state, 'stale_candidate', `The ufrag ${ufrag} is of an older generation`, {
        revision: state.negotiation.revision
      })
    }
    if (isOpen(state, leg) && isCurrent(leg, candidate)) now.push(candidate)
    else later.push(candidate)
  }
  return { now, later }
}

function tellCandidates(state: CallState, side: Side, batch: readonly Candidate[], end: boolean) {
  const data = { from: endpointOf(state, side), revision: state.negotiation.revision, candidates: batch, end }
  return tell(state, toDevice(state, otherSide(side)), 'signal.candidates', data)
}

function withLeg(state: CallState, side: Side, leg: Leg): CallState {
  return { ...state, legs: { ...state.legs, [side]: leg } }
}
