// How calls begin and end.

import { AppError } from '../../errors.js'
import type { Endpoint } from '../../schemas/common.js'
import { type Leg, SILENT_LEG } from '../negotiation/negotiation.js'
import type { CommandOf } from './command.js'
import { conflict, mustBe, sideOf, tell, toSide } from './party.js'
import { type CallState, type Decision, type EndReason, type Side, viewCall } from './state.js'

const unchanged = (state: CallState): Decision => ({ state, events: [] })

interface Origin {
  readonly callId: string
  readonly caller: Endpoint
  readonly to: string | null
  readonly attempt: number
}

export function newCall(
  { callId, caller, to, attempt }: Origin,
  { version, now }: { version: number; now: number }
): CallState {
  return {
    callId,
    version,
    phase: 'ringing',
    caller: { user: caller.user, device: caller.device },
    attempt,
    callee: to === null ? null : { user: to, device: null },
    media: null,
    metadata: {},
    createdAt: now,
    answeredAt: null,
    connectedAt: null,
    endedAt: null,
    reason: null,
    endedBy: null,
    limitAt: null,
    checkAt: null,
    earlyOffer: null,
    alerted: false,
    held: { caller: false, callee: false },
    away: { caller: false, callee: false },
    negotiation: { revision: 0, pendingFrom: null },
    legs: { caller: SILENT_LEG, callee: SILENT_LEG },
    declined: [],
    isMuted: false
  }
}

/** A repeat by the same caller changes nothing: the first one counts. @throws AppError call_id_taken */
export function create(state: CallState | null, command: CommandOf<'create'>, now: number): Decision {
  if (state === null) return ring(command, { version: 1, now })
  if (state.caller.user !== command.actor.user) throw new AppError('call_id_taken')
  return unchanged(state)
}

export function ring(command: CommandOf<'create'>, at: { version: number; now: number }): Decision {
  const { callId, actor, to, attempt, media, metadata, offer, ringMs } = command
  const call: CallState = {
    ...newCall({ callId, caller: actor, to, attempt }, at),
    media,
    metadata,
    isMuted: command.isMuted === true,
    limitAt: at.now + ringMs,
    earlyOffer: offer?.sdp ?? null
  }
  const ringing: CallState = offer === null ? call : withEarlyOffer(call, offer.ufrags, offer.digest)
  return {
    state: ringing,
    events: tell(ringing, toSide(ringing, 'callee', null), 'call.incoming', incoming(ringing, at.now))
  }
}

function withEarlyOffer(call: CallState, ufrags: readonly string[], digest: string): CallState {
  const caller: Leg = { ...SILENT_LEG, ufrags, last: { kind: 'offer', revision: 1, digest } }
  return { ...call, negotiation: { revision: 1, pendingFrom: 'caller' }, legs: { ...call.legs, caller } }
}

/** What a device is told that is to ring, now or late. */
export function incoming(state: CallState, now: number): Record<string, unknown> {
  const call = viewCall(state, now)
  const offer = state.earlyOffer === null ? {} : { offer: { revision: 1, sdp: state.earlyOffer } }
  const { media, metadata, expiresInMs } = call
  return { from: state.caller, media, metadata, expiresInMs, ...offer, call }
}

export function cancel(state: CallState, actor: Endpoint, now: number): Decision {
  mustBe(state, actor, 'caller')
  if (state.phase === 'ended') return unchanged(state)
  if (state.phase === 'connected') throw conflict(state, 'wrong_state', 'It is connected: hang up instead')
  return end(state, { reason: 'cancelled', by: actor, actor }, now)
}

export function reject(state: CallState, command: CommandOf<'reject'>, now: number): Decision {
  const { actor, scope, devices } = command
  mustBe(state, actor, 'callee')
  if (state.phase === 'ended') return unchanged(state)
  if (state.phase === 'connected') throw conflict(state, 'wrong_state', 'It is connected: hang up instead')
  if (state.phase === 'connecting') {
    if (state.callee?.device !== actor.device) throw conflict(state, 'answered_elsewhere')
    return end(state, { reason: 'declined', by: actor, actor }, now)
  }
  if (scope === 'user') return end(state, { reason: 'declined', by: actor, actor }, now)
  const declined = state.declined.includes(actor.device) ? state.declined : [...state.declined, actor.device]
  if (devices.every(device => declined.includes(device)))
    return end({ ...state, declined }, { reason: 'declined', by: actor, actor }, now)
  if (declined === state.declined) return unchanged(state)
  return { state: { ...state, version: state.version + 1, declined }, events: [] }
}

/** Changes nothing unless the call rings for this user. */
export function endAsBusy(state: CallState, user: string, now: number): Decision {
  if (state.phase !== 'ringing' || state.callee?.user !== user) return unchanged(state)
  return end(state, { reason: 'busy', by: null, actor: null }, now)
}

/** Any device of either side may hang up: a phone that died must not keep its owner busy. */
export function hangup(state: CallState, command: CommandOf<'hangup'>, now: number): Decision {
  sideOf(state, command.actor.user)
  if (state.phase === 'ended') return unchanged(state)
  if (state.phase === 'ringing') throw conflict(state, 'wrong_state', 'It is ringing: cancel or reject instead')
  return end(state, { reason: command.reason, by: command.actor, actor: command.actor }, now)
}

export interface Ending {
  readonly reason: EndReason
  /** Whose doing it is; null when time ran out. */
  readonly by: Endpoint | null
  /** Who acted just now and needs no event; null when nobody did, as when a side was lost. */
  readonly actor: Endpoint | null
}

/** Ends a live call and tells every device that follows it, each exactly once and why. */
export function end(state: CallState, how: Ending, now: number): Decision {
  const { reason, by, actor } = how
  const ended: CallState = {
    ...state,
    version: state.version + 1,
    phase: 'ended',
    endedAt: now,
    reason,
    endedBy: by === null ? null : { user: by.user, device: by.device },
    limitAt: null,
    checkAt: null,
    earlyOffer: null,
    away: { caller: false, callee: false },
    legs: { caller: SILENT_LEG, callee: SILENT_LEG }
  }
  const call = viewCall(ended, now)
  const told = (side: Side) => {
    const mine = side === 'callee' && reason === 'declined' ? 'declined_elsewhere' : reason
    return tell(ended, toSide(ended, side, actor), 'call.ended', { reason: mine, endedBy: call.endedBy, call })
  }
  return { state: ended, events: [...told('caller'), ...told('callee')] }
}
