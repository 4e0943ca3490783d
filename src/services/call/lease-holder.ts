// What holds a lease: one attempt of a create, named by call id, caller and attempt. Never the call id alone: two callers may choose one
// id, and neither may take or release the other's lease (DESIGN 5a). Nor without the attempt: what an attempt that failed has taken, or
// releases late, is not what the next one holds.

import { isPartyOf } from '../../domain/call/party.js'
import type { CallState } from '../../domain/call/state.js'
import { type CallRecord, callIn, isClosed } from '../../domain/call/tombstone.js'

export interface LeaseHolder {
  readonly callId: string
  /** The user. */
  readonly caller: string
  readonly attempt: number
}

/** No id has a slash in it. */
export const formatHolder = ({ callId, caller, attempt }: LeaseHolder): string => `${callId}/${caller}/${attempt}`

export function parseHolder(holder: string): LeaseHolder {
  const [callId = '', caller = '', attempt] = holder.split('/')
  return { callId, caller, attempt: Number(attempt) }
}

/** Holds the leases for the call. */
export const holderOfCall = ({ callId, caller, attempt }: CallState): string =>
  formatHolder({ callId, caller: caller.user, attempt })

/**
 * Whether the call lives and is the one that the holder's lease on the user is for. If not, the lease is over: nothing will ever
 * make the id this caller's call with this user.
 */
export function isBehind(record: CallRecord, { caller, attempt }: LeaseHolder, user: string): boolean {
  const call = callIn(record)
  if (call === null || call.phase === 'ended') return false
  return call.caller.user === caller && call.attempt === attempt && isPartyOf(call, user)
}

/** There is no call, and the holder may still make one. */
export const isUndecided = (record: CallRecord | null, { caller, attempt }: LeaseHolder): boolean =>
  callIn(record) === null && !isClosed(record, caller, attempt)
