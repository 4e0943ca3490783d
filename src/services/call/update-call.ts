// The loop of update-aggregate.ts for calls.

import { end } from '../../domain/call/ending.js'
import { type CallDecision, type CallState, deadlineOf } from '../../domain/call/state.js'
import { type CallRecord, callIn, type RecordDecision } from '../../domain/call/tombstone.js'
import { AppError } from '../../errors.js'
import type { AggregateRef } from '../../store/aggregate.js'
import {
  type Acting,
  type Outcome as OutcomeOf,
  type Refused,
  type TransactOptions,
  type UserClaim,
  unchanged
} from '../aggregate-kind.js'
import type { Context } from '../context.js'
import { schedulePresenceCheck } from '../presence/publish-presence.js'
import { createLoop } from '../update-aggregate.js'
import { recordProgress } from './call-metrics.js'
import { progressOf } from './contacts.js'
import { holderOfCall } from './lease-holder.js'

export type Outcome = OutcomeOf<CallState>

export const callRef = (callId: string): AggregateRef => ({ kind: 'call', id: callId })

const peopleOf = ({ caller, callee }: CallState) => [caller.user, ...(callee ? [callee.user] : [])]

/** Who holds an active lease for the call: its caller while it lives, its callee from the answer on. */
function activeUsers(call: CallState | null): string[] {
  if (call === null || call.phase === 'ended') return []
  return call.phase === 'ringing' ? [call.caller.user] : peopleOf(call)
}

const records = createLoop<CallRecord>({
  kind: 'call',
  cacheIn: context => context.calls,
  deadlineOf: record => (record.phase === 'void' ? null : deadlineOf(record)),
  isOver: ({ phase }) => phase === 'ended' || phase === 'void',
  keepMs(context, record) {
    if (record.phase !== 'void') return context.config.retentionMs
    return Math.max(1, ...record.tombstones.map(({ until }) => until - context.clock.now()))
  },
  partiesOf: record => (record.phase === 'void' ? [] : peopleOf(record)),
  endAgain: (record, now) =>
    record.phase === 'void' ? unchanged(record) : end(record, { reason: 'server', by: null, actor: null }, now),
  holderOf(record) {
    return record.phase === 'void' ? null : holderOfCall(record)
  },
  noteOf: (context, before, after) => (after.phase === 'void' ? null : progressOf(context, callIn(before), after)),
  record(context, before, after) {
    if (after.phase !== 'void') recordProgress(context, callIn(before), after)
  }
})

/** What is kept under a call id, or null. */
export const readRecord = records.read

/** The call, or null: there is none, or only tombstones. */
export async function readCall(context: Context, callId: string): Promise<CallState | null> {
  return callIn(await records.read(context, callId))
}

/** A user in a call is busy: watchers may see it once it begins, and no longer once the leases are released with the last event. */
export async function transactRecord(
  context: Context,
  callId: string,
  decide: (record: CallRecord | null, now: number) => RecordDecision,
  acting?: Acting
): Promise<OutcomeOf<CallRecord>> {
  const outcome = await records.transact(context, callId, decide, { acting })
  noteBusy(context, outcome)
  return outcome
}

type Claiming = { readonly claims?: readonly UserClaim[] }

/** The same for a decision that claims leases. */
export async function claimRecord(
  context: Context,
  callId: string,
  decide: (record: CallRecord | null, now: number) => RecordDecision & Claiming,
  options: TransactOptions
): Promise<OutcomeOf<CallRecord> | Refused> {
  const outcome = await records.claim(context, callId, decide, options)
  if (!('refused' in outcome)) noteBusy(context, outcome)
  return outcome
}

function noteBusy(context: Context, { before, state, watched }: OutcomeOf<CallRecord>): void {
  if (watched.length === 0) return
  const [was, is] = [activeUsers(callIn(before)), activeUsers(callIn(state))]
  for (const user of watched) {
    if (was.includes(user) !== is.includes(user)) schedulePresenceCheck(context, user)
  }
}

/** For everything that happens to a call that exists. @throws AppError call_not_found */
export async function transact(
  context: Context,
  callId: string,
  decide: (call: CallState | null, now: number) => CallDecision,
  acting?: Acting
): Promise<Outcome> {
  return toCallOutcome(await transactRecord(context, callId, (record, now) => decide(callIn(record), now), acting))
}

/** The same for a decision that claims leases. @throws AppError call_not_found */
export async function claim(
  context: Context,
  callId: string,
  decide: (call: CallState | null, now: number) => CallDecision & Claiming,
  acting?: Acting
): Promise<Outcome | Refused> {
  const outcome = await claimRecord(context, callId, (record, now) => decide(callIn(record), now), { acting })
  return 'refused' in outcome ? outcome : toCallOutcome(outcome)
}

function toCallOutcome(outcome: OutcomeOf<CallRecord>): Outcome {
  const state = callIn(outcome.state)
  if (state === null) throw new AppError('call_not_found')
  return { ...outcome, before: callIn(outcome.before), state }
}
