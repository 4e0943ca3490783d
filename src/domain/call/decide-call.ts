// The rules of a call as one pure function: (state, command, now) → new state and events, or an AppError.
//
//             accept                connected
//   ringing ───────────▶ connecting ───────────▶ connected
//      │ reject cancel busy   │ reject cancel        │
//      │ no_answer            │ hangup expired lost  │ hangup lost expired
//      └───────────────▶ ended ◀─────────────────────┘
//
// accept      by a device of the callee; the first one wins, the others get `answered_elsewhere` (G8)
// connected   by either side, when media flows; or by the server, when both sides are described and the connect time is over
// cancel      by the caller, until the call is connected; a cancel before the create: tombstone.ts
// reject      by the callee, until the call is connected; while it rings also for one device only
// busy        by the server, when the callee has accepted another call and may have no second one
// unreachable by the server, when an operator has signed the devices out that ring
// ring, skip  by the server, when it is the turn of a called user who waits (turns.ts); of several users the others go on without one who
//             declines, is busy or does not answer
// hangup      by either side; while it rings, the same as a cancel or a reject
// stop        by an operator, in every state
// limitAt     ends the call as `no_answer` while ringing, and as `expired` without an answer to the offer or after the maximum duration
// check       liveness: a side that is gone for the grace time ends the call as `lost`
// After `ended` nothing changes: cancel, reject and hang-up succeed, everything else is refused with `call_ended`.
import { AppError } from '../../errors.js'
import { accept, endConnectTime, markConnected, markRinging, setHold } from './answering.js'
import { endReplaced, forgetReplaced } from './attended.js'
import { isRinging } from './called.js'
import type { CallCommand, CommandOf } from './command.js'
import { create } from './creation.js'
import { type CallDecision, unchanged } from './decision.js'
import { cancel, end, endByServer, hangup, leave, reject, stopRinging } from './ending.js'
import { checkLiveness, deviceAppeared } from './liveness.js'
import { sendMessage, setMedia } from './messages.js'
import { conflict, tooEarly } from './party.js'
import { see, withSeen } from './seen.js'
import { decideAnswer, decideCandidates, decideOffer } from './signal.js'
import { decideLateAnswer } from './start-accept.js'
import type { CalledUser, CallState, FormerParty } from './state.js'
import { withTimeline } from './timeline.js'
import {
  acceptTransfer,
  beginTransfer,
  cancelTransfer,
  closeTransfers,
  decideAsTarget,
  failTransfer,
  leaveTransfer
} from './transfer.js'
import { phaseFor, transferTo } from './transfer-state.js'
import { ringNext, skipNext } from './turns.js'
import { formerParty } from './view.js'

/** @throws AppError, a conflict with the call's current state and version among its members */
export function decideCall(state: CallState | null, command: CallCommand, now: number): CallDecision {
  if (command.type === 'create') return create(state, command, now)
  if (state === null) throw new AppError('call_not_found')
  if (command.type === 'forgetReplaced') return forgetReplaced(state, command)
  const actor = 'actor' in command ? command.actor : null
  const former = actor && formerParty(state, actor.user)
  if (former) return decideFormer(state, former, command)
  const late = decideLateAnswer(state, command)
  if (late) return late
  if (actor && transferTo(state, actor.user)) refuseToTarget(phaseFor(state, actor.user), command)
  const decided = isOfTransfer(command) ? decideTransfer(state, command, now) : decideOfCall(state, command, now)
  const decision = withSeen(state, decided, command)
  return withTimeline(state, decision, { actor, now })
}

/** For a former party the call has ended. It changes nothing any more. */
function decideFormer(state: CallState, { view }: FormerParty, command: CallCommand): CallDecision {
  const { type } = command
  if (['cancel', 'reject', 'hangup', 'appeared', 'seen', 'cancelTransfer'].includes(type)) return unchanged(state)
  if (type === 'transfer' && isRepeatedTransfer(state, command)) return unchanged(state)
  const { version, reason } = view
  const code = type === 'accept' && reason === 'answered_elsewhere' ? reason : 'call_ended'
  throw new AppError(code, { extra: { callId: state.callId, currentState: 'ended', version, reason } })
}

/** The transferor's device has transferred the call to this user. */
const isRepeatedTransfer = ({ transferred }: CallState, { actor, to, replaces }: CommandOf<'transfer'>): boolean =>
  transferred.some(
    ({ by, to: target, toCall }) =>
      by.user === actor.user && by.device === actor.device && target.user === to.user && toCall === replaces?.callId
  )

/** A user who is rung by a transfer is no party yet. */
function refuseToTarget(state: CallState, { type }: CallCommand): void {
  if (['ringing', 'accept', 'reject', 'hangup', 'appeared', 'seen', 'cancelTransfer'].includes(type)) return
  if (type === 'cancel') throw conflict(state, 'wrong_party', { detail: 'Only the caller may do this' })
  throw tooEarly(state, 'Accept the call first')
}

/** The call was forgotten by the store, but its end was not forgotten by a mailbox. */
export function endForgotten(state: CallState, now: number): CallDecision {
  return withTimeline(state, endByServer(state, now), { actor: null, now })
}

type OfTransfer = CommandOf<'transfer' | 'cancelTransfer' | 'closeTransfers'>

const isOfTransfer = (command: CallCommand): command is OfTransfer =>
  ['transfer', 'cancelTransfer', 'closeTransfers'].includes(command.type)

function decideTransfer(state: CallState, command: OfTransfer, now: number): CallDecision {
  if (command.type === 'transfer') return beginTransfer(state, command, now)
  return command.type === 'closeTransfers' ? closeTransfers(state, command) : cancelTransfer(state, command.actor, now)
}

type OfCall = Exclude<CallCommand, OfTransfer | { type: 'create' | 'forgetReplaced' }>

const decideOfCall = (state: CallState, command: OfCall, now: number): CallDecision =>
  decideInTransfer(state, command, now) ?? decideLive(state, command, now)

function decideLive(state: CallState, command: OfCall, now: number): CallDecision {
  if (command.type === 'stop') return endByServer(state, now)
  switch (command.type) {
    case 'ringing':
      return markRinging(state, command.actor)
    case 'accept':
      return accept(state, command, now)
    case 'connected':
      return markConnected(state, command, now)
    case 'hold':
    case 'resume':
      return setHold(state, command.actor, command.type === 'hold')
    case 'message':
      return sendMessage(state, command, now)
    case 'media':
      return setMedia(state, command)
    case 'cancel':
      return cancel(state, command.actor, now)
    case 'reject':
      return reject(state, command, now)
    case 'hangup':
      return hangup(state, command, now)
    case 'offer':
      return decideOffer(state, command)
    case 'answer':
      return decideAnswer(state, command)
    case 'candidates':
      return decideCandidates(state, command)
    case 'appeared':
      return deviceAppeared(state, command, now)
    default:
      return decideByServer(state, command, now)
  }
}

type ServerCommand = CommandOf<'busy' | 'unreachable' | 'endReplaced' | 'ring' | 'skip' | 'seen' | 'served' | 'check'>

function decideByServer(state: CallState, command: ServerCommand, now: number): CallDecision {
  switch (command.type) {
    case 'busy':
    case 'unreachable':
      return stopRinging(state, command, now)
    case 'endReplaced':
      return endReplaced(state, command, now)
    case 'ring':
      return ringNext(state, command, now)
    case 'skip':
      return skipNext(state, command, now)
    case 'seen':
    case 'served':
      return see(state, command)
    case 'check':
      return checkDeadlines(state, command, now)
  }
}

/** What is special while a transfer rings its target; null: nothing. */
function decideInTransfer(state: CallState, command: CallCommand, now: number): CallDecision | null {
  const { transfer } = state
  if (transfer === null || state.phase === 'ended') return null
  if (transfer.hasLeft) return command.type === 'accept' ? acceptTransfer(state, command, now) : null
  const { target } = transfer
  if (command.type === 'check' && now >= (target.endsAt ?? now)) {
    return failTransfer(state, { reason: 'no_answer', by: null }, now)
  }
  if ((command.type === 'busy' || command.type === 'unreachable') && command.user === target.user) {
    return failTransfer(state, { reason: command.type === 'busy' ? 'busy' : 'no_answer', by: null }, now)
  }
  if (!('actor' in command)) return null
  const { user } = command.actor
  if (user === target.user) return isForTarget(command) ? decideAsTarget(state, command, now) : null
  if (command.type !== 'hangup' || user !== transfer.by.user) return null
  return leaveTransfer(state, { transfer, by: command.actor, reason: command.reason }, now)
}

type ForTarget = CommandOf<'ringing' | 'accept' | 'reject' | 'hangup' | 'appeared'>

const isForTarget = (command: CallCommand): command is ForTarget =>
  ['ringing', 'accept', 'reject', 'hangup', 'appeared'].includes(command.type)

/** Ends the ring time of those called users for whom it is over. */
function endRingTimes(state: CallState, now: number): CallDecision {
  const isOver = (called: CalledUser) => isRinging(called) && (called.endsAt ?? 0) <= now
  const users = state.called.filter(isOver).map(({ user }) => user)
  // It is the turn of the next one, which needs more than a decision (services/call/ring-next.ts).
  if (users.length === 0) return { state: { ...state }, events: [] }
  return leave(state, { users, reason: 'no_answer', by: null }, now)
}

function checkDeadlines(state: CallState, command: CommandOf<'check'>, now: number): CallDecision {
  if (state.phase === 'ended') return unchanged(state)
  if (state.limitAt !== null && now >= state.limitAt) {
    if (state.phase === 'connecting') return endConnectTime(state, now)
    if (state.phase === 'ringing') return endRingTimes(state, now)
    return end(state, { reason: 'expired', by: null, except: null }, now)
  }
  return checkLiveness(state, command, now)
}
