// A new call, and what its create sends to the callee's devices.
import { AppError } from '../../errors.js'
import type { Endpoint } from '../../schemas/common.js'
import type { CandidateOutcomes } from '../../schemas/signal.js'
import { endpoint } from '../endpoint.js'
import { NO_SIGNALS } from '../negotiation/state.js'
import { newCalled, nextRingEnd } from './called.js'
import type { CommandOf } from './command.js'
import { type CallDecision, unchanged } from './decision.js'
import { isStarting } from './operator-call.js'
import { callEvents, toSide } from './party.js'
import { seeTypes } from './seen.js'
import { applyCreated } from './signal.js'
import { type CalledUser, type CallState, NO_MEDIA_STATE, NOTHING_SEEN } from './state.js'
import { newTimeline, withCreatedOffer } from './timeline.js'
import { viewCall } from './view.js'

interface Origin {
  readonly callId: string
  readonly caller: Endpoint
  readonly called: readonly CalledUser[]
  readonly attempt: number
}

const FROM_CREATE = { transfer: 0, afterMs: 0 }

interface CreatedAt {
  readonly version: number
  readonly now: number
}

export function newCall({ callId, caller, called, attempt }: Origin, { version, now }: CreatedAt): CallState {
  return {
    callId,
    version,
    phase: 'ringing',
    creator: caller.user,
    caller: endpoint(caller),
    attempt,
    callee: null,
    called,
    former: [],
    transfer: null,
    transfers: 0,
    transferred: [],
    joined: { caller: FROM_CREATE, callee: FROM_CREATE },
    media: null,
    metadata: {},
    offerer: 'caller',
    createdAt: now,
    answeredAt: null,
    connectedAt: null,
    endedAt: null,
    reason: null,
    endedBy: null,
    limitAt: null,
    endsAt: null,
    checkAt: null,
    early: {},
    held: { caller: false, callee: false },
    away: { caller: false, callee: false },
    negotiation: { revision: 0, pendingFrom: null },
    signaled: { caller: NO_SIGNALS, callee: NO_SIGNALS },
    sendsMedia: { caller: NO_MEDIA_STATE, callee: NO_MEDIA_STATE },
    sent: { caller: [], callee: [] },
    timeline: newTimeline(),
    seen: { caller: NOTHING_SEEN, callee: NOTHING_SEEN },
    iceRestarts: 0
  }
}

/** A repeat by the same caller changes nothing. @throws AppError call_id_taken */
export function create(state: CallState | null, command: CommandOf<'create'>, now: number): CallDecision {
  if (state === null) return startRinging(command, { version: 1, now })
  if (state.creator !== command.actor.user) throw new AppError('call_id_taken')
  return unchanged(state)
}

export function startRinging(command: CommandOf<'create'>, at: CreatedAt): CallDecision {
  const { callId, actor, attempt, media, metadata } = command
  const called = command.callees.map(callee => newCalled(callee, at.now))
  const call: CallState = {
    ...newCall({ callId, caller: actor, called, attempt }, at),
    media,
    metadata,
    offerer: command.offerer ?? 'caller',
    limitAt: nextRingEnd(called, at.now),
    ...(command.maxMs === undefined ? {} : { maxMs: command.maxMs }),
    timeline: newTimeline(command.policy)
  }
  const { state: signaled, signals, outcomes } = applyCreated(call, command)
  const timeline = signals.offer ? withCreatedOffer(signaled) : signaled.timeline
  const seen = seeTypes(NOTHING_SEEN, { descriptions: [command.offer], batch: command.batch })
  const state: CallState = { ...signaled, early: signals, timeline, seen: { caller: seen, callee: NOTHING_SEEN } }
  const incoming = { type: 'call.incoming', data: (user: string) => incomingData(state, at.now, user) }
  return { state, events: callEvents(state, toSide(state, 'callee', null), incoming), outcomes }
}

/** The outcomes of the candidates of a create, whatever happened to its call since: a retry gets the same. */
export const outcomesOfCreate = (command: CommandOf<'create'>): CandidateOutcomes | undefined =>
  startRinging(command, { version: 1, now: 0 }).outcomes

/** The data of `call.incoming` for this user. */
export function incomingData(state: CallState, now: number, user: string): Record<string, unknown> {
  const call = viewCall(state, now, user)
  const { media, metadata, expiresInMs, caller: from } = call
  const startedBy = isStarting(state) ? { startedBy: 'operator' } : {}
  const { by, replaces } = state.transfer ?? {}
  const transferred = by && { transferredBy: by, ...(replaces && { replaces: replaces.callId }) }
  return { from, ...startedBy, ...transferred, media, metadata, expiresInMs, ...state.early, call }
}
