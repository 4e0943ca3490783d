// Calls that an operator starts between two users (click-to-call). The call rings the first user, while the second waits. The accept of the
// first one makes it the caller, and then the call rings the second one.
import type { Endpoint } from '../../schemas/common.js'
import type { CalledUser, CallState } from './state.js'

/** The creator of such a call, and its caller until the first user has accepted. No user has this id. */
export const OPERATOR = ''
/** What the first user sees as the device of the second one. */
export const OPERATOR_DEVICE = 'operator'

/** The first user has not accepted yet: the call has no caller. */
export const isStarting = ({ caller }: Pick<CallState, 'caller'>): boolean => caller.user === OPERATOR

/** The user who rings first, as long as the call starts. */
export const startingUser = (state: CallState): CalledUser | undefined =>
  isStarting(state) ? state.called[0] : undefined

/** The caller as users see it: while the call starts, the one whom the first user is to call. */
export const shownCaller = ({ caller, called }: Pick<CallState, 'caller' | 'called'>): Endpoint =>
  isStarting({ caller }) ? { user: called[1]?.user ?? caller.user, device: OPERATOR_DEVICE } : caller

/** The users on the caller's side: none while the call starts. */
export const callerUsers = ({ caller }: Pick<CallState, 'caller'>): string[] =>
  isStarting({ caller }) ? [] : [caller.user]
