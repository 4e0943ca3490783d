// Metrics and log entries of a call. They never contain SDP, candidates or metadata.
import type { CallState } from '../../domain/call/state.js'
import { transferOutcome } from '../../domain/call/transfer-outcome.js'
import type { Context } from '../context.js'

export function recordProgress(context: Context, before: CallState | null, after: CallState): void {
  if (after.connectedAt !== null && before?.connectedAt === null) {
    const setupMs = after.connectedAt - after.createdAt
    context.metrics.callSetupSeconds.observe(setupMs / 1000)
    context.log.info({ callId: after.callId, setupMs }, 'call connected')
  }
  if (after.phase === 'connected' && after.connectedAt === null && before?.phase === 'connecting') {
    context.log.info({ callId: after.callId }, 'call connected, unconfirmed')
  }
  const outcome = transferOutcome(before, after, context.clock.now())
  if (outcome !== null) {
    context.metrics.callTransfers.inc({ outcome })
    context.log.info({ callId: after.callId, outcome }, 'transfer ended')
  }
  if (after.phase === 'ended' && before?.phase !== 'ended') recordEnd(context, after)
}

function recordEnd(context: Context, call: CallState): void {
  context.metrics.callsEnded.inc({ reason: call.reason ?? 'server' })
  const setupMs = call.connectedAt === null ? null : call.connectedAt - call.createdAt
  const durationMs = call.connectedAt === null || call.endedAt === null ? null : call.endedAt - call.connectedAt
  context.log.info({ callId: call.callId, reason: call.reason, setupMs, durationMs }, 'call ended')
}
