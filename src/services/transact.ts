// The loop of aggregates.ts for calls.
import { type CallState, deadlineOf } from '../domain/state.js'
import type { AggregateRef } from '../store/aggregate.js'
import { createLoop, type Outcome as OutcomeOf } from './aggregates.js'
import { recordProgress } from './record.js'

export type Outcome = OutcomeOf<CallState>

export const callRef = (callId: string): AggregateRef => ({ kind: 'call', id: callId })

export const { read: readCall, transact } = createLoop<CallState>({
  kind: 'call',
  known: context => context.calls,
  deadlineOf,
  isOver: state => state.phase === 'ended',
  leasesOf: ({ caller, callee }) => [caller.user, ...(callee ? [callee.user] : [])],
  record: recordProgress
})
