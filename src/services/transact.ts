// The loop of aggregates.ts for calls.
import { type CallState, deadlineOf } from '../domain/state.js'
import type { AggregateRef } from '../store/aggregate.js'
import { createLoop, type Loop, type Outcome as OutcomeOf } from './aggregates.js'
import { recordProgress } from './record.js'
import { noticeChange } from './watched.js'

export type Outcome = OutcomeOf<CallState>

export const callRef = (callId: string): AggregateRef => ({ kind: 'call', id: callId })

const peopleOf = ({ caller, callee }: CallState) => [caller.user, ...(callee ? [callee.user] : [])]

const calls = createLoop<CallState>({
  kind: 'call',
  known: context => context.calls,
  deadlineOf,
  isOver: state => state.phase === 'ended',
  partiesOf: peopleOf,
  holdsLeases: true,
  record: recordProgress
})

export const readCall = calls.read

/** Whoever is in a call is busy: when it begins, and once its leases went back with the last event, those who watch may hear of it. */
export const transact: Loop<CallState>['transact'] = async (context, callId, decide, known) => {
  const outcome = await calls.transact(context, callId, decide, known)
  const { before, state } = outcome
  const wasLive = before !== null && before.phase !== 'ended'
  if (wasLive !== (state.phase !== 'ended')) for (const user of peopleOf(state)) noticeChange(context, user)
  return outcome
}
