// The only loop that changes a call: load → decide → commit if the version still holds → else decide again on what stands.
// What a decision says is kept from the moment its commit returns (G9): its events lie in the call's outbox, and if this
// node dies or the mailboxes cannot be reached, the sweeper of any node delivers them.
import { type Deliveries, dispatch } from '../delivery/dispatch.js'
import type { CallEvent, CallState, Decision } from '../domain/state.js'
import { deadlineOf } from '../domain/state.js'
import { AppError } from '../errors.js'
import type { AggregateRef, CommitResult, OutboxItem, Snapshot } from '../store/aggregate.js'
import type { Context } from './context.js'
import { recordProgress } from './record.js'

export interface Outcome {
  readonly before: CallState | null
  readonly state: CallState
  /** Where the events went, by user. */
  readonly deliveries: Deliveries
}

export type Decide = (state: CallState | null, now: number) => Decision

/** Each lost race is a commit of somebody else; more than a few in a row means that something is wrong. */
const ATTEMPTS_MAX = 32
const NOWHERE: Deliveries = new Map()

export const callRef = (callId: string): AggregateRef => ({ kind: 'call', id: callId })

/** The call as it stands now, everything it had to say dispatched; null if there is none. */
export async function readCall(context: Context, callId: string): Promise<CallState | null> {
  return settled(context, callId, await context.store.aggregates.load(callRef(callId)))
}

/**
 * Decides and commits. `decide` is called again for every race lost, so it must be pure. `known` is what the caller has seen
 * of the call a moment ago; it is not believed to be current.
 * @throws AppError whatever `decide` throws on a state that is certainly current; store_unavailable
 */
export async function transact(
  context: Context,
  callId: string,
  decide: Decide,
  known: CallState | null | undefined = context.calls.get(callId)
): Promise<Outcome> {
  let certain = false
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    if (known === undefined) {
      known = await readCall(context, callId)
      certain = true
    }
    const done = await attemptOn(context, callId, known, certain, decide)
    if ('state' in done) return done
    known = done.retryOn
    certain = known !== undefined
  }
  throw new AppError('store_unavailable', { detail: 'Too many others changed this call at the same moment' })
}

type Attempt = Outcome | { readonly retryOn: CallState | null | undefined }

function attemptOn(
  context: Context,
  callId: string,
  before: CallState | null,
  certain: boolean,
  decide: Decide
): Attempt | Promise<Attempt> {
  const now = context.clock.now()
  let decision: Decision
  try {
    decision = decide(before, now)
  } catch (error) {
    if (certain) throw error
    return reread(context, callId)
  }
  const { state, events } = decision
  if (state !== before) return commit(context, before, decision, now)
  if (events.length > 0) return sendDirect(context, state, events, now)
  return certain ? { before, state, deliveries: NOWHERE } : reread(context, callId)
}

function reread(context: Context, callId: string): Attempt {
  context.calls.delete(callId)
  return { retryOn: undefined }
}

/** The decision changed nothing: its events need no commit, only mailboxes that know of no newer version. */
async function sendDirect(
  context: Context,
  state: CallState,
  events: readonly CallEvent[],
  now: number
): Promise<Attempt> {
  const deliveries = new Map<string, { online: number; queued: number }>()
  const timestamp = new Date(now).toISOString()
  for (const { to, type, data } of events) {
    if (to.device === undefined) throw new TypeError(`${type} goes to more than one device and so needs a commit`)
    const result = await context.store.mailboxes.send(to.user, {
      source: callRef(state.callId),
      version: state.version,
      device: to.device,
      type,
      envelope: JSON.stringify({ type, timestamp, data }),
      tag: context.ids.tag(),
      now
    })
    if (result === 'behind') return reread(context, state.callId)
    deliveries.set(to.user, { online: result === 'online' ? 1 : 0, queued: result === 'queued' ? 1 : 0 })
  }
  return { before: state, state, deliveries }
}

async function commit(context: Context, before: CallState | null, decision: Decision, now: number): Promise<Attempt> {
  const { state } = decision
  const ref = callRef(state.callId)
  const items = itemsOf(before, decision, now)
  const result: CommitResult = await context.store.aggregates.commit(ref, {
    expected: before?.version ?? 0,
    tag: context.ids.tag(),
    state: JSON.stringify(state),
    items,
    deadlineAt: deadlineOf(state),
    expireInMs: state.phase === 'ended' ? context.config.retentionMs : null,
    now
  })
  if (!result.ok) return { retryOn: await settled(context, state.callId, result.current) }
  recordProgress(context, before, state)
  const deliveries = await dispatchPending(context, ref, { version: result.version, pending: result.pending }, now)
  if (deliveries !== null) context.calls.set(state.callId, state)
  else context.calls.delete(state.callId)
  return { before, state, deliveries: deliveries ?? NOWHERE }
}

function itemsOf(before: CallState | null, { state, events }: Decision, now: number): OutboxItem[] {
  const timestamp = new Date(now).toISOString()
  const items: OutboxItem[] = events.map(({ to, type, data }) => ({
    do: 'deliver',
    ...to,
    event: { type, timestamp, data }
  }))
  if (state.phase !== 'ended' || before?.phase === 'ended') return items
  // Both users' mailboxes learn of the end, also that of the one who acted and gets no event: a candidate that another
  // node accepts on an older version must not follow it.
  for (const user of [state.caller.user, state.callee?.user]) {
    if (user !== undefined) items.push({ do: 'release', user })
  }
  return items
}

async function settled(context: Context, callId: string, snapshot: Snapshot | null): Promise<CallState | null> {
  if (snapshot === null) return null
  const state: CallState = JSON.parse(snapshot.state)
  if (snapshot.pending.length > 0) {
    const deliveries = await dispatchPending(context, callRef(callId), snapshot, context.clock.now())
    if (deliveries === null)
      throw new AppError('store_unavailable', { detail: 'Earlier events of this call could not be delivered yet' })
  }
  context.calls.set(callId, state)
  return state
}

/** Null when it could not be done now; the sweeper will. */
async function dispatchPending(
  context: Context,
  ref: AggregateRef,
  { version, pending }: Pick<Snapshot, 'version' | 'pending'>,
  committedAt: number
): Promise<Deliveries | null> {
  if (pending.length === 0) return NOWHERE
  try {
    const deliveries = await dispatch(context, ref, pending)
    context.metrics.outboxLagSeconds.observe((context.clock.now() - committedAt) / 1000)
    settleLater(context, ref, version)
    return deliveries
  } catch (error) {
    context.log.warn({ err: error, callId: ref.id, version }, 'events stay in the outbox for the sweeper')
    return null
  }
}

/** Nobody waits for it: an entry that stays is dispatched again, and every mailbox drops it as a duplicate. */
function settleLater(context: Context, ref: AggregateRef, version: number): void {
  context.store.aggregates.settle(ref, version).catch(error => {
    context.log.warn({ err: error, callId: ref.id, version }, 'outbox not trimmed')
  })
}
