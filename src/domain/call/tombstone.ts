// The record of a call id: a call, or tombstones (docs/decisions/0008-failed-creates.md). A tombstone belongs to one caller: no create of that
// caller with this id will make a call, because it was refused, stalled, or was cancelled before it arrived. A tombstone with the code `failed`
// closes only the attempts up to its own: a later create of that caller is the next attempt. Another caller can still create a call
// under the id, which removes the tombstones: the id is then taken for all other callers.
import type { Call } from '../../schemas/call.js'
import type { Endpoint } from '../../schemas/common.js'
import type { CallTimeline } from '../../schemas/timeline.js'
import { newCalled } from './called.js'
import type { CommandOf, Refusal, RefuseCommand } from './command.js'
import { newCall, startRinging } from './creation.js'
import { decideCall } from './decide-call.js'
import type { CallDecision } from './decision.js'
import { wasPartyOf } from './party.js'
import type { CallState } from './state.js'
import { viewCall } from './view.js'

export interface Tombstone {
  readonly caller: Endpoint
  /** Null if the create was cancelled before it arrived, or called several users. */
  readonly to: string | null
  readonly at: number
  readonly until: number
  readonly because: Refusal | { readonly code: 'cancelled' }
}

/** A tombstone that closes all attempts of its caller. */
export type FinalTombstone = Tombstone & { readonly because: Exclude<Tombstone['because'], { code: 'failed' }> }

/** No call. At most one tombstone for each caller. */
export interface VoidState {
  readonly phase: 'void'
  readonly version: number
  readonly tombstones: readonly Tombstone[]
}

export type CallIdRecord = CallState | VoidState
export type RecordDecision = Omit<CallDecision, 'state'> & { readonly state: CallIdRecord }

/** A create that arrives later than this after its cancel makes a call. */
const CANCELLED_KEPT_MS = 120_000
/** One for each caller who uses the id; the oldest are dropped. */
const TOMBSTONES_MAX = 16

const unchangedRecord = (state: CallIdRecord): RecordDecision => ({ state, events: [] })

export const callIn = (record: CallIdRecord | null): CallState | null =>
  record === null || record.phase === 'void' ? null : record

function anyTombstoneOf(record: CallIdRecord | null, user: string): Tombstone | null {
  if (record?.phase !== 'void') return null
  return record.tombstones.find(({ caller }) => caller.user === user) ?? null
}

const isFinal = (tombstone: Tombstone): tombstone is FinalTombstone => tombstone.because.code !== 'failed'

/** The tombstone that closes all attempts of the user. */
export function tombstoneOf(record: CallIdRecord | null, user: string): FinalTombstone | null {
  const tombstone = anyTombstoneOf(record, user)
  return tombstone && isFinal(tombstone) ? tombstone : null
}

/** The attempt number of the user's next create, 1 for the first: one more than the attempts that failed. */
export function nextAttempt(record: CallIdRecord | null, user: string): number {
  const because = anyTombstoneOf(record, user)?.because
  return because?.code === 'failed' ? because.attempt + 1 : 1
}

/** There is no call, and this attempt of the user will not make one. */
export function isClosed(record: CallIdRecord | null, user: string, attempt: number): boolean {
  return callIn(record) === null && (tombstoneOf(record, user) !== null || attempt < nextAttempt(record, user))
}

/** A repeat and a closed attempt change nothing. @throws AppError call_id_taken */
export function decideCreate(record: CallIdRecord | null, command: CommandOf<'create'>, now: number): RecordDecision {
  if (record?.phase !== 'void') return decideCall(record, command, now)
  if (isClosed(record, command.actor.user, command.attempt)) return unchangedRecord(record)
  return startRinging(command, { version: record.version + 1, now })
}

/** The version at which a lost call ends: higher than any that its mailboxes have seen. */
const GONE_VERSION = 1_000_000_000

/**
 * Writes the tombstone of a create that failed or stalled; a call, and a tombstone that closes the attempt already, stay. With `call_ended`
 * there is a lease without a call: its create stalled, or a failover lost the call. Because it may be the latter, both users get
 * `call.ended`. An attempt that `failed` never sent an event.
 */
export function decideRefusal(record: CallIdRecord | null, command: RefuseCommand, now: number): RecordDecision {
  const { callId, actor, to, attempt, because, keepMs } = command
  if (record && isClosed(record, actor.user, attempt)) return unchangedRecord(record)
  const tombstone = { caller: actor, to, at: now, until: now + keepMs, because }
  const decision = withTombstone(record, tombstone)
  if (because.code !== 'call_ended' || decision.state === record) return decision
  const version = Math.max(decision.state.version, GONE_VERSION)
  const call = { ...viewTombstone(callId, { ...tombstone, because }), version }
  const data = { callId, version, reason: 'server', endedBy: null, call }
  const events = [actor.user, ...(to === null ? [] : [to])].map(user => ({ to: { user }, type: 'call.ended', data }))
  return { state: { ...decision.state, version }, events }
}

/** Cancels the actor's call; if there is none, the actor's later create. Another caller's call stays. */
export function decideCallCancel(
  record: CallIdRecord | null,
  { actor }: CommandOf<'cancel'>,
  now: number
): RecordDecision {
  const call = callIn(record)
  if (call && wasPartyOf(call, actor.user)) return decideCall(call, { type: 'cancel', actor }, now)
  return withTombstone(record, earlyCancelTombstone(actor, now))
}

export function earlyCancelTombstone({ user, device }: Endpoint, now: number): FinalTombstone {
  const because = { code: 'cancelled' } as const
  return { caller: { user, device }, to: null, at: now, until: now + CANCELLED_KEPT_MS, because }
}

function withTombstone(record: CallIdRecord | null, tombstone: Tombstone): RecordDecision {
  const { user } = tombstone.caller
  if (record && (record.phase !== 'void' || tombstoneOf(record, user))) return unchangedRecord(record)
  const others = (record?.tombstones ?? []).filter(({ until, caller }) => until > tombstone.at && caller.user !== user)
  const kept = others.slice(1 - TOMBSTONES_MAX)
  const state = { phase: 'void', version: (record?.version ?? 0) + 1, tombstones: [...kept, tombstone] } as const
  return { state, events: [] }
}

const REASONS = {
  cancelled: 'cancelled',
  call_ended: 'server',
  caller_busy: 'busy',
  callee_busy: 'busy',
  call_glare: 'busy',
  merged: 'busy'
} as const satisfies Record<FinalTombstone['because']['code'], Call['reason']>

/** What the caller sees: an ended call. */
export function viewTombstone(callId: string, tombstone: FinalTombstone): Call {
  const { caller, to, at, because } = tombstone
  const endedBy = cancellerOf(tombstone)
  const call = newCall(
    { callId, caller, called: to === null ? [] : [newCalled({ user: to, ringMs: 0 }, at)], attempt: 1 },
    { version: 1, now: at }
  )
  return viewCall({ ...call, phase: 'ended', endedAt: at, reason: REASONS[because.code], endedBy }, at, caller.user)
}

export function viewTombstoneTimeline(callId: string, tombstone: FinalTombstone): CallTimeline {
  const { at, because } = tombstone
  const reason = REASONS[because.code]
  const end = { at: new Date(at).toISOString(), type: 'ended' as const, by: cancellerOf(tombstone), reason }
  return { callId, entries: [end], omitted: 0 }
}

const cancellerOf = ({ caller, because }: FinalTombstone): Endpoint | null =>
  because.code === 'cancelled' ? caller : null
