// The record of a call that has ended, for the operator.
import type { CallRecord } from '../../schemas/call-record.js'
import { isDescribed } from '../negotiation/state.js'
import { viewCallee } from './called.js'
import { shownCaller } from './operator-call.js'
import type { CallState, SeenSide, Side } from './state.js'
import { viewCall } from './view.js'

/** `before`: the call as it was until it ended. */
export function recordOf(before: CallState | null, ended: CallState, now: number): CallRecord {
  const { callId, media, metadata, offerer, createdAt, answeredAt, connectedAt, endedAt, setupMs, durationMs } =
    viewCall(ended, now, ended.caller.user)
  const unconfirmed = before?.phase === 'connected' && ended.connectedAt === null
  return {
    callId,
    caller: sideOf(ended, 'caller'),
    callee: ended.callee === null && ended.called.length > 1 ? null : sideOf(ended, 'callee'),
    ...(ended.called.length > 1 && { callees: ended.called.map(each => viewCallee(ended, each)) }),
    media,
    metadata,
    offerer,
    reason: ended.reason ?? 'server',
    endedBy: ended.endedBy,
    createdAt,
    answeredAt,
    connectedAt,
    endedAt: endedAt ?? new Date(now).toISOString(),
    setupMs,
    durationMs,
    offers: ended.negotiation.revision,
    iceRestarts: ended.iceRestarts,
    missing: unconfirmed && ended.reason === 'hangup' ? null : missingStepOf(before, ended),
    unconfirmed,
    relay: isRelayed([ended.seen.caller, ended.seen.callee]),
    transfers: ended.transferred.map(({ by, to, afterMs, toCall }) => ({
      by,
      to,
      ...(toCall !== undefined && { toCall }),
      at: new Date(ended.createdAt + afterMs).toISOString()
    })),
    blocked: ended.called.some(({ isMuted }) => isMuted)
  }
}

function sideOf(call: CallState, side: Side): CallRecord['caller'] {
  const { candidateTypes, stats, resumes, nodeChanges } = call.seen[side]
  const party = side === 'caller' ? shownCaller(call) : call.callee
  const { user, device } = party ?? { user: call.called[0]?.user ?? '', device: null }
  return { user, device, candidateTypes: [...candidateTypes], stats, resumes, nodeChanges }
}

/** What the sides had signaled is in `before`: the end drops it. */
function missingStepOf(before: CallState | null, { answeredAt, connectedAt }: CallState): CallRecord['missing'] {
  if (before === null || answeredAt === null || connectedAt !== null) return null
  if (before.negotiation.revision === 0) return 'no_offer'
  const { caller, callee } = before.signaled
  return isDescribed(caller) && isDescribed(callee) ? 'no_connected' : 'no_answer_sdp'
}

/** A side whose candidate is not relayed may be connected to a relayed one of the other side. */
function isRelayed(sides: readonly SeenSide[]): boolean | null {
  const reports = sides.flatMap(({ stats }) => {
    if (stats?.relay !== undefined) return stats.relay
    const pair = stats?.candidatePair
    return pair === undefined ? [] : pair.local === 'relay' || pair.remote === 'relay'
  })
  return reports.length === 0 ? null : reports.includes(true)
}
