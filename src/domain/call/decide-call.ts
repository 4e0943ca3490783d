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
// ring, skip  by the server, when it is the turn of a called user who waits (turns.ts); of several users the others go on without one who
//             declines, is busy or does not answer
// hangup      by either side; while it rings, the same as a cancel or a reject
// stop        by an operator, in every state
// limitAt     ends the call as `no_answer` while ringing, and as `expired` without an answer to the offer or after the maximum duration
// check       liveness: a side that is gone for the grace time ends the call as `lost`
// After `ended` nothing changes: cancel, reject and hang-up succeed, everything else is refused with `call_ended`.
import { AppError } from '../../errors.js'
import { accept, endConnectTime, markConnected, markRinging, setHold } from './answering.js'
import { isRinging } from './called.js'
import type { CallCommand, CommandOf } from './command.js'
import { create } from './creation.js'
import { cancel, end, endAsBusy, endByServer, hangup, leave, reject } from './ending.js'
import { checkLiveness, deviceAppeared } from './liveness.js'
import { sendMessage, setMedia } from './messages.js'
import { seeCandidates, seeNodes, withSeen } from './seen.js'
import { decideAnswer, decideCandidates, decideOffer } from './signal.js'
import { decideLateAnswer } from './start-accept.js'
import { type CallDecision, type CalledUser, type CallState, type FormerParty, unchanged } from './state.js'
import { withTimeline } from './timeline.js'
import { ringNext, skipNext } from './turns.js'
import { formerParty } from './view.js'

/** @throws AppError, a conflict with the call's current state and version among its members */
export function decideCall(state: CallState | null, command: CallCommand, now: number): CallDecision {
  if (command.type === 'create') return create(state, command, now)
  if (state === null) throw new AppError('call_not_found')
  const actor = 'actor' in command ? command.actor : null
  const former = actor && formerParty(state, actor.user)
  if (former) return decideFormer(state, former, command)
  const late = decideLateAnswer(state, command)
  if (late) return late
  const decision = withSeen(state, decideLive(state, command, now), command)
  return withTimeline(state, decision, { actor, now })
}

/** For a former party the call has ended. It changes nothing any more. */
function decideFormer(state: CallState, { view }: FormerParty, { type }: CallCommand): CallDecision {
  if (['cancel', 'reject', 'hangup', 'appeared', 'seen'].includes(type)) return unchanged(state)
  const { version, reason } = view
  const code = type === 'accept' && reason === 'answered_elsewhere' ? reason : 'call_ended'
  throw new AppError(code, { extra: { callId: state.callId, currentState: 'ended', version, reason } })
}

/** The call was forgotten by the store, but its end was not forgotten by a mailbox. */
export function endForgotten(state: CallState, now: number): CallDecision {
  return withTimeline(state, endByServer(state, now), { actor: null, now })
}

function decideLive(state: CallState, command: Exclude<CallCommand, { type: 'create' }>, now: number): CallDecision {
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

type ServerCommand = CommandOf<'busy' | 'ring' | 'skip' | 'seen' | 'served' | 'check'>

function decideByServer(state: CallState, command: ServerCommand, now: number): CallDecision {
  switch (command.type) {
    case 'busy':
      return endAsBusy(state, command.user, now)
    case 'ring':
      return ringNext(state, command, now)
    case 'skip':
      return skipNext(state, command, now)
    case 'seen':
      return seeCandidates(state, command)
    case 'served':
      return seeNodes(state, command)
    case 'check':
      return checkDeadlines(state, command, now)
  }
}

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
