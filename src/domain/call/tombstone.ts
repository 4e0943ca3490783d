// What is kept under a call id: a call, or tombstones. A tombstone belongs to one caller and says that no create of theirs with this id
// will ever make a call (DESIGN 5a, rules 1 and 2): it was refused, it stalled, or it was cancelled before it came. One whose code is
// `failed` says that of the attempts made until then: the next create of that caller is the next attempt. Other callers can
// still make a call of the id; then the tombstones go, because the id is taken from there on.
import type { Call } from '../../schemas/call.js'
import type { Endpoint } from '../../schemas/common.js'
import type { CommandOf, Refusal, RefuseCommand } from './command.js'
import { decideCall } from './decide-call.js'
import { newCall, ring } from './ending.js'
import { isPartyOf } from './party.js'
import { type CallState, type Decision, viewCall } from './state.js'

export interface Tombstone {
  readonly caller: Endpoint
  /** Null when the create was cancelled before it came. */
  readonly to: string | null
  readonly at: number
  readonly until: number
  readonly because: Refusal | { readonly code: 'cancelled' }
}

/** No create of the caller passes it. */
export type FinalTombstone = Tombstone & { readonly because: Exclude<Tombstone['because'], { code: 'failed' }> }

/** No call: tombstones, at most one a caller. */
export interface VoidState {
  readonly phase: 'void'
  readonly version: number
  readonly tombstones: readonly Tombstone[]
}

export type CallRecord = CallState | VoidState
export type RecordDecision = Omit<Decision, 'state'> & { readonly state: CallRecord }

/** Late creates come within this time, or never. */
const CANCELLED_KEPT_MS = 120_000
/** Callers who choose the same id; the oldest tombstones go first. */
const TOMBSTONES_MAX = 16

const unchanged = (state: CallRecord): RecordDecision => ({ state, events: [] })

export const callIn = (record: CallRecord | null): CallState | null =>
  record === null || record.phase === 'void' ? null : record

function anyTombstoneOf(record: CallRecord | null, user: string): Tombstone | null {
  if (record?.phase !== 'void') return null
  return record.tombstones.find(({ caller }) => caller.user === user) ?? null
}

const isFinal = (tombstone: Tombstone): tombstone is FinalTombstone => tombstone.because.code !== 'failed'

/** The tombstone that stops every create of the user. */
export function tombstoneOf(record: CallRecord | null, user: string): FinalTombstone | null {
  const tombstone = anyTombstoneOf(record, user)
  return tombstone && isFinal(tombstone) ? tombstone : null
}

/** The number of the attempt that a create of the user is: one more than those that have failed. */
export function nextAttempt(record: CallRecord | null, user: string): number {
  const because = anyTombstoneOf(record, user)?.because
  return because?.code === 'failed' ? because.attempt + 1 : 1
}

/** There is no call, and this attempt of the user's create will not make one. */
export function isClosed(record: CallRecord | null, user: string, attempt: number): boolean {
  return callIn(record) === null && (tombstoneOf(record, user) !== null || attempt < nextAttempt(record, user))
}

/** A repeat, and an attempt that is closed, changes nothing. @throws AppError call_id_taken */
export function createIn(record: CallRecord | null, command: CommandOf<'create'>, now: number): RecordDecision {
  if (record?.phase !== 'void') return decideCall(record, command, now)
  if (isClosed(record, command.actor.user, command.attempt)) return unchanged(record)
  return ring(command, { version: record.version + 1, now })
}

/** A call that is gone ends under a version above all that its mailboxes can know. */
const GONE_VERSION = 1_000_000_000

/**
 * The tombstone of a create that failed or stalled; a call, and a tombstone that closes the attempt already, is left as it is. `call_ended`
 * is for a lease without a call: its create stalled, or a failover forgot the call. Which of the two is not known, so both users
 * receive that the call has ended. An attempt that `failed` has made no call that anyone could know.
 */
export function refuseIn(record: CallRecord | null, command: RefuseCommand, now: number): RecordDecision {
  const { callId, actor, to, attempt, because, keepMs } = command
  if (record && isClosed(record, actor.user, attempt)) return unchanged(record)
  const tombstone = { caller: actor, to, at: now, until: now + keepMs, because }
  const decision = withTombstone(record, tombstone)
  if (because.code !== 'call_ended' || decision.state === record) return decision
  const version = Math.max(decision.state.version, GONE_VERSION)
  const call = { ...viewTombstone(callId, { ...tombstone, because }), version }
  const data = { callId, version, reason: 'server', endedBy: null, call }
  const events = [actor.user, to].map(user => ({ to: { user }, type: 'call.ended', data }))
  return { state: { ...decision.state, version }, events }
}

/** Cancels a call of the actor's; without one, a create that comes later. The call of others is left as it is. */
export function cancelIn(record: CallRecord | null, { actor }: CommandOf<'cancel'>, now: number): RecordDecision {
  const call = callIn(record)
  if (call && isPartyOf(call, actor.user)) return decideCall(call, { type: 'cancel', actor }, now)
  return withTombstone(record, cancelledAhead(actor, now))
}

export function cancelledAhead({ user, device }: Endpoint, now: number): FinalTombstone {
  const because = { code: 'cancelled' } as const
  return { caller: { user, device }, to: null, at: now, until: now + CANCELLED_KEPT_MS, because }
}

function withTombstone(record: CallRecord | null, tombstone: Tombstone): RecordDecision {
  const { user } = tombstone.caller
  if (record && (record.phase !== 'void' || tombstoneOf(record, user))) return unchanged(record)
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

/** As a call that has ended: what its caller sees. */
export function viewTombstone(callId: string, { caller, to, at, because }: FinalTombstone): Call {
  const endedBy = because.code === 'cancelled' ? caller : null
  const call = newCall({ callId, caller, to, attempt: 1 }, { version: 1, now: at })
  return viewCall({ ...call, phase: 'ended', endedAt: at, reason: REASONS[because.code], endedBy }, at)
}
