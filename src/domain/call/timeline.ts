// The timeline of a call: what happened when, and by whom. It is part of the state, so the commit of a change writes its line too. The lines
// are derived from what the change did to the state, bounded in number and bytes, and stored as short arrays.
import type { Endpoint } from '../../schemas/common.js'
import type { CallTimeline, TimelineEntry, TimelineOutcome } from '../../schemas/timeline.js'
import { isCurrent, type SideSignals } from '../negotiation/state.js'
import { calledUser } from './called.js'
import type { CallDecision } from './decision.js'
import { isStarting } from './operator-call.js'
import { endpointOf } from './party.js'
import {
  type CalledUser,
  type CallState,
  type TimelineChange as Change,
  type TimelineDetails as Details,
  otherSide,
  type Side,
  type Timeline,
  type TimelineLine
} from './state.js'
import { append, isPolicyVisible } from './timeline-lines.js'
import { offerOf, transferChanges } from './timeline-transfer.js'
import { attendanceOf, WHOLE_CALL } from './view.js'

const SIDES: readonly Side[] = ['caller', 'callee']

/** `policy`: what the policy service decided before, in order. */
export const newTimeline = (policy: readonly TimelineOutcome[] = []): Timeline => ({
  lines: [
    [0, 'created', 'caller'],
    ...policy.map((outcome): TimelineLine => [0, 'policy', null, { event: 'call', outcome }])
  ],
  omitted: 0
})

/** The line for the offer of the create. */
export const withCreatedOffer = ({ timeline }: CallState): Timeline => ({
  ...timeline,
  lines: [...timeline.lines, [0, 'offer', 'caller', { revision: 1 }]]
})

/** The decision with the lines for what it changes. `actor`: the device that acted; null: the server. */
export function withTimeline(
  before: CallState | null,
  decision: CallDecision,
  { actor, now }: { readonly actor: Endpoint | null; readonly now: number }
): CallDecision {
  const { state } = decision
  if (before === null || state.version === before.version) return decision
  const afterMs = now - state.createdAt
  const added = changesBetween(before, state, actor).map((change): TimelineLine => [afterMs, ...change])
  return added.length === 0 ? decision : { ...decision, state: { ...state, timeline: append(state.timeline, added) } }
}

function changesBetween(before: CallState, after: CallState, actor: Endpoint | null): Change[] {
  const transferred = transferChanges(before, after)
  // The sides are others: only a first offer of the accept can be compared.
  if (after.joined !== before.joined) return [...transferred, ...offerOf(before, after)]
  return [
    ...transferred,
    ...ringingChanges(before, after, actor),
    ...negotiationChanges(before, after),
    ...connectedChanges(before, after, actor),
    ...messageChanges(before, after, actor),
    ...(after.phase === 'ended' ? [endOf(after)] : SIDES.flatMap(side => sideChanges(before, after, side)))
  ]
}

function ringingChanges(before: CallState, after: CallState, actor: Endpoint | null): Change[] {
  if (isStarting(before) && !isStarting(after)) return [['accepted', 'caller']]
  if (before.answeredAt === null && after.answeredAt !== null) return [['accepted', 'callee']]
  const changes = after.called.flatMap(is => {
    const was = calledUser(before, is.user)
    const by = { ...userOf(after, 'callee', is.user), ...(actor?.user === is.user && { device: actor.device }) }
    return was ? calledChanges(was, is, by) : []
  })
  // The reject of the last device ends the call: its line is the end.
  return after.phase === 'ended' ? [] : changes
}

function calledChanges(was: CalledUser, is: CalledUser, by: Details): Change[] {
  if (is.isAlerted && !was.isAlerted) return [['ringing', 'callee', by]]
  if (is.state === 'ended' && was.state !== 'ended') {
    return [['callee_changed', 'callee', { ...by, callee: 'ended', ...(is.reason && { calleeReason: is.reason }) }]]
  }
  if (is.state === 'ringing' && was.state === 'waiting')
    return [['callee_changed', 'callee', { ...by, callee: 'ringing' }]]
  if (is.declined.length > was.declined.length) return [['declined', 'callee', by]]
  return []
}

function negotiationChanges(before: CallState, after: CallState): Change[] {
  const { revision, pendingFrom } = after.negotiation
  const pendingBefore = before.negotiation.pendingFrom
  if (revision > before.negotiation.revision && pendingFrom !== null) {
    return [['offer', pendingFrom, { revision }], ...staleCandidates(before, after, pendingFrom)]
  }
  if (pendingBefore === null || pendingFrom !== null) return []
  const side = otherSide(pendingBefore)
  return [['answer', side, { revision }], ...staleCandidates(before, after, side)]
}

/** Candidates that waited for a description and do not belong to the one that came. */
function staleCandidates(before: CallState, after: CallState, side: Side): Change[] {
  const mine = after.signaled[side]
  const count = before.signaled[side].waiting.filter(candidate => !isCurrent(mine, candidate)).length
  return count === 0 ? [] : [['candidates_stale', side, { count }]]
}

/** A report after the connect time has a line too. */
function connectedChanges(before: CallState, after: CallState, actor: Endpoint | null): Change[] {
  const isNew = after.phase === 'connected' && before.phase !== 'connected'
  const isFirst = before.connectedAt === null && after.connectedAt !== null
  // A call that was transferred keeps the time at which it was connected first.
  const isAgain = isNew && before.connectedAt !== null && actor !== null
  if (isFirst || isAgain) return [['connected', actor && sideOfUser(after, actor.user)]]
  return isNew ? [['connected', null, { unconfirmed: true }]] : []
}

function messageChanges(before: CallState, after: CallState, actor: Endpoint | null): Change[] {
  const side = SIDES.find(each => before.sent[each] !== after.sent[each])
  if (side === undefined || actor === null) return []
  const isInCall = endpointOf(after, side)?.device === actor.device
  const by = { ...userOf(after, side, actor.user), ...(isInCall ? {} : { device: actor.device }) }
  return [['message', side, { count: 1, ...by }]]
}

/** What a side of a live call changed, or what happened to its device. */
function sideChanges(before: CallState, after: CallState, side: Side): Change[] {
  const changes: Change[] = []
  if (before.held[side] !== after.held[side]) changes.push([after.held[side] ? 'held' : 'resumed', side])
  if (before.away[side] !== after.away[side]) changes.push([after.away[side] ? 'away' : 'back', side])
  if (before.sendsMedia[side] !== after.sendsMedia[side]) changes.push(['media_changed', side, after.sendsMedia[side]])
  const count = countNew(before.signaled[side], after.signaled[side])
  if (count > 0) changes.push(['candidates_held', side, { count }])
  return changes
}

/** How many candidates have begun to wait. */
const countNew = (before: SideSignals, after: SideSignals): number =>
  after.waiting.filter(candidate => !before.waiting.includes(candidate)).length

function endOf(after: CallState): Change {
  const { endedBy } = after
  const reason = after.reason ?? 'server'
  if (endedBy === null) return ['ended', null, { reason }]
  const side = sideOfUser(after, endedBy.user)
  const isInCall = endpointOf(after, side)?.device === endedBy.device
  const by = { ...userOf(after, side, endedBy.user), ...(isInCall ? {} : { device: endedBy.device }) }
  return ['ended', side, { reason, ...by }]
}

/** Before the answer one of several callees is named. */
const userOf = ({ called, callee }: CallState, side: Side, user: string): Details =>
  side === 'callee' && callee === null && called.length > 1 ? { user } : {}

const sideOfUser = (state: CallState, user: string): Side => (user === state.caller.user ? 'caller' : 'callee')

/** Who reads a timeline. An operator sees all of it. */
export type Viewer = Side | 'operator'

/** `user`: null is an operator. */
export const viewerOf = (state: CallState, user: string | null): Viewer =>
  user === null ? 'operator' : sideOfUser(state, user)

/**
 * The timeline as the user sees it, from when they came into the call until they left it. The caller does not learn of devices of a callee
 * that ring or decline, and a called user nothing about the others.
 */
export function viewTimeline(state: CallState, user: string | null): CallTimeline {
  const { callId, createdAt, timeline } = state
  const viewer = viewerOf(state, user)
  const { fromMs, untilMs } = user === null ? WHOLE_CALL : attendanceOf(state, user)
  const isVisible = ([afterMs, type, by, details]: TimelineLine) => {
    const isOther = viewer === 'callee' && by === 'callee' && calleeOf(state, details?.user) !== user
    if (type === 'policy' && !isPolicyVisible(state, details?.user, user)) return false
    // Of the callee's devices the caller sees none that decline.
    return !(type === 'declined' && viewer === 'caller') && afterMs >= fromMs && afterMs <= untilMs && !isOther
  }
  return {
    callId,
    entries: timeline.lines.filter(isVisible).map(([afterMs, type, by, { device, user: callee, ...details } = {}]) => {
      const isOther = by === 'callee' || typeof by === 'number'
      const isHidden = viewer === 'caller' && isOther && (state.callee === null || type !== 'ended')
      const shown = { user: callee, device: isHidden && device !== undefined ? null : device }
      return {
        at: new Date(createdAt + afterMs).toISOString(),
        type,
        by: by === null ? null : partyOf(state, by, shown),
        ...details
      }
    }),
    omitted: timeline.omitted
  }
}

/** The callee that a line is about: `user`, or the one who has answered, or the only one. */
const calleeOf = ({ callee, called }: CallState, user: string | undefined): string =>
  user ?? callee?.user ?? called[0]?.user ?? ''

/** `device`: undefined means the device in the call, null means that no device is shown. `user`: undefined means that of the side. */
function partyOf(
  state: CallState,
  by: Side | number,
  { user, device }: { readonly user: string | undefined; readonly device: string | null | undefined }
): TimelineEntry['by'] {
  const inCall = (typeof by === 'number' ? state.timeline.parties?.[by] : state[by]) ?? null
  const of = by === 'callee' ? calleeOf(state, user) : (inCall?.user ?? state.caller.user)
  return { user: of, device: device === undefined ? (inCall?.user === of ? inCall.device : null) : device }
}
