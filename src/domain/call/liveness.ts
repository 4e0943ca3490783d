// Who is still there. A device gone for AWAY_AFTER_MS is announced as away, gone for GRACE_MS it loses the call (G7).
import type { CommandOf } from './command.js'
import { end, incoming } from './ending.js'
import { endpointOf, sideOf, tell, toDevice, toSide } from './party.js'
import { type CallEvent, type CallState, type Decision, otherSide, type Side } from './state.js'

const SIDES: readonly Side[] = ['caller', 'callee']
const unchanged = (state: CallState): Decision => ({ state, events: [] })

/**
 * Announces who went and who came back, ends the call when one side stays away, and sets the next check. A check that finds nothing
 * keeps the version: its commit only sets the timer again after it was claimed.
 */
export function checkLiveness(state: CallState, command: CommandOf<'check'>, now: number): Decision {
  if (state.phase === 'ringing') return { state: { ...state }, events: [] }
  const { absence, awayMs, graceMs, checkMs } = command
  const lost = SIDES.find(side => goneFor(absence[side], now) >= graceMs)
  if (lost) return end(state, { reason: 'lost', by: endpointOf(state, lost), actor: null }, now)
  const away = { caller: goneFor(absence.caller, now) >= awayMs, callee: goneFor(absence.callee, now) >= awayMs }
  // An absent side is looked at again when it would count as away, and from then on often enough to see it come back.
  const looks = SIDES.map(side => {
    const since = absence[side]
    if (since === null) return now + checkMs
    return away[side] ? Math.min(since + graceMs, now + awayMs) : since + awayMs
  })
  const isNew = SIDES.some(side => away[side] !== state.away[side])
  const next = { ...state, version: state.version + (isNew ? 1 : 0), away, checkAt: Math.min(...looks) }
  return { state: next, events: SIDES.flatMap(side => announce(state, next, side, absence[side], graceMs, now)) }
}

const goneFor = (since: number | null, now: number) => (since === null ? 0 : now - since)

function announce(
  before: CallState,
  after: CallState,
  side: Side,
  since: number | null,
  graceMs: number,
  now: number
): CallEvent[] {
  if (before.away[side] === after.away[side]) return []
  const audience = toSide(after, otherSide(side), null)
  const device = endpointOf(after, side)
  if (!after.away[side]) return tell(after, audience, 'call.peer_back', { device })
  return tell(after, audience, 'call.peer_away', { device, expiresInMs: (since ?? now) + graceMs - now })
}

/** A device has come: it is offered a call that rings, and its peer hears that it is back. */
export function greet(state: CallState, command: CommandOf<'appeared'>, now: number): Decision {
  const { actor, offerAt } = command
  const side = sideOf(state, actor.user)
  if (state.phase === 'ringing') {
    if (side === 'caller' || offerAt === null || state.declined.includes(actor.device)) return unchanged(state)
    const audience = { user: actor.user, device: actor.device, at: offerAt }
    return { state, events: tell(state, [audience], 'call.incoming', incoming(state, now)) }
  }
  if (state.phase === 'ended' || !state.away[side] || toDevice(state, side)[0]?.device !== actor.device)
    return unchanged(state)
  const next: CallState = { ...state, version: state.version + 1, away: { ...state.away, [side]: false } }
  return {
    state: next,
    events: tell(next, toSide(next, otherSide(side), null), 'call.peer_back', { device: endpointOf(next, side) })
  }
}
