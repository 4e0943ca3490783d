// The reply to a create whose id was used before.
import { viewCall } from '../../domain/call/state.js'
import { type CallRecord, callIn, type Tombstone, tombstoneOf, viewTombstone } from '../../domain/call/tombstone.js'
import { AppError } from '../../errors.js'
import type { Call, CreateCallResponse } from '../../schemas/call.js'
import type { Endpoint } from '../../schemas/common.js'
import type { Cursor } from '../../store/mail.js'
import type { Context } from '../context.js'
import { NO_DELIVERY } from '../mail.js'
import { commitAccept } from './accept-call.js'
import { readCall } from './update-call.js'

export interface CreatedCall extends Omit<CreateCallResponse, 'cursor'> {
  /** The newest event of the caller's mailbox; null: it was not read. */
  readonly head: Cursor | null
}

/**
 * The call exists, or a tombstone makes it impossible: a retry gets the same reply as the first request. A merge of a glare that stopped
 * between its tombstone and its accept is completed here.
 */
export async function repeatCreate(
  context: Context,
  { callId, caller }: { callId: string; caller: Endpoint },
  record: CallRecord
): Promise<CreatedCall> {
  const call = callIn(record)
  if (call) {
    if (call.caller.user !== caller.user) throw new AppError('call_id_taken')
    return existing(viewCall(call, context.clock.now()))
  }
  const tombstone = tombstoneOf(record, caller.user)
  // A concurrent request of the same attempt failed.
  if (tombstone === null) throw new AppError('store_unavailable')
  const view = viewTombstone(callId, tombstone)
  const { because } = tombstone
  if (because.code === 'cancelled') return existing(view)
  if (because.code === 'merged') return acceptMerged(context, tombstone, because.into)
  const { state: currentState, version, reason } = view
  throw new AppError(because.code, { extra: { callId, currentState, version, reason } })
}

const existing = (call: Call): CreatedCall => ({ call, resolution: 'existing', delivery: NO_DELIVERY, head: null })

/** If another device has answered, or the call has ended, the reply shows that. */
async function acceptMerged(context: Context, mine: Tombstone, callId: string): Promise<CreatedCall> {
  const theirs = await readCall(context, callId)
  if (theirs?.phase === 'ringing') {
    try {
      const { state, deliveries } = await commitAccept(context, { id: callId }, mine.caller)
      const delivery = deliveries.get(state.caller.user) ?? NO_DELIVERY
      return { call: viewCall(state, context.clock.now()), resolution: 'merged', delivery, head: null }
    } catch (error) {
      if (!(error instanceof AppError) || !['call_ended', 'answered_elsewhere'].includes(error.code)) throw error
    }
  }
  const merged = await readCall(context, callId)
  if (merged === null) throw new AppError('call_ended')
  return { call: viewCall(merged, context.clock.now()), resolution: 'merged', delivery: NO_DELIVERY, head: null }
}
