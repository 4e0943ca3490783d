// The only loop that changes a call, or what two participants of a room negotiate: load → decide → commit if the state still stands
// → else decide again on what stands. What a decision says is kept from the moment its commit returns (G9).
import { AppError } from '../errors.js'
import type { AggregateRef, Commit, Snapshot, Stamp } from '../store/aggregate.js'
import type { Acting, Decide, Decision, Kind, Loop, Outcome, Refused, TransactOptions } from './aggregate-kind.js'
import type { Known } from './cache.js'
import type { Context } from './context.js'
import { NOWHERE, queuedFor, toLog, toMail } from './mail.js'

const NO_LEASES: Outcome<unknown>['leases'] = new Map()

/** Each lost race is a commit of somebody else; more than a few in a row means that something is wrong. */
const ATTEMPTS_MAX = 32

const stampOf = <State extends { readonly version: number }>(known: Known<State> | null): Stamp | null =>
  known && { version: known.state.version, tag: known.tag }

interface Retry<State> {
  /** Undefined: read it again. */
  readonly retryOn: Known<State> | null | undefined
  /** The acting device was not registered, and is now or is not. */
  readonly isRegistered?: boolean
}

export function createLoop<State extends { readonly version: number }>(kind: Kind<State>): Loop<State> {
  type Attempt = Outcome<State> | Refused | Retry<State>
  interface Basis {
    readonly known: Known<State> | null
    /** Read or written a moment ago, and not merely cached. */
    readonly certain: boolean
    readonly acting?: Acting | undefined
  }
  const refOf = (id: string): AggregateRef => ({ kind: kind.kind, id })

  async function load(context: Context, id: string): Promise<Known<State> | null> {
    return settled(context, id, await context.store.aggregates.load(refOf(id)))
  }

  async function claim(
    context: Context,
    id: string,
    decide: Decide<State>,
    options: TransactOptions<State> = {}
  ): Promise<Outcome<State> | Refused> {
    let { acting } = options
    let known = options.known === undefined ? kind.known(context).get(id) : options.known
    let certain = false
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      if (known === undefined) {
        known = await load(context, id)
        certain = true
      }
      const done = await attemptOn(context, id, { known, certain, acting }, decide)
      if (!('retryOn' in done)) return done
      if (done.isRegistered === false) acting = undefined
      known = done.retryOn
      certain = known !== undefined
    }
    throw new AppError('store_unavailable', { detail: 'Too many others changed this at the same moment' })
  }

  async function transact(
    context: Context,
    id: string,
    decide: Decide<State>,
    options?: TransactOptions<State>
  ): Promise<Outcome<State>> {
    const outcome = await claim(context, id, decide, options)
    if ('refused' in outcome) throw new TypeError('a decision claims leases, and nobody handles that one is refused')
    return outcome
  }

  function attemptOn(context: Context, id: string, basis: Basis, decide: Decide<State>): Attempt | Promise<Attempt> {
    const now = context.clock.now()
    const before = basis.known?.state ?? null
    let decision: Decision<State>
    try {
      decision = decide(before, now)
    } catch (error) {
      if (basis.certain) throw error
      return reread(context, id)
    }
    if (decision.state !== before) return commit(context, id, { ...basis, decision, now })
    if (decision.events.length > 0) return sendDirect(context, id, basis, { ...decision, now })
    return basis.certain
      ? { before, state: before, deliveries: NOWHERE, watched: [], leases: NO_LEASES, head: null }
      : reread(context, id)
  }

  function reread(context: Context, id: string): Retry<State> {
    kind.known(context).delete(id)
    return { retryOn: undefined }
  }

  /** The decision changed nothing: its events need no commit, only mailboxes that know of no other one than the decision did. */
  async function sendDirect(
    context: Context,
    id: string,
    { known, certain }: Basis,
    { state, events, now }: Decision<State> & { now: number }
  ): Promise<Attempt> {
    const deliveries = new Map<string, { online: number; queued: number }>()
    const timestamp = new Date(now).toISOString()
    for (const { to, type, data } of events) {
      if (to === 'watchers' || to.device === undefined)
        throw new TypeError(`${type} goes to more than one device and so needs a commit`)
      const result = await context.store.mailboxes.send(to.user, {
        source: refOf(id),
        basis: stampOf(known),
        device: to.device,
        ...(to.at ? { at: to.at } : {}),
        type,
        envelope: JSON.stringify({ type, timestamp, data }),
        tag: context.ids.tag(),
        now
      })
      const { status } = result
      if (status === 'behind') {
        return certain ? restate(context, id, { known, above: result.newest, now }) : reread(context, id)
      }
      deliveries.set(to.user, { online: status === 'online' ? 1 : 0, queued: status === 'queued' ? 1 : 0 })
    }
    return { before: state, state, deliveries, watched: [], leases: NO_LEASES, head: null }
  }

  /**
   * The mailboxes know a commit that the state does not have, though the state was read a moment ago: either it was committed since,
   * which is a conflict here, or a failover forgot it. Then the same state is committed under a version above all that was seen.
   */
  async function restate(
    context: Context,
    id: string,
    { known, above, now }: { known: Known<State> | null; above: number; now: number }
  ): Promise<Attempt> {
    if (known === null) return reread(context, id)
    const decision = { state: { ...known.state, version: above + 1 }, events: [] }
    const done = await commit(context, id, { known, decision, now })
    return 'retryOn' in done ? done : { retryOn: kind.known(context).get(id) }
  }

  async function commit(
    context: Context,
    id: string,
    {
      known,
      acting,
      decision,
      now
    }: { known: Known<State> | null; acting?: Acting | undefined; decision: Decision<State>; now: number }
  ): Promise<Attempt> {
    const { state } = decision
    const before = known?.state ?? null
    // Only the deadline moves: the commit keeps its name, and no mailbox has to know.
    const isSilent = known !== null && state.version === known.state.version
    const tag = isSilent ? known.tag : context.ids.tag()
    const text = JSON.stringify(state)
    const result = await context.store.aggregates.commit(refOf(id), {
      expected: stampOf(known),
      version: state.version,
      tag,
      state: text,
      ...(isSilent ? { mail: [], log: [] } : saidBy(context, { before, decision, now, acting })),
      isHeld: decision.held ?? false,
      ...(decision.charges && { charges: decision.charges }),
      deadlineAt: kind.deadlineOf(state),
      expireInMs: kind.isOver(state) ? (kind.keepMs?.(context, state) ?? context.config.retentionMs) : null,
      now
    })
    if (!result.ok) {
      if ('refused' in result) return { refused: result.refused }
      if ('spent' in result) throw context.budgets.refusal(result.spent)
      if ('current' in result) return { retryOn: await settled(context, id, result.current) }
      await acting?.register?.()
      return { ...reread(context, id), isRegistered: acting?.register !== undefined }
    }
    if (result.head) acting?.renewed()
    if (result.isDelivered) context.metrics.commitSeconds.observe((context.clock.now() - now) / 1000)
    kind.record(context, before, state)
    if (kind.publish && decision.events.length > 0) kind.publish(context, id)
    // A state that has mail to deliver is not cached: the next message must not overtake it.
    if (result.isDelivered || kind.publish) kind.known(context).set(id, { state, tag }, text.length)
    else kind.known(context).delete(id)
    if (result.isOver && !kind.isOver(state)) return endAgain(context, id)
    const deliveries = decision.held ? queuedFor(decision.events) : result.deliveries
    return { before, state, deliveries, watched: result.watched, leases: result.held, head: result.head }
  }

  /** A mailbox has taken the end of this, which a failover made the store forget: what was received stands. */
  async function endAgain(context: Context, id: string): Promise<Attempt> {
    await transact(context, id, (state, now) => {
      if (state === null || kind.isOver(state) || !kind.endAgain) return { state: state as State, events: [] }
      return kind.endAgain(state, now)
    })
    return reread(context, id)
  }

  function saidBy(
    context: Context,
    {
      before,
      decision,
      now,
      acting
    }: { before: State | null; decision: Decision<State>; now: number; acting: Acting | undefined }
  ): Pick<Commit, 'mail' | 'log'> {
    const { state, events, claims = [] } = decision
    const timestamp = new Date(now).toISOString()
    const log = toLog(events, timestamp)
    const ends = kind.isOver(state) && (before === null || !kind.isOver(before))
    if (kind.isOver(state) && !ends) return { mail: toMail({ events, timestamp }, [], {}), log }
    // All parties remember the commit, also the one who acted and gets no event: nothing decided on an older state must follow it.
    const holder = ends ? kind.holderOf(state) : null
    const begins = !ends && (before === null || kind.isOver(before))
    const said = holder === null ? { ...(begins && { begins }) } : { release: holder }
    const mail = toMail({ events, timestamp }, kind.partiesOf(state), said)
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

  async function settled(context: Context, id: string, snapshot: Snapshot | null): Promise<Known<State> | null> {
    if (snapshot === null) return null
    const { state: text, holdsMail, tag } = snapshot
    const known = { state: JSON.parse(text) as State, tag }
    if (holdsMail) {
      if (kind.isReleased && !(await kind.isReleased(context, known.state))) return known
      await context.store.aggregates.release(refOf(id))
    }
    kind.known(context).set(id, known, text.length)
    return known
  }

  return { read: async (context, id) => (await load(context, id))?.state ?? null, load, transact, claim }
}
