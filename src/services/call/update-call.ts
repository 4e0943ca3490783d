// Updates of calls. A call id has a record: a call, or tombstones (domain/call/tombstone.ts). What happens to a call that exists uses
// updateCall; what may create a call or a tombstone uses updateRecord.
import { endForgotten } from '../../domain/call/decide-call.js'
import type { CallDecision } from '../../domain/call/decision.js'
import { callerUsers } from '../../domain/call/operator-call.js'
import { operatorEventsOf } from '../../domain/call/operator-events.js'
import { type CallState, deadlineOf } from '../../domain/call/state.js'
import { type CallIdRecord, callIn } from '../../domain/call/tombstone.js'
import { AppError } from '../../errors.js'
import type { AggregateRef } from '../../store/aggregate.js'
import {
  type AggregateRules,
  type Change,
  type Decision,
  keepState,
  type LeaseRefusal,
  type UpdateResult,
  type UpdateTarget
} from '../aggregate-rules.js'
import type { Context } from '../context.js'
import { isPresenceForOperator, schedulePresenceCheck } from '../presence/publish-presence.js'
import { pushesIn } from '../push/queue-push.js'
import { createUpdater } from '../update-aggregate.js'
import { webhooksIn } from '../webhooks/queue-events.js'
import { recordProgress } from './call-metrics.js'
import { contactUpdatesOf } from './contacts.js'
import { holderOf } from './lease-holder.js'

export type CallUpdate = UpdateResult<CallState>

export const callRef = (callId: string): AggregateRef => ({ kind: 'call', id: callId })

/** A user who blocks the caller is a party, too: their mailbox records the commits, and no event. */
const usersOf = ({ caller, called, transfer }: CallState) => [
  ...callerUsers({ caller }),
  ...called.filter(({ state }) => ['ringing', 'answered'].includes(state)).map(({ user }) => user),
  ...(transfer && !transfer.hasLeft ? [transfer.target.user] : [])
]

/** The end also releases the lease of a user who waits: a node that died may have taken it. */
const partiesOf = (call: CallState) => [
  ...usersOf(call),
  ...(call.phase === 'ended' ? call.called.filter(({ state }) => state === 'waiting').map(({ user }) => user) : [])
]

const RULES: AggregateRules<CallIdRecord> = {
  kind: 'call',
  cacheIn: context => context.calls,
  deadlineOf: record => (record.phase === 'void' ? null : deadlineOf(record)),
  isOver: ({ phase }) => phase === 'ended' || phase === 'void',
  keepMs(context, record) {
    if (record.phase !== 'void') return context.config.retentionMs
    return Math.max(1, ...record.tombstones.map(({ until }) => until - context.clock.now()))
  },
  partiesOf: record => (record.phase === 'void' ? [] : partiesOf(record)),
  endForgotten: (record, now) => (record.phase === 'void' ? keepState(record) : endForgotten(record, now)),
  holderOf: (record, user) => (record.phase === 'void' ? null : holderOf(record, user)),
  contactUpdatesOf: (context, before, after) =>
    after.phase === 'void' ? [] : contactUpdatesOf(context, callIn(before), after),
  webhooksOf(context, { before, state, events }, now) {
    const change = { before: callIn(before), state: callIn(state), events }
    const pushes = state.phase === 'void' ? [] : pushesIn(context, { before: callIn(before), state }, now)
    return [...webhooksIn(context, now, () => operatorEventsOf(change, now)), ...pushes]
  },
  onCommitted(context, { before, state, watched }) {
    if (state.phase !== 'void') recordProgress(context, callIn(before), state)
    checkPresence(context, { before: callIn(before), state: callIn(state), watched })
  }
}

/** A user in a call is busy. The leases decide that, so presence is checked after the commit, which takes and releases them. */
function checkPresence(context: Context, { before, state, watched }: Change<CallState | null>): void {
  const parties = [before, state].flatMap(call => (call ? usersOf(call) : []))
  const followed = isPresenceForOperator(context) ? [...new Set(parties)] : watched
  if (followed.length === 0) return
  const [wasBusy, isBusy] = [busyUsers(before), busyUsers(state)]
  for (const user of followed) {
    if (wasBusy.includes(user) !== isBusy.includes(user)) schedulePresenceCheck(context, user)
  }
}

/** The users with an active lease for the call: the caller until it ends, the callee from the answer on. */
function busyUsers(call: CallState | null): string[] {
  if (call === null || call.phase === 'ended') return []
  return [...callerUsers(call), ...(call.callee === null ? [] : [call.callee.user])]
}

export const {
  read: readRecord,
  update: updateRecord,
  updateWithLeases: updateRecordWithLeases
} = createUpdater<CallIdRecord>(RULES)

/** The call; null: there is none, or the record has only tombstones. */
export async function readCall(context: Context, callId: string): Promise<CallState | null> {
  return callIn(await readRecord(context, callId))
}

/** @throws AppError call_not_found; what `decide` throws; store_unavailable */
export async function updateCall(
  context: Context,
  target: UpdateTarget,
  decide: (call: CallState | null, now: number) => CallDecision | Promise<CallDecision>
): Promise<CallUpdate> {
  return toCallUpdate(await updateRecord(context, target, (record, now) => decide(callIn(record), now)))
}

/** The same for a decision that claims leases. */
export async function updateCallWithLeases(
  context: Context,
  target: UpdateTarget,
  decide: (call: CallState | null, now: number) => CallDecision & Pick<Decision<CallState>, 'claims' | 'charges'>
): Promise<CallUpdate | LeaseRefusal> {
  const result = await updateRecordWithLeases(context, target, (record, now) => decide(callIn(record), now))
  return 'refused' in result ? result : toCallUpdate(result)
}

function toCallUpdate(result: UpdateResult<CallIdRecord>): CallUpdate {
  const state = callIn(result.state)
  if (state === null) throw new AppError('call_not_found')
  return { ...result, before: callIn(result.before), state }
}
