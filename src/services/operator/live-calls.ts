// Calls as operators see them: a list of those that live, one call, and its timeline.
import { withNotes } from '../../domain/call/notes.js'
import { startingUser } from '../../domain/call/operator-call.js'
import type { CallState } from '../../domain/call/state.js'
import { type CallIdRecord, callIn } from '../../domain/call/tombstone.js'
import { viewCall } from '../../domain/call/view.js'
import { AppError } from '../../errors.js'
import type { AdminCall, AdminCallReply, AdminCallsReply } from '../../schemas/admin-call.js'
import type { AfterQuery } from '../../schemas/admin-page.js'
import type { CallTimeline } from '../../schemas/timeline.js'
import { CALL_NOTES_MAX } from '../../store/line-logs.js'
import { readCall } from '../call/update-call.js'
import type { Context } from '../context.js'
import { listPage } from './pages.js'

/** @throws AppError invalid_request */
export async function listLiveCalls(context: Context, query: AfterQuery): Promise<AdminCallsReply> {
  const { refs, next } = await listPage(context, 'call', query)
  const calls = await Promise.all(refs.map(({ id }) => peek(context, id)))
  const live = calls.flatMap(call => (call === null || call.phase === 'ended' ? [] : call))
  return { calls: live.map(call => viewForOperator(context, call)), next }
}

/** Not cached: a list must not displace the calls whose requests come to this node. */
async function peek({ store }: Context, id: string): Promise<CallState | null> {
  const stored = await store.aggregates.load({ kind: 'call', id })
  return stored && callIn(JSON.parse(stored.state) as CallIdRecord)
}

/** A live call, or one that ended within the retention. @throws AppError call_not_found */
export async function getCallForOperator(context: Context, callId: string): Promise<AdminCallReply> {
  return { call: viewForOperator(context, await requireCall(context, callId)) }
}

/** @throws AppError call_not_found */
export async function getTimelineForOperator(context: Context, callId: string): Promise<CallTimeline> {
  const call = await requireCall(context, callId)
  const notes = await context.store.callNotes.list(callId, CALL_NOTES_MAX)
  return withNotes(call, notes, null)
}

/** @throws AppError call_not_found */
async function requireCall(context: Context, callId: string): Promise<CallState> {
  const call = await readCall(context, callId)
  if (call === null) throw new AppError('call_not_found')
  return call
}

export const viewForOperator = ({ clock }: Context, call: CallState): AdminCall => ({
  ...viewCall(call, clock.now(), startingUser(call)?.user ?? call.caller.user),
  away: call.away,
  blocked: call.called.some(({ isMuted }) => isMuted)
})
