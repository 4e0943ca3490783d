// The loop of aggregates.ts for calls.
import { type CallState, deadlineOf } from '../domain/state.js'
import type { AggregateRef } from '../store/aggregate.js'
import { createLoop, type Loop, type Outcome as OutcomeOf } from './aggregates.js'
import { formatHolder } from './lease-holder.js'
import { recordProgress } from './record.js'
import { noticeChange } from './watched.js'

export type Outcome = OutcomeOf<CallState>

export const callRef = (callId: string): AggregateRef => ({ kind: 'call', id: callId })

const peopleOf = ({ caller, callee }: CallState) => [caller.user, ...(callee ? [callee.user] : [])]

/** Who holds an active lease for the call: its caller while it lives, its callee from the answer on. */
function activeUsers(call: CallState | null): string[] {
  if (call === null || call.phase === 'ended') return []
  return call.phase === 'ringing' ? [call.caller.user] : peopleOf(call)
}

const calls = createLoop<CallState>({
  kind: 'call',
  known: context => context.calls,
  deadlineOf,
  isOver: state => state.phase === 'ended',
  partiesOf: peopleOf,
  holderOf: ({ callId, caller }) => formatHolder({ callId, caller: caller.user }),
  record: recordProgress
})

export const readCall = calls.read

/** A user in a call is busy: watchers may see it once it begins, and no longer once the leases are released with the last event. */
export const transact: Loop<CallState>['transact'] = async (context, callId, decide, known) => {
  const outcome = await calls.transact(context, callId, decide, known)
  const [before, after] = [activeUsers(outcome.before), activeUsers(outcome.state)]
  for (const user of peopleOf(outcome.state)) {
    if (before.includes(user) !== after.includes(user)) noticeChange(context, user)
  }
  return outcome
}
