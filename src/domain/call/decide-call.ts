// The rules of a call, as one pure function: (state, command, now) → state' + events, or an AppError that changes nothing.
//
//             accept                connected
//   ringing ───────────▶ connecting ───────────▶ connected
//      │ reject cancel busy   │ reject cancel        │
//      │ no_answer            │ hangup expired lost  │ hangup lost
//      └───────────────▶ ended ◀─────────────────────┘
//
// accept      by a device of the callee; the first one wins, the others are told `answered_elsewhere` (G8)
// connected   by either side, when media flows; the second one changes nothing
// cancel      by the caller, until it is connected; before the create see tombstone.ts
// reject      by the callee, until it is connected; for one device while it rings
// busy        by the server, when the callee has accepted another call and takes no second one
// limitAt     ends it as `no_answer` while ringing and as `expired` while connecting
// check       liveness: a side gone for the grace ends it as `lost`
// Nothing happens after `ended`: the terminal actions answer as before, everything else is refused with `call_ended`.
import { AppError } from '../../errors.js'
import { accept, connect, hold, ring } from './answering.js'
import type { CallCommand, CommandOf } from './command.js'
import { cancel, create, end, endAsBusy, hangup, reject } from './ending.js'
import { checkLiveness, greet } from './liveness.js'
import { answer, candidates, offer } from './signal.js'
import type { CallState, Decision } from './state.js'

/** @throws AppError with the current state and version; then nothing has changed. */
export function decideCall(state: CallState | null, command: CallCommand, now: number): Decision {
  if (command.type === 'create') return create(state, command, now)
  if (state === null) throw new AppError('call_not_found')
  switch (command.type) {
    case 'ringing':
      return ring(state, command.actor)
    case 'accept':
      return accept(state, command, now)
    case 'connected':
      return connect(state, command.actor, now)
    case 'hold':
    case 'resume':
      return hold(state, command.actor, command.type === 'hold')
    case 'cancel':
      return cancel(state, command.actor, now)
    case 'reject':
      return reject(state, command, now)
    case 'busy':
      return endAsBusy(state, command.user, now)
    case 'hangup':
      return hangup(state, command, now)
    case 'offer':
      return offer(state, command)
    case 'answer':
      return answer(state, command)
    case 'candidates':
      return candidates(state, command)
    case 'appeared':
      return greet(state, command, now)
    case 'check':
      return checkDeadlines(state, command, now)
  }
}

function checkDeadlines(state: CallState, command: CommandOf<'check'>, now: number): Decision {
  if (state.phase === 'ended') return { state, events: [] }
  if (state.limitAt !== null && now >= state.limitAt) {
    return end(state, { reason: state.phase === 'ringing' ? 'no_answer' : 'expired', by: null, actor: null }, now)
  }
  return checkLiveness(state, command, now)
}
