// The call as each of its parties sees it.
import type { Call } from '../../schemas/call.js'
import type { Endpoint } from '../../schemas/common.js'
import { calledUser, lastRingEnd, viewCallee } from './called.js'
import { shownCaller } from './operator-call.js'
import type { CalledUser, CallState, EndReason, FormerParty } from './state.js'

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
    createdAt: new Date(state.createdAt).toISOString(),
    answeredAt: instant(state.answeredAt),
    connectedAt: instant(state.connectedAt),
    endedAt: instant(state.endedAt),
    reason: (called?.reason as EndReason | null | undefined) ?? state.reason,
    endedBy: endedByFor(state, called),
    expiresInMs: between(now, phase === 'ringing' ? (called?.endsAt ?? lastRingEnd(state)) : state.limitAt),
    setupMs: between(state.createdAt, state.connectedAt),
    durationMs: between(state.connectedAt, state.endedAt),
    held,
    negotiation
  }
}

/** Before the answer a called user sees itself, and the caller the only user who is called. */
function calleeFor({ callee, called }: CallState, viewer: CalledUser | null): Call['callee'] {
  if (callee !== null && (viewer === null || viewer.user === callee.user)) return callee
  const shown = viewer ?? (called.length === 1 ? called[0] : null)
  return shown ? { user: shown.user, device: null } : null
}

/** No user learns the device of a called user before the answer, and a called user nothing about another one. */
function endedByFor({ answeredAt, caller, endedBy }: CallState, viewer: CalledUser | null): Endpoint | Call['endedBy'] {
  if (endedBy === null && viewer?.reason === 'declined') return { user: viewer.user, device: null }
  if (endedBy === null || endedBy.user === caller.user || answeredAt !== null) return endedBy
  return viewer === null || viewer.user === endedBy.user ? { user: endedBy.user, device: null } : null
}

export const formerParty = (state: CallState, user: string): FormerParty | null =>
  state.former.find(each => each.user === user) ?? null

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
    return { user, view }
  })
  const others = state.former.filter(({ user }) => !users.includes(user))
  return { ...state, former: [...others, ...left].slice(-FORMER_MAX) }
}
