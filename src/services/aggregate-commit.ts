// What a decision about an aggregate writes: state, mail for each user, fan-out log, deadline.
import type { AggregateRef, Commit, Stamp } from '../store/aggregate.js'
import type { ActingDevice, AggregateRules, Decision } from './aggregate-rules.js'
import type { CachedState } from './cache.js'
import type { Context } from './context.js'
import { toLog, toMail } from './mail.js'
import type { DecisionBasis } from './optimistic-commit.js'

export type Versioned = { readonly version: number }

/** The state that a decision is made on, with the tag of its commit; null: there is none. */
export type AggregateBasis<State> = DecisionBasis<CachedState<State> | null>

/** One aggregate. */
export interface Target<State extends Versioned> {
  readonly context: Context
  readonly rules: AggregateRules<State>
  readonly id: string
}

/** An aggregate that is being updated. */
export interface ActiveUpdate<State extends Versioned> extends Target<State> {
  /** Undefined without an acting device, and after its keepalive could not be written. */
  acting: ActingDevice | undefined
}

export const refOf = ({ rules, id }: { rules: { kind: AggregateRef['kind'] }; id: string }): AggregateRef => ({
  kind: rules.kind,
  id
})

export const stateIn = <State>(cached: CachedState<State> | null): State | null => cached?.state ?? null

export const stampOf = (cached: CachedState<Versioned> | null): Stamp | null =>
  cached && { version: cached.state.version, tag: cached.tag }

export function toCommit<State extends Versioned>(
  update: ActiveUpdate<State>,
  decision: Decision<State>,
  { state: known, now }: AggregateBasis<State>
): Commit {
  const { context, rules } = update
  const { state, events } = decision
  // Only the deadline changes: the commit keeps its stamp, and no mailbox has to record it.
  const keepsStamp = known !== null && state.version === known.state.version
  return {
    expected: stampOf(known),
    version: state.version,
    tag: keepsStamp ? known.tag : context.ids.tag(),
    state: JSON.stringify(state),
    mail: keepsStamp ? [] : mailOf(update, decision, { before: stateIn(known), now }),
    log: keepsStamp ? [] : toLog(events, now),
    webhooks: keepsStamp ? [] : (rules.webhooksOf?.(context, { before: stateIn(known), state, events }, now) ?? []),
    isHeld: decision.isHeld ?? false,
    ...(decision.charges && { charges: decision.charges }),
    deadlineAt: rules.deadlineOf(state),
    expireInMs: rules.isOver(state) ? (rules.keepMs?.(context, state) ?? context.config.retentionMs) : null,
    now
  }
}

/** Mail for each user with events or a contact to record, and for each party: also one without events records the stamp of the commit. */
function mailOf<State extends Versioned>(
  { context, rules, acting }: ActiveUpdate<State>,
  { state, events, claims = [], releases = [] }: Decision<State>,
  { before, now }: { before: State | null; now: number }
): Commit['mail'] {
  const wasLive = before !== null && !rules.isOver(before)
  const isLive = !rules.isOver(state)
  // A commit after the end has no parties: their mailboxes have the end.
  if (!isLive && before !== null && !wasLive) return toMail({ events, now }, [])
  const parties = rules.partiesOf?.(state) ?? []
  const partiesBefore = wasLive ? (rules.partiesOf?.(before) ?? []) : []
  const updates = rules.contactUpdatesOf?.(context, before, state) ?? []
  const recorded = updates.map(({ user }) => user)
  return toMail({ events, now }, [...parties, ...releases, ...recorded]).map(mail => {
    const { user } = mail
    const claim = claims.find(each => each.user === user)
    const contacts = updates.filter(each => each.user === user).map(({ contact }) => contact)
    const isParty = parties.includes(user)
    const ends = !isLive && isParty
    const releasing = ends ? state : releases.includes(user) ? before : null
    const release = releasing && rules.holderOf?.(releasing, user)
    return {
      ...mail,
      ...(isParty && isLive && !partiesBefore.includes(user) && { begins: true }),
      ...(ends && { ends }),
      ...(release && { release }),
      ...(contacts.length > 0 && { contacts }),
      ...(claim && { claim: { lease: claim.lease, limits: claim.limits } }),
      ...(acting?.user === user && { keepalive: { device: acting.device, authExpiresAt: acting.expiresAt } })
    }
  })
}
