// Reading calls: by their parties, and by a caller whose create was refused.
import { withNotes } from '../../domain/call/notes.js'
import { wasPartyOf } from '../../domain/call/party.js'
import type { CallState } from '../../domain/call/state.js'
import {
  type CallIdRecord,
  callIn,
  type FinalTombstone,
  tombstoneOf,
  viewTombstone,
  viewTombstoneTimeline
} from '../../domain/call/tombstone.js'
import { viewCall } from '../../domain/call/view.js'
import { AppError } from '../../errors.js'
import type { Call } from '../../schemas/call.js'
import type { Actor } from '../../schemas/claims.js'
import type { CallTimeline } from '../../schemas/timeline.js'
import { CALL_NOTES_MAX } from '../../store/line-logs.js'
import type { Context } from '../context.js'
import { listLiveCalls } from './leases.js'
import { readRecord } from './update-call.js'

/** The user's live calls, oldest first. */
export async function listCalls(context: Context, actor: Pick<Actor, 'user'>): Promise<Call[]> {
  const live = await listLiveCalls(context, actor.user)
  return live.sort((a, b) => a.createdAt - b.createdAt).map(state => viewCall(state, context.clock.now(), actor.user))
}

/** @throws AppError call_not_found, also for a stranger */
export async function getCall(context: Context, actor: Actor, callId: string): Promise<Call> {
  const found = await findCall(context, actor, callId)
  return 'call' in found ? viewCall(found.call, context.clock.now(), actor.user) : viewTombstone(callId, found.refused)
}

/** @throws AppError call_not_found, also for a stranger */
export async function getTimeline(context: Context, actor: Actor, callId: string): Promise<CallTimeline> {
  const found = await findCall(context, actor, callId)
  if ('refused' in found) return viewTombstoneTimeline(callId, found.refused)
  const { call } = found
  const notes = await context.store.callNotes.list(callId, CALL_NOTES_MAX)
  return withNotes(call, notes, actor.user)
}

type Found = { readonly call: CallState } | { readonly refused: FinalTombstone }

async function findCall(context: Context, { user }: Actor, callId: string): Promise<Found> {
  const record = await readRecord(context, callId)
  const refused = refusedCreate(record, user)
  if (refused) return { refused }
  const call = callIn(record)
  if (call === null) throw new AppError('call_not_found')
  if (!wasPartyOf(call, user)) throw new AppError('call_not_found')
  return { call }
}

/** The tombstone of the user's refused create. Not that of an early cancel, after which there is no call to read. */
export function refusedCreate(record: CallIdRecord | null, user: string): FinalTombstone | null {
  const tombstone = tombstoneOf(record, user)
  return tombstone?.because.code === 'cancelled' ? null : tombstone
}
