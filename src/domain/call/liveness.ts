// The liveness of both sides of a call. If the device of a side is gone for AWAY_AFTER_MS, the other side receives `call.peer_away`; if it is
// gone for GRACE_MS, the call ends (G7).
import { calledUser } from './called.js'
import type { CommandOf } from './command.js'
import { incomingData } from './creation.js'
import { type CallDecision, type CallEvent, unchanged } from './decision.js'
import { end } from './ending.js'
import { callEvents, endpointOf, reaches, sideOf, toCalled, toSide } from './party.js'
import { seeConnection, withSide } from './seen.js'
import { type CallState, otherSide, pendingTransfer, type Side } from './state.js'
import { leaveTransfer } from './transfer.js'
import { transferorSide } from './transfer-state.js'

const SIDES: readonly Side[] = ['caller', 'callee']

/**
 * Announces which side went away or came back, ends the call when a side stays away, and sets the next check. A check that finds no
 * change keeps the version: its commit only sets the deadline again, which the timer has claimed.
 */
export function checkLiveness(state: CallState, command: CommandOf<'check'>, now: number): CallDecision {
  if (state.phase === 'ringing') return { state: { ...state }, events: [] }
  const { goneSince, awayMs, graceMs, checkMs } = command
  const [lost, ...others] = SIDES.filter(side => goneMs(goneSince[side], now) >= graceMs)
  const transfer = pendingTransfer(state)
  if (transfer && lost === transferorSide(state, transfer) && others.length === 0) {
    return leaveTransfer(state, { transfer, by: null, reason: 'lost' }, now)
  }
  if (lost) return end(state, { reason: 'lost', by: endpointOf(state, lost), except: null }, now)
  const away = { caller: goneMs(goneSince.caller, now) >= awayMs, callee: goneMs(goneSince.callee, now) >= awayMs }
  // A side that is gone is checked again when it becomes away, and from then on every `awayMs`, to notice soon that it is back.
  const checks = SIDES.map(side => {
    const since = goneSince[side]
    if (since === null) return now + checkMs
    return away[side] ? Math.min(since + graceMs, now + awayMs) : since + awayMs
  })
  const changed = SIDES.filter(side => away[side] !== state.away[side])
  const version = state.version + (changed.length > 0 ? 1 : 0)
  const next = { ...state, version, away, checkAt: Math.min(...checks) }
  const events = changed.flatMap(side => awayEvents(next, side, graceMs - goneMs(goneSince[side], now)))
  return { state: next, events }
}

const goneMs = (since: number | null, now: number) => (since === null ? 0 : now - since)

/** The event for the other side: this side went away or came back. */
function awayEvents(state: CallState, side: Side, expiresInMs: number): CallEvent[] {
  const recipients = toSide(state, otherSide(side), null)
  const device = endpointOf(state, side)
  if (!state.away[side]) return callEvents(state, recipients, { type: 'call.peer_back', data: { device } })
  return callEvents(state, recipients, { type: 'call.peer_away', data: { device, expiresInMs } })
}

/** A device is new or back: a ringing call is offered to it; in a call, its peer gets `call.peer_back`. */
export function deviceAppeared(state: CallState, command: CommandOf<'appeared'>, now: number): CallDecision {
  const { actor, offerAt, connection } = command
  const side = sideOf(state, actor.user)
  if (state.phase === 'ringing' && side === 'callee') {
    const called = calledUser(state, actor.user)
    const rings = called !== undefined && toCalled(called, null).some(to => reaches(to, actor.device))
    if (offerAt === null || !rings) return unchanged(state)
    const recipient = { user: actor.user, device: actor.device, expectedHead: offerAt }
    return {
      state,
      events: callEvents(state, [recipient], { type: 'call.incoming', data: incomingData(state, now, actor.user) })
    }
  }
  const isInCall = endpointOf(state, side)?.device === actor.device
  if (state.phase === 'ended' || !isInCall) return unchanged(state)
  const seen = seeConnection(state.seen[side], connection)
  if (!state.away[side]) return withSide(state, side, seen)
  const back = { ...state, version: state.version + 1, away: { ...state.away, [side]: false } }
  const next: CallState = { ...back, seen: { ...state.seen, [side]: seen } }
  return { state: next, events: awayEvents(next, side, 0) }
}
