// The holder of a lease: one attempt of a create, named by call id, caller and attempt. The call id alone is not enough, because two callers
// may use one id, and neither may take or release the other's lease. Call id and caller are not enough either: a failed attempt may take or
// release its leases after the next attempt has taken its own.
import { calledUser } from '../../domain/call/called.js'
import { isPartyOf } from '../../domain/call/party.js'
import type { CallState } from '../../domain/call/state.js'
import { type CallIdRecord, callIn, isClosed } from '../../domain/call/tombstone.js'
import { joinIds, splitIds } from '../../id-text.js'

export interface LeaseHolder {
  readonly callId: string
  /** The user who created the call. */
  readonly caller: string
  readonly attempt: number
}

/** Call id, caller and attempt (joinIds). */
export const formatHolder = ({ callId, caller, attempt }: LeaseHolder): string =>
  joinIds(callId, caller, String(attempt))

export function parseHolder(holder: string): LeaseHolder {
  const [callId = '', caller = '', attempt] = splitIds(holder)
  return { callId, caller, attempt: Number(attempt) }
}

export const holderOfCall = ({ callId, creator, attempt }: CallState): string =>
  formatHolder({ callId, caller: creator, attempt })

/**
 * Whether the record is the live call that the holder's lease on the user is for. If not, and it is decided, the lease is stale: the id
 * will never be this caller's call with this user.
 */
export function isLiveCallOf(record: CallIdRecord | null, holder: LeaseHolder, user: string): boolean {
  const call = liveCallOf(record, holder)
  return call !== null && isPartyOf(call, user)
}

/** The same for a lease, which is taken before its user begins to ring. */
export function mayBeLeaseOf(record: CallIdRecord | null, holder: LeaseHolder, user: string): boolean {
  const call = liveCallOf(record, holder)
  return call !== null && (isPartyOf(call, user) || calledUser(call, user)?.state === 'waiting')
}

/** The live call that the holder is of. */
function liveCallOf(record: CallIdRecord | null, { caller, attempt }: LeaseHolder): CallState | null {
  const call = callIn(record)
  const isTheirs = call?.creator === caller && call.attempt === attempt
  return isTheirs && call.phase !== 'ended' ? call : null
}

/** There is no call, and the create that the holder names may still make one. */
export const isCreateUndecided = (record: CallIdRecord | null, { caller, attempt }: LeaseHolder): boolean =>
  callIn(record) === null && !isClosed(record, caller, attempt)
