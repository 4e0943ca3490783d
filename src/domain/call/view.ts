// The call as each of its parties sees it.
import type { Call } from '../../schemas/call.js'
import type { Endpoint } from '../../schemas/common.js'
import { calledUser, endReasonOf, lastRingEnd, viewCallee } from './called.js'
import { shownCaller } from './operator-call.js'
import type { CalledUser, CallState, EndReason, FormerParty, Transfer } from './state.js'
import { transferorSide, withoutTransferor } from './transfer-state.js'

/** Of one call: the oldest are dropped, and can no longer read it. */
const FORMER_MAX = 16

const instant = (at: number | null) => (at === null ? null : new Date(at).toISOString())
const between = (from: number | null, to: number | null) =>
  from === null || to === null ? null : Math.max(0, to - from)

/** The call as this user sees it: a called user sees only itself as callee, and a former party the call that ended for it. */
export function viewCall(state: CallState, now: number, user: string): Call {
  const { callId, media, metadata } = state
  const former = formerParty(state, user)
  if (former) return { callId, media, metadata, ...former.view }
  const transfer = state.transfer?.hasLeft ? null : state.transfer
  if (transfer?.target.user === user) return viewTarget(state, transfer, now)
  const called = user === state.caller.user ? null : (calledUser(state, user) ?? null)
  const { version, phase, offerer, held, negotiation } = state
  return {
    callId,
    version,
    state: phase,
    caller: shownCaller(state),
    callee: calleeFor(state, called),
    ...(called === null && state.called.length > 1 && { callees: state.called.map(each => viewCallee(state, each)) }),
    media,
    metadata,
    offerer,
    ...beginningFor(state, called),
    endedAt: instant(state.endedAt),
    reason: called?.reason ? endReasonOf(called.reason) : state.reason,
    endedBy: endedByFor(state, called),
    expiresInMs: between(now, phase === 'ringing' ? (called?.endsAt ?? lastRingEnd(state)) : state.limitAt),
    ...(transfer && phase !== 'ended' ? { transfer: viewTransfer(state, transfer, now) } : {}),
    held,
    negotiation
  }
}

/** A user who is rung by a transfer sees a call that begins with it. */
function beginningFor(
  { createdAt, answeredAt, connectedAt, endedAt, callee, joined }: CallState,
  viewer: CalledUser | null
) {
  const isTarget = viewer !== null && callee === null && joined.callee.transfer > 0
  return {
    createdAt: new Date(createdAt + (isTarget ? joined.callee.afterMs : 0)).toISOString(),
    answeredAt: instant(isTarget ? null : answeredAt),
    connectedAt: instant(isTarget ? null : connectedAt),
    setupMs: isTarget ? null : between(createdAt, connectedAt),
    durationMs: isTarget ? null : between(connectedAt, endedAt)
  }
}

/** The call as it is without its transferor. */
function viewTarget(state: CallState, transfer: Transfer, now: number): Call {
  const ringing = withoutTransferor(state, transfer)
  const shown = state.phase === 'ended' ? { ...ringing, phase: state.phase, limitAt: null } : ringing
  return viewCall(shown, now, transfer.target.user)
}

function viewTransfer(state: CallState, transfer: Transfer, now: number): NonNullable<Call['transfer']> {
  const { user, device, endsAt } = transfer.target
  const toCall = transfer.replaces && { toCall: transfer.replaces.callId }
  const expiresInMs = Math.max(0, (endsAt ?? now) - now)
  return { by: transferorSide(state, transfer), to: { user, device }, ...toCall, expiresInMs }
}

/** Before the answer a called user sees itself, and the caller the only user who is called. */
function calleeFor({ callee, called }: CallState, viewer: CalledUser | null): Call['callee'] {
  if (callee !== null && (viewer === null || viewer.user === callee.user)) return callee
  const shown = viewer ?? (called.length === 1 ? called[0] : null)
  return shown ? { user: shown.user, device: null } : null
}

/** No user learns the device of a called user before the answer, and a called user nothing about another one. */
function endedByFor({ callee, caller, endedBy }: CallState, viewer: CalledUser | null): Endpoint | Call['endedBy'] {
  if (endedBy === null && viewer?.reason === 'declined') return { user: viewer.user, device: null }
  if (endedBy === null || endedBy.user === caller.user || callee !== null) return endedBy
  return viewer === null || viewer.user === endedBy.user ? { user: endedBy.user, device: null } : null
}

export const formerParty = (state: CallState, user: string): FormerParty | null =>
  state.former.find(each => each.user === user) ?? null

/** When the user came into the call, in ms after it was created. */
export function joinedAfterMs({ createdAt, caller, joined, transfer }: CallState, user: string): number {
  if (transfer && !transfer.hasLeft && transfer.target.user === user) return transfer.startedAt - createdAt
  return joined[user === caller.user ? 'caller' : 'callee'].afterMs
}

/** Which part of the timeline a user sees: from when they came into the call until they left it, in ms since it was created. */
export interface Attendance {
  readonly fromMs: number
  readonly untilMs: number
}

/** For an operator. */
export const WHOLE_CALL: Attendance = { fromMs: 0, untilMs: Number.POSITIVE_INFINITY }

export function attendanceOf(state: CallState, user: string): Attendance {
  const former = formerParty(state, user)
  if (former === null) return { fromMs: joinedAfterMs(state, user), untilMs: Number.POSITIVE_INFINITY }
  const { endedAt } = former.view
  const untilMs = endedAt === null ? Number.POSITIVE_INFINITY : Date.parse(endedAt) - state.createdAt
  return { fromMs: former.afterMs, untilMs }
}

export interface Departure {
  readonly reason: EndReason
  readonly by: Endpoint | null
}

/** The state with these users as former parties, for whom the call ends now. The call itself is not changed. */
export function withFormer(
  state: CallState,
  users: readonly string[],
  { reason, by, now }: Departure & { readonly now: number }
): CallState {
  const ended = { ...state, phase: 'ended', endedAt: now, reason, endedBy: by, limitAt: null } as const
  const left = users.map((user): FormerParty => {
    const { callId: _, media: __, metadata: ___, ...view } = viewCall(ended, now, user)
    return { user, afterMs: joinedAfterMs(state, user), view }
  })
  const others = state.former.filter(({ user }) => !users.includes(user))
  return { ...state, former: [...others, ...left].slice(-FORMER_MAX) }
}
