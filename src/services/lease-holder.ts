// What holds a lease: a create, named by call id and caller. Never the call id alone: two callers may choose one id, and neither
// may take or release the other's lease (DESIGN 5a).

import { isPartyOf } from '../domain/party.js'
import { type CallRecord, callIn } from '../domain/tombstone.js'

export interface LeaseHolder {
  readonly callId: string
  /** The user. */
  readonly caller: string
}

/** No id has a slash in it. */
export const formatHolder = ({ callId, caller }: LeaseHolder): string => `${callId}/${caller}`

export function parseHolder(holder: string): LeaseHolder {
  const slash = holder.indexOf('/')
  return { callId: holder.slice(0, slash), caller: holder.slice(slash + 1) }
}

/**
 * Whether the call lives and is the one that the holder's lease on the user is for. If not, the lease is over: nothing will ever
 * make the id this caller's call with this user.
 */
export function isBehind(record: CallRecord, { caller }: LeaseHolder, user: string): boolean {
  const call = callIn(record)
  return call !== null && call.phase !== 'ended' && call.caller.user === caller && isPartyOf(call, user)
}
