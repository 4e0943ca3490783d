// Aggregates in the loop of optimistic-commit.ts: states with a stamp, cached on this node, whose commits deliver what they say. What a
// decision says is kept from the moment its commit returns (G9).
import type { AggregateRef, Commit, CommitResult, Stamp, StoredAggregate } from '../store/aggregate.js'
import {
  type Acting,
  type Decide,
  type Decision,
  type Kind,
  type Loop,
  type Outcome,
  type Refused,
  type TransactOptions,
  unchanged
} from './aggregate-kind.js'
import type { Known } from './cache.js'
import type { Context } from './context.js'
import { NOWHERE, queuedFor, toLog, toMail } from './mail.js'
import { type Attempt as AttemptOf, type Basis as BasisOf, commitOptimistically } from './optimistic-commit.js'

type Versioned = { readonly version: number }
type Attempt<State> = AttemptOf<Known<State> | null, Outcome<State> | Refused>
type Basis<State> = BasisOf<Known<State> | null>

interface Target<State extends Versioned> {
  readonly context: Context
  readonly kind: Kind<State>
  readonly id: string
}

/** One run of the loop. */
interface Change<State extends Versioned> extends Target<State> {
  acting: Acting | undefined
}

const NOT_COMMITTED = { watched: [], leases: new Map(), head: null }

const refOf = ({ kind, id }: Pick<Target<Versioned>, 'kind' | 'id'>): AggregateRef => ({ kind: kind.kind, id })

const stateIn = <State>(known: Known<State> | null): State | null => known?.state ?? null

const stampOf = (known: Known<Versioned> | null): Stamp | null =>
  known && { version: known.state.version, tag: known.tag }

export function createLoop<State extends Versioned>(kind: Kind<State>): Loop<State> {
  const claim: Loop<State>['claim'] = (context, id, decide, options = {}) =>
    runLoop({ context, kind, id, acting: options.acting }, decide, options)
  return {
    read: async (context, id) => stateIn(await load({ context, kind, id })),
    claim,
    async transact(context, id, decide, options) {
      const outcome = await claim(context, id, decide, options)
      if ('refused' in outcome) throw new TypeError('a decision claims leases, and nothing handles that one is refused')
      return outcome
    }
  }
}

async function load<State extends Versioned>(target: Target<State>): Promise<Known<State> | null> {
  return settled(target, await target.context.store.aggregates.load(refOf(target)))
}

function runLoop<State extends Versioned>(
  target: Change<State>,
  decide: Decide<State>,
  { isNew }: TransactOptions
): Promise<Outcome<State> | Refused> {
  const { context, kind, id } = target
  return commitOptimistically<Known<State> | null, Decision<State>, Outcome<State> | Refused>(context.clock, {
    cached: isNew ? null : kind.cacheIn?.(context).get(id),
    load: () => load(target),
    decide: (before, now) => decide(stateIn(before), now),
    withoutCommit({ state, events }, before) {
      if (state !== stateIn(before) || events.length > 0) return null
      return { before: state, state, deliveries: NOWHERE, ...NOT_COMMITTED }
    },
    commit(decision, basis) {
      if (decision.state === stateIn(basis.state)) return sendDirect(target, decision, basis)
      return commit(target, decision, basis)
    }
  })
}

/** The decision changed nothing: its events need no commit, only that the one still stands that the decision was made on. */
async function sendDirect<State extends Versioned>(
  change: Change<State>,
  { state, events }: Decision<State>,
  basis: Basis<State>
): Promise<Attempt<State>> {
  const { context } = change
  const deliveries = new Map<string, { online: number; queued: number }>()
  const timestamp = new Date(basis.now).toISOString()
  const stamp = stampOf(basis.state)
  for (const { to, type, data } of events) {
    if (to === 'watchers' || to.device === undefined)
      throw new TypeError(`${type} goes to more than one device and so needs a commit`)
    const result = await context.store.mailboxes.send(to.user, {
      basis: stamp && { ...stamp, source: refOf(change) },
      device: to.device,
      ...(to.at ? { at: to.at } : {}),
      type,
      envelope: JSON.stringify({ type, timestamp, data }),
      tag: context.ids.tag(),
      now: basis.now
    })
    const { status } = result
    if (status === 'behind') return basis.isCurrent ? restate(change, result.newest, basis) : { retryOn: undefined }
    deliveries.set(to.user, { online: status === 'online' ? 1 : 0, queued: status === 'queued' ? 1 : 0 })
  }
  return { outcome: { before: state, state, deliveries, ...NOT_COMMITTED } }
}

/**
 * Another commit stands than the one that was read a moment ago: either it was committed since, which is a conflict here, or (on a
 * Cluster) a failover forgot what the mailboxes know. Then the same state is committed under a version above all that was seen.
 */
async function restate<State extends Versioned>(
  change: Change<State>,
  above: number,
  basis: Basis<State>
): Promise<Attempt<State>> {
  if (basis.state === null) return { retryOn: undefined }
  const decision = { state: { ...basis.state.state, version: above + 1 }, events: [] }
  const done = await commit({ ...change, acting: undefined }, decision, basis)
  return 'retryOn' in done ? done : { retryOn: change.kind.cacheIn?.(change.context).get(change.id) }
}

async function commit<State extends Versioned>(
  change: Change<State>,
  decision: Decision<State>,
  basis: Basis<State>
): Promise<Attempt<State>> {
  const { context } = change
  const written = toCommit(change, decision, basis)
  const result = await context.store.aggregates.commit(refOf(change), written)
  if (result.ok) return noteCommitted(change, { decision, basis, written }, result)
  if ('refused' in result) return { outcome: { refused: result.refused } }
  if ('spent' in result) throw context.budgets.refusal(result.spent)
  if ('current' in result) return { retryOn: await settled(change, result.current) }
  if (change.acting?.register) await change.acting.register()
  else change.acting = undefined
  return { retryOn: undefined }
}

function toCommit<State extends Versioned>(
  change: Change<State>,
  decision: Decision<State>,
  { state: known, now }: Basis<State>
): Commit {
  const { context, kind } = change
  const { state } = decision
  // Only the deadline moves: the commit keeps its name, and no mailbox has to know.
  const isSilent = known !== null && state.version === known.state.version
  return {
    expected: stampOf(known),
    version: state.version,
    tag: isSilent ? known.tag : context.ids.tag(),
    state: JSON.stringify(state),
    ...(isSilent ? { mail: [], log: [] } : saidBy(change, decision, { before: stateIn(known), now })),
    isHeld: decision.held ?? false,
    ...(decision.charges && { charges: decision.charges }),
    deadlineAt: kind.deadlineOf(state),
    expireInMs: kind.isOver(state) ? (kind.keepMs?.(context, state) ?? context.config.retentionMs) : null,
    now
  }
}

async function noteCommitted<State extends Versioned>(
  change: Change<State>,
  { decision, basis, written }: { decision: Decision<State>; basis: Basis<State>; written: Commit },
  result: CommitResult & { ok: true }
): Promise<Attempt<State>> {
  const { context, kind, id, acting } = change
  const { state, events } = decision
  const before = stateIn(basis.state)
  if (result.head) acting?.renewed()
  if (result.isDelivered) context.metrics.commitSeconds.observe((context.clock.now() - basis.now) / 1000)
  kind.record?.(context, before, state)
  if (events.length > 0) kind.publish?.(context, id)
  // A state that has mail to deliver is not cached: the next message must not overtake it.
  if (result.isDelivered) kind.cacheIn?.(context).set(id, { state, tag: written.tag }, written.state.length)
  else kind.cacheIn?.(context).delete(id)
  if (result.isOver && !kind.isOver(state)) return endAgain(change)
  const deliveries = decision.held ? queuedFor(events) : result.deliveries
  return { outcome: { before, state, deliveries, watched: result.watched, leases: result.held, head: result.head } }
}

/** A mailbox has taken the end of this, which a failover made the store forget: what was received stands. */
async function endAgain<State extends Versioned>(target: Target<State>): Promise<Attempt<State>> {
  const { kind } = target
  const decide: Decide<State> = (state, now) =>
    state === null || kind.isOver(state) ? unchanged(state) : (kind.endAgain?.(state, now) ?? unchanged(state))
  await runLoop({ ...target, acting: undefined }, decide, {})
  return { retryOn: undefined }
}

function saidBy<State extends Versioned>(
  { context, kind, acting }: Change<State>,
  { state, events, claims = [] }: Decision<State>,
  { before, now }: { before: State | null; now: number }
): Pick<Commit, 'mail' | 'log'> {
  const timestamp = new Date(now).toISOString()
  const log = toLog(events, timestamp)
  const ends = kind.isOver(state) && (before === null || !kind.isOver(before))
  if (kind.isOver(state) && !ends) return { mail: toMail({ events, timestamp }, [], {}), log }
  // All parties remember the commit, also the one who acted and gets no event: nothing decided on an older state must follow it.
  const holder = (ends && kind.holderOf?.(state)) || null
  const begins = !ends && (before === null || kind.isOver(before))
  const said = holder === null ? { ...(begins && { begins }) } : { release: holder }
  const mail = toMail({ events, timestamp }, kind.partiesOf?.(state) ?? [], said)
  const note = kind.noteOf?.(context, before, state)
  const signed = mail.map(each => {
    const claim = claims.find(({ user }) => user === each.user)
    return {
      ...each,
      ...(note?.user === each.user && { contact: note.contact }),
      ...(claim && { claim: { lease: claim.lease, limits: claim.limits } }),
      ...(acting?.user === each.user && { sign: { device: acting.device, authExpiresAt: acting.expiresAt } })
    }
  })
  return { mail: signed, log }
}

/** As it was read: what it holds back is delivered if it may be, and it is cached if nothing is left to deliver. */
async function settled<State extends Versioned>(
  target: Target<State>,
  snapshot: StoredAggregate | null
): Promise<Known<State> | null> {
  const { context, kind, id } = target
  const cache = kind.cacheIn?.(context)
  if (snapshot === null) {
    cache?.delete(id)
    return null
  }
  const { state: text, holdsMail, tag } = snapshot
  const known = { state: JSON.parse(text) as State, tag }
  if (holdsMail && kind.isReleased && !(await kind.isReleased(context, known.state))) {
    cache?.delete(id)
    return known
  }
  if (holdsMail) await context.store.aggregates.releaseMail(refOf(target))
  cache?.set(id, known, text.length)
  return known
}
