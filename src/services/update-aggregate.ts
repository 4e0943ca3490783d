// Updates of aggregates: the steps of the optimistic commit (optimistic-commit.ts) for one stored document. The mail is part of the commit
// (G9). On a Cluster it may be delivered after the commit has returned.
import type { CommitResult, StoredAggregate } from '../store/aggregate.js'
import {
  type ActiveUpdate,
  type AggregateBasis,
  refOf,
  stampOf,
  stateIn,
  type Target,
  toCommit,
  type Versioned
} from './aggregate-commit.js'
import {
  type AggregateRules,
  type Decide,
  type Decision,
  keepState,
  type LeaseRefusal,
  type UpdateResult,
  type Updater
} from './aggregate-rules.js'
import type { CachedState } from './cache.js'
import { envelopeOf, NOWHERE, queuedFor, timestampOf } from './mail.js'
import { type CommitOutcome, commitOptimistically } from './optimistic-commit.js'
import { deliverWebhooks } from './webhooks/queue-events.js'

type Result<State> = UpdateResult<State> | LeaseRefusal
type Outcome<State> = CommitOutcome<CachedState<State> | null, Result<State>>

const NOT_COMMITTED = { watched: [], leases: new Map(), head: null }

export function createUpdater<State extends Versioned>(rules: AggregateRules<State>): Updater<State> {
  const updateWithLeases: Updater<State>['updateWithLeases'] = (context, { id, isNew, acting }, decide) =>
    runUpdate({ context, rules, id, acting }, decide, isNew ? null : rules.cacheIn?.(context).get(id))
  return {
    read: async (context, id) => stateIn(await load({ context, rules, id })),
    updateWithLeases,
    async update(context, target, decide) {
      const result = await updateWithLeases(context, target, decide)
      if ('refused' in result) throw new TypeError('a decision that claims leases needs updateWithLeases')
      return result
    }
  }
}

function runUpdate<State extends Versioned>(
  update: ActiveUpdate<State>,
  decide: Decide<State>,
  cached: CachedState<State> | null | undefined
): Promise<Result<State>> {
  return commitOptimistically<CachedState<State> | null, Decision<State>, Result<State>>(update.context, {
    cached,
    load: () => load(update),
    decide: (before, now) => decide(stateIn(before), now),
    withoutCommit({ state, events }, before) {
      if (state !== stateIn(before) || events.length > 0) return null
      return { before: state, state, deliveries: NOWHERE, ...NOT_COMMITTED }
    },
    commit(decision, basis) {
      if (decision.state === stateIn(basis.state)) return sendWithoutCommit(update, decision, basis)
      return commit(update, decision, basis)
    }
  })
}

async function load<State extends Versioned>(target: Target<State>): Promise<CachedState<State> | null> {
  return releaseAndCache(target, await target.context.store.aggregates.load(refOf(target)))
}

/** A state that was read: its held mail is released if it may be, and the state is cached if it has no undelivered mail. */
async function releaseAndCache<State extends Versioned>(
  target: Target<State>,
  stored: StoredAggregate | null
): Promise<CachedState<State> | null> {
  const { context, rules, id } = target
  const cache = rules.cacheIn?.(context)
  if (stored === null) {
    cache?.delete(id)
    return null
  }
  const { state: text, holdsMail, tag } = stored
  const cached = { state: JSON.parse(text) as State, tag }
  if (holdsMail && rules.isReleased && !(await rules.isReleased(context, cached.state))) {
    cache?.delete(id)
    return cached
  }
  if (holdsMail) await context.store.aggregates.releaseMail(refOf(target))
  cache?.set(id, cached, text.length)
  return cached
}

async function commit<State extends Versioned>(
  update: ActiveUpdate<State>,
  decision: Decision<State>,
  basis: AggregateBasis<State>
): Promise<Outcome<State>> {
  const { context } = update
  const written = toCommit(update, decision, basis)
  const result = await context.store.aggregates.commit(refOf(update), written)
  if (result.ok) return afterCommit(update, { decision, basis, written }, result)
  if ('refused' in result) return { result: { refused: result.refused } }
  if ('spent' in result) throw context.budgets.refusal(result.spent)
  if ('current' in result) return { retryOn: await releaseAndCache(update, result.current) }
  // The acting device is not registered.
  if (update.acting?.register) await update.acting.register()
  else update.acting = undefined
  return { retryOn: undefined }
}

interface CommittedDecision<State extends Versioned> {
  readonly decision: Decision<State>
  readonly basis: AggregateBasis<State>
  readonly written: ReturnType<typeof toCommit>
}

async function afterCommit<State extends Versioned>(
  update: ActiveUpdate<State>,
  { decision, basis, written }: CommittedDecision<State>,
  { isDelivered, deliveries, watched, isOver, held: leases, head, webhooksRefused = 0 }: CommitResult & { ok: true }
): Promise<Outcome<State>> {
  const { context, rules, id, acting } = update
  const { state, events } = decision
  const before = stateIn(basis.state)
  if (head) acting?.renewed()
  if (isDelivered) context.metrics.commitSeconds.observe((context.clock.now() - basis.now) / 1000)
  rules.onCommitted?.(context, { before, state, watched })
  if (events.length > 0) rules.startFanout?.(context, id)
  deliverWebhooks(context, refOf(update), { ...written, webhooksRefused })
  // A state with undelivered mail is not cached: the next event must not overtake that mail.
  if (isDelivered) rules.cacheIn?.(context).set(id, { state, tag: written.tag }, written.state.length)
  else rules.cacheIn?.(context).delete(id)
  if (isOver && !rules.isOver(state)) return endForgotten(update)
  const reached = decision.isHeld ? queuedFor(events) : deliveries
  return { result: { before, state, deliveries: reached, watched, leases, head } }
}

/** A mailbox has the end of this state, which a failover has lost in the store: ends the state again, then decides again. */
async function endForgotten<State extends Versioned>(target: Target<State>): Promise<Outcome<State>> {
  const { context, rules, id } = target
  const decide: Decide<State> = (state, now) =>
    state === null || rules.isOver(state) ? keepState(state) : (rules.endForgotten?.(state, now) ?? keepState(state))
  await runUpdate({ ...target, acting: undefined }, decide, rules.cacheIn?.(context).get(id))
  return { retryOn: undefined }
}

/**
 * The decision changed nothing, so its events need no commit. A mailbox accepts an event only if it has seen no newer commit of the
 * aggregate than the one the decision was made on.
 */
async function sendWithoutCommit<State extends Versioned>(
  update: ActiveUpdate<State>,
  { state, events }: Decision<State>,
  basis: AggregateBasis<State>
): Promise<Outcome<State>> {
  const { context } = update
  const deliveries = new Map<string, { online: number; queued: number }>()
  const stamp = stampOf(basis.state)
  for (const { to, type, data } of events) {
    if (to === 'watchers' || to.device === undefined)
      throw new TypeError(`${type} goes to more than one device and so needs a commit`)
    const sent = await context.store.mailboxes.send(to.user, {
      basis: stamp && { ...stamp, source: refOf(update) },
      device: to.device,
      ...(to.expectedHead ? { expectedHead: to.expectedHead } : {}),
      type,
      envelope: envelopeOf({ type, timestamp: timestampOf(basis.now), data }),
      tag: context.ids.tag(),
      now: basis.now
    })
    if (sent.status === 'behind') return basis.isFresh ? recommit(update, sent.newest, basis) : { retryOn: undefined }
    deliveries.set(to.user, { online: Number(sent.status === 'online'), queued: Number(sent.status === 'queued') })
  }
  return { result: { before: state, state, deliveries, ...NOT_COMMITTED } }
}

/**
 * A mailbox has seen a commit newer than the state, although that was read a moment ago. Either another request has committed since, which
 * is a conflict here; or, on a Cluster, a failover has lost a commit that the mailbox has. Then the same state is committed with a greater
 * version than the mailbox has seen, and the decision is repeated.
 */
async function recommit<State extends Versioned>(
  update: ActiveUpdate<State>,
  newest: number,
  basis: AggregateBasis<State>
): Promise<Outcome<State>> {
  const { context, rules, id } = update
  if (basis.state === null) return { retryOn: undefined }
  const decision = { state: { ...basis.state.state, version: newest + 1 }, events: [] }
  const outcome = await commit({ ...update, acting: undefined }, decision, basis)
  return 'retryOn' in outcome ? outcome : { retryOn: rules.cacheIn?.(context).get(id) }
}
