// The reply to a create whose id was used before.

import { type CallIdRecord, callIn, tombstoneOf, viewTombstone } from '../../domain/call/tombstone.js'
import { viewCall } from '../../domain/call/view.js'
import { AppError, ERRORS } from '../../errors.js'
import type { Call, CreateCallReply } from '../../schemas/call.js'
import type { Endpoint } from '../../schemas/common.js'
import type { Cursor } from '../../store/mail.js'
import type { Context } from '../context.js'
import { NO_DELIVERY } from '../mail.js'
import { acceptMerged } from './glare.js'

export interface CreatedCall extends Omit<CreateCallReply, 'cursor'> {
  /** The newest event of the caller's mailbox; null: it was not read. */
  readonly head: Cursor | null
}

interface RepeatedCreate {
  readonly callId: string
  readonly caller: Endpoint
  /** Otherwise a retry of the request is a new create. */
  readonly isIdChosen: boolean
}

/**
 * The call exists, or a tombstone makes it impossible: a retry gets the same reply as the first request. If the create was merged into
 * another call (glare.ts), this accepts that call.
 */
export async function repeatCreate(
  context: Context,
  { callId, caller, isIdChosen }: RepeatedCreate,
  record: CallIdRecord
): Promise<CreatedCall> {
  const call = callIn(record)
  if (call) {
    if (call.creator !== caller.user) throw new AppError('call_id_taken')
    return existing(viewCall(call, context.clock.now(), caller.user))
  }
  const tombstone = tombstoneOf(record, caller.user)
  // A concurrent request of the same attempt failed.
  if (tombstone === null) throw new AppError('store_unavailable')
  const view = viewTombstone(callId, tombstone)
  const { because } = tombstone
  if (because.code === 'cancelled') return existing(view)
  if (because.code === 'merged') {
    const accepted = await acceptMerged(context, tombstone.caller, because.into)
    return { ...accepted, resolution: 'merged', head: null }
  }
  const { state: currentState, version, reason } = view
  const activeCall = because.code === 'caller_busy' ? { activeCallId: because.activeCallId } : {}
  throw new AppError(because.code, {
    detail: `${ERRORS[because.code].title}. ${isIdChosen ? STICKS : 'The same request is a new call.'}`,
    retryable: !isIdChosen,
    extra: { callId, currentState, version, reason, ...activeCall }
  })
}

const STICKS = 'This id keeps its result: call again with a new callId or Idempotency-Key.'

const existing = (call: Call): CreatedCall => ({ call, resolution: 'existing', delivery: NO_DELIVERY, head: null })
