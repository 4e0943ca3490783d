// What a call does when a user or a device is signed out.
import { calledUser } from './called.js'
import type { CallCommand } from './command.js'
import { endpointOf } from './party.js'
import type { CallState } from './state.js'
import { transferTo } from './transfer-state.js'

export interface SignedOut {
  readonly user: string
  /** Null: all devices of the user. */
  readonly device: string | null
  /** The other devices of the user that ring or can be woken. */
  readonly others: readonly string[]
}

/** A device in the call hangs up. If it was the last that rings for its user, the user stops ringing. Null: nothing changes. */
export function commandOfSignOut(state: CallState, { user, device, others }: SignedOut): CallCommand | null {
  const ends = [endpointOf(state, 'caller'), endpointOf(state, 'callee')]
  const own = ends.find(end => end?.user === user && (device === null || end.device === device))
  if (own) return { type: 'hangup', actor: own, reason: 'hangup' }
  const called = calledUser(state, user) ?? transferTo(state, user)?.target
  if (called === undefined) return null
  const named = called.device === null ? others : [called.device].filter(each => each !== device)
  const ringing = (device === null ? [] : named).filter(each => !called.declined.includes(each))
  return ringing.length > 0 ? null : { type: 'unreachable', user }
}
