// The holder of a lease: one attempt of a create, named by call id, caller and attempt. The call id alone is not enough, because two callers
// may use one id, and neither may take or release the other's lease. Call id and caller are not enough either: a failed attempt may take or
// release its leases after the next attempt has taken its own.
import { calledUser } from '../../domain/call/called.js'
import { isPartyOf } from '../../domain/call/party.js'
import type { CallState } from '../../domain/call/state.js'
import { type CallIdRecord, callIn, isClosed } from '../../domain/call/tombstone.js'
import { transferOf } from '../../domain/call/transfer-state.js'
import { joinIds, splitIds } from '../../id-text.js'

export interface LeaseHolder {
  readonly callId: string
  /** The user who created the call. */
  readonly caller: string
  readonly attempt: number
  /** The transfer that brought the user into the call. Missing: the create did. */
  readonly transfer?: number
}

/** Call id, caller, attempt and, if there is one, transfer (joinIds). */
export const formatHolder = ({ callId, caller, attempt, transfer = 0 }: LeaseHolder): string =>
  joinIds(callId, caller, ...[attempt, ...(transfer > 0 ? [transfer] : [])].map(String))

export function parseHolder(holder: string): LeaseHolder {
  const [callId = '', caller = '', attempt, transfer] = splitIds(holder)
  const holds = { callId, caller, attempt: Number(attempt) }
  return transfer === undefined ? holds : { ...holds, transfer: Number(transfer) }
}

/** The holder of the lease on a user of the call. */
export function holderOf(call: CallState, user: string): string {
  const { callId, creator, attempt } = call
  return formatHolder({ callId, caller: creator, attempt, transfer: transferOf(call, user) })
}

/**
 * Whether the record is the live call that the holder's lease on the user is for. If not, and it is decided, the lease is stale: the id
 * will never be this caller's call with this user.
 */
export function isLiveCallOf(record: CallIdRecord | null, holder: LeaseHolder, user: string): boolean {
  const call = liveCallOf(record, holder, user)
  return call !== null && isPartyOf(call, user)
}

/** The same for a lease, which is taken before its user begins to ring. */
export function mayBeLeaseOf(record: CallIdRecord | null, holder: LeaseHolder, user: string): boolean {
  const call = liveCallOf(record, holder, user)
  return call !== null && (isPartyOf(call, user) || calledUser(call, user)?.state === 'waiting')
}

/** The live call that the holder is of, into which the user came as the holder says. */
function liveCallOf(record: CallIdRecord | null, holder: LeaseHolder, user: string): CallState | null {
  const call = callIn(record)
  if (call === null || call.phase === 'ended' || !isOfCreate(call, holder)) return null
  return transferOf(call, user) === (holder.transfer ?? 0) ? call : null
}

const isOfCreate = (call: CallState, { caller, attempt }: LeaseHolder): boolean =>
  call.creator === caller && call.attempt === attempt

/** There is no call, and the create that the holder names may still make one; or its transfer may still ring the user. */
export function isUndecided(record: CallIdRecord | null, holder: LeaseHolder): boolean {
  const call = callIn(record)
  if (call === null) return !isClosed(record, holder.caller, holder.attempt)
  return call.phase !== 'ended' && isOfCreate(call, holder) && (holder.transfer ?? 0) > call.transfers
}
