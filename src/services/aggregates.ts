// The only loop that changes a call, or what two participants of a room negotiate: load → decide → commit if the version still
// holds → else decide again on what stands. What a decision says is kept from the moment its commit returns (G9): its events lie
// in the aggregate's outbox, and if this node dies or the mailboxes cannot be reached, the sweeper of any node delivers them.
import { type Deliveries, dispatch } from '../delivery/dispatch.js'
import type { Audience } from '../domain/state.js'
import { AppError } from '../errors.js'
import type { AggregateRef, CommitResult, OutboxItem, OutgoingEvent, Snapshot } from '../store/aggregate.js'
import type { Cache } from './cache.js'
import type { Context } from './context.js'

export interface Decision<State> {
  /** The very state that was given when nothing changes; its events, each for one device, then need no commit. */
  readonly state: State
  /** In the order in which they must arrive. */
  readonly events: readonly { to: Audience | 'watchers'; type: string; data: Readonly<Record<string, unknown>> }[]
}

/** What the loop has to know of one kind of aggregate. */
export interface Kind<State extends { readonly version: number }> {
  readonly kind: AggregateRef['kind']
  known(context: Context): Cache<State>
  /** When it must be looked at again; null when it is over. */
  deadlineOf(state: State): number | null
  isOver(state: State): boolean
  /** How long it is kept when it is over; the retention, unless it may begin again. */
  keepMs?(context: Context): number
  /** Whose leases go back when it is over. */
  leasesOf(state: State): readonly string[]
  /** Told of each commit. */
  record(context: Context, before: State | null, after: State): void
  /** Has those who watch told what lies in the outbox, and is not waited for. Without it each recipient is named, and mailed at once. */
  tell?(context: Context, id: string): void
}

export interface Outcome<State> {
  readonly before: State | null
  readonly state: State
  /** Where the events went, by user. */
  readonly deliveries: Deliveries
}

export type Decide<State> = (state: State | null, now: number) => Decision<State>

/** Each lost race is a commit of somebody else; more than a few in a row means that something is wrong. */
const ATTEMPTS_MAX = 32
const NOWHERE: Deliveries = new Map()

export interface Loop<State> {
  /** As it stands now, everything it had to say dispatched; null if there is none. */
  read(context: Context, id: string): Promise<State | null>
  /**
   * Decides and commits. `decide` is called again for every race lost, so it must be pure. `known` is what the caller has seen a
   * moment ago; it is not believed to be current.
   * @throws AppError whatever `decide` throws on a state that is certainly current; store_unavailable
   */
  transact(context: Context, id: string, decide: Decide<State>, known?: State | null): Promise<Outcome<State>>
}

export function createLoop<State extends { readonly version: number }>(kind: Kind<State>): Loop<State> {
  type Attempt = Outcome<State> | { readonly retryOn: State | null | undefined }
  const refOf = (id: string): AggregateRef => ({ kind: kind.kind, id })

  async function read(context: Context, id: string): Promise<State | null> {
    return settled(context, id, await context.store.aggregates.load(refOf(id)))
  }

  async function transact(
    context: Context,
    id: string,
    decide: Decide<State>,
    first: State | null | undefined = kind.known(context).get(id)
  ): Promise<Outcome<State>> {
    let known = first
    let certain = false
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      if (known === undefined) {
        known = await read(context, id)
        certain = true
      }
      const done = await attemptOn(context, id, { before: known, certain, decide })
      if ('state' in done) return done
      known = done.retryOn
      certain = known !== undefined
    }
    throw new AppError('store_unavailable', { detail: 'Too many others changed this at the same moment' })
  }

  function attemptOn(
    context: Context,
    id: string,
    { before, certain, decide }: { before: State | null; certain: boolean; decide: Decide<State> }
  ): Attempt | Promise<Attempt> {
    const now = context.clock.now()
    let decision: Decision<State>
    try {
      decision = decide(before, now)
    } catch (error) {
      if (certain) throw error
      return reread(context, id)
    }
    const { state, events } = decision
    if (state !== before) return commit(context, id, { before, decision, now })
    if (events.length > 0) return sendDirect(context, id, { state, events, now })
    return certain ? { before, state, deliveries: NOWHERE } : reread(context, id)
  }

  function reread(context: Context, id: string): Attempt {
    kind.known(context).delete(id)
    return { retryOn: undefined }
  }

  /** The decision changed nothing: its events need no commit, only mailboxes that know of no newer version. */
  async function sendDirect(
    context: Context,
    id: string,
    { state, events, now }: Decision<State> & { now: number }
  ): Promise<Attempt> {
    const deliveries = new Map<string, { online: number; queued: number }>()
    const timestamp = new Date(now).toISOString()
    for (const { to, type, data } of events) {
      if (to === 'watchers' || to.device === undefined)
        throw new TypeError(`${type} goes to more than one device and so needs a commit`)
      const result = await context.store.mailboxes.send(to.user, {
        source: refOf(id),
        version: state.version,
        device: to.device,
        ...(to.at ? { at: to.at } : {}),
        type,
        envelope: JSON.stringify({ type, timestamp, data }),
        tag: context.ids.tag(),
        now
      })
      if (result === 'behind') return reread(context, id)
      deliveries.set(to.user, { online: result === 'online' ? 1 : 0, queued: result === 'queued' ? 1 : 0 })
    }
    return { before: state, state, deliveries }
  }

  async function commit(
    context: Context,
    id: string,
    { before, decision, now }: { before: State | null; decision: Decision<State>; now: number }
  ): Promise<Attempt> {
    const { state } = decision
    const result: CommitResult = await context.store.aggregates.commit(refOf(id), {
      expected: before?.version ?? 0,
      tag: context.ids.tag(),
      state: JSON.stringify(state),
      items: itemsOf(before, decision, now),
      deadlineAt: kind.deadlineOf(state),
      expireInMs: kind.isOver(state) ? (kind.keepMs?.(context) ?? context.config.retentionMs) : null,
      now
    })
    if (!result.ok) return { retryOn: await settled(context, id, result.current) }
    kind.record(context, before, state)
    if (kind.tell && decision.events.length > 0) kind.tell(context, id)
    const deliveries = kind.tell ? NOWHERE : await dispatchPending(context, refOf(id), result, now)
    if (deliveries !== null) kind.known(context).set(id, state)
    else kind.known(context).delete(id)
    return { before, state, deliveries: deliveries ?? NOWHERE }
  }

  function itemsOf(before: State | null, { state, events }: Decision<State>, now: number): OutboxItem[] {
    const timestamp = new Date(now).toISOString()
    const items = events.map(({ to, type, data }) => toItem(to, { type, timestamp, data }))
    if (!kind.isOver(state) || (before !== null && kind.isOver(before))) return items
    // Both users' mailboxes learn of the end, also that of the one who acted and gets no event: a candidate that another
    // node accepts on an older version must not follow it.
    for (const user of kind.leasesOf(state)) items.push({ do: 'release', user })
    return items
  }

  async function settled(context: Context, id: string, snapshot: Snapshot | null): Promise<State | null> {
    if (snapshot === null) return null
    const state: State = JSON.parse(snapshot.state)
    if (snapshot.pending.length > 0 && !kind.tell) {
      const deliveries = await dispatchPending(context, refOf(id), snapshot, context.clock.now())
      if (deliveries === null)
        throw new AppError('store_unavailable', { detail: 'Earlier events could not be delivered yet' })
    }
    kind.known(context).set(id, state)
    return state
  }

  return { read, transact }
}

function toItem(to: Audience | 'watchers', event: OutgoingEvent): OutboxItem {
  if (to === 'watchers') return { do: 'tell', event }
  const { at: _, ...whom } = to
  return { do: 'deliver', ...whom, event }
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
    context.log.warn({ err: error, ...named(ref), version }, 'events stay in the outbox for the sweeper')
    return null
  }
}

/** Nobody waits for it: an entry that stays is dispatched again, and every mailbox drops it as a duplicate. */
function settleLater(context: Context, ref: AggregateRef, version: number): void {
  context.store.aggregates.settle(ref, version).catch(error => {
    context.log.warn({ err: error, ...named(ref), version }, 'outbox not trimmed')
  })
}

/** As the logs name it: callId, … */
const named = ({ kind, id }: AggregateRef) => ({ [`${kind}Id`]: id })
