// The state of a call in which a transfer is pending, and the call that it becomes without its transferor.
import type { Endpoint } from '../../schemas/common.js'
import { beginAnew } from '../negotiation/negotiation.js'
import {
  type CallState,
  NO_MEDIA_STATE,
  NOTHING_SEEN,
  otherSide,
  pendingTransfer,
  type Side,
  type Transfer
} from './state.js'
import { withNamedParties } from './timeline-parties.js'

/** The side of a transferor who is still in the call. */
export const transferorSide = ({ caller }: CallState, { by }: Transfer): Side =>
  by.user === caller.user ? 'caller' : 'callee'

/** The device of the party that stays. */
export function transfereeOf(state: CallState, transfer: Transfer): Endpoint {
  const stays = transfer.hasLeft ? 'caller' : otherSide(transferorSide(state, transfer))
  const transferee = state[stays]
  if (transferee === null) throw new TypeError('a call that is transferred has two parties')
  return transferee
}

/** The pending transfer that rings this user. */
export function transferTo(state: CallState, user: string): Transfer | null {
  const transfer = pendingTransfer(state)
  return transfer?.target.user === user ? transfer : null
}

/** For the conflicts of a user who is rung by a transfer, and sees a call that rings. */
export const phaseFor = (state: CallState, user: string): CallState =>
  transferTo(state, user) ? { ...state, phase: 'ringing' } : state

/** The number of the transfer that brings or brought the user into the call; 0: the create did. */
export function transferOf(state: CallState, user: string): number {
  const { transfer, joined, caller } = state
  if (transfer && !transfer.hasLeft && transfer.target.user === user) return transfer.number
  return joined[user === caller.user ? 'caller' : 'callee'].transfer
}

/**
 * The call without its transferor: the other party calls the target. Everything that two sides had agreed begins anew; signals of the
 * connection that is over stay known, also those of the transferor, so that late ones are refused.
 */
export function withoutTransferor(state: CallState, transfer: Transfer): CallState {
  const stays = otherSide(transferorSide(state, transfer))
  const { target, number, startedAt } = transfer
  const { negotiation, signaled } = beginAnew(state)
  return {
    ...state,
    phase: 'ringing',
    caller: transfereeOf(state, transfer),
    callee: null,
    called: [target],
    transfer: { ...transfer, hasLeft: true },
    offerer: state.offerer === stays ? 'caller' : 'callee',
    limitAt: target.endsAt,
    checkAt: null,
    held: { caller: false, callee: false },
    away: { caller: false, callee: false },
    // The transfer counts as an offer, so a late offer for the connection that is over does not name the revision of the next one.
    negotiation: { ...negotiation, revision: negotiation.revision + 1 },
    signaled: { caller: signaled[stays], callee: signaled[otherSide(stays)] },
    sendsMedia: { caller: NO_MEDIA_STATE, callee: NO_MEDIA_STATE },
    sent: { caller: state.sent[stays], callee: [] },
    seen: { caller: state.seen[stays], callee: NOTHING_SEEN },
    joined: { caller: state.joined[stays], callee: { transfer: number, afterMs: startedAt - state.createdAt } },
    timeline: withNamedParties(state)
  }
}
