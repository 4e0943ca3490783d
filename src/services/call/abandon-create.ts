// A create that has failed.
import type { Refusal } from '../../domain/call/command.js'
import type { CallIdRecord } from '../../domain/call/tombstone.js'
import type { Cursor, Deliveries } from '../../store/mail.js'
import type { Context } from '../context.js'
import { type LeaseRequest, onlyCallee, releaseStaleLeases, writeTombstone } from './leases.js'

export interface CommittedCreate {
  readonly record: CallIdRecord
  /** Null: the record existed before, or has the tombstone of this create. */
  readonly deliveries: Deliveries | null
  readonly head: Cursor | null
}

/**
 * The create has failed. A tombstone makes its call impossible before its leases are released, because a retry may be using them (rule 1).
 * An id that is another caller's call never becomes this caller's (rule 3).
 */
export async function abandonCreate(
  context: Context,
  request: LeaseRequest,
  because: Refusal
): Promise<CommittedCreate> {
  const record = await writeTombstone(context, { ...request, to: onlyCallee(request) }, because)
  await releaseStaleLeases(context, request, record)
  return { record, deliveries: null, head: null }
}

/** After a fault. Never throws: leases that are not released are taken over. */
export async function abandonFailed(context: Context, request: LeaseRequest): Promise<void> {
  await abandonCreate(context, request, { code: 'failed', attempt: request.attempt }).catch(error =>
    context.log.warn(
      { err: error, callId: request.callId },
      'leases of a failed create not released; they are taken over'
    )
  )
}
