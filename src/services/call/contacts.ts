// Who may call whom, and how often: blocks, back-off, and the budgets of a caller with one callee and of a callee
// (docs/decisions/0009-ringing.md).
import { calledUser, ringsFor } from '../../domain/call/called.js'
import { isStarting } from '../../domain/call/operator-call.js'
import type { CallState } from '../../domain/call/state.js'
import { transferOutcome } from '../../domain/call/transfer-outcome.js'
import { AppError } from '../../errors.js'
import { joinIds } from '../../id-text.js'
import type { Actor } from '../../schemas/claims.js'
import type { CalleeRecord, ContactUpdate } from '../../store/contacts.js'
import type { UserContactUpdate } from '../aggregate-rules.js'
import type { BudgetCharge } from '../budgets.js'
import type { Context } from '../context.js'
import { haveCommonRoom, roomIdsOf } from '../room/memberships.js'

const BLOCKS_MAX = 1000

/** What decides whether the caller may ring the callee. */
export interface CalleeRelation extends Pick<CalleeRecord, 'isBlocked' | 'isReachable' | 'isOnline' | 'asleep'> {
  /** The callee has called or answered the caller within the retention, or shares a room with the caller. */
  readonly isKnown: boolean
  /** When the next ring attempt is allowed; 0: now. */
  readonly retryAt: number
}

export async function readCalleeRelation(context: Context, caller: string, callee: string): Promise<CalleeRelation> {
  const found = await context.store.contacts.readCallee(callee, caller, context.clock.now())
  const { isBlocked, isReachable, isOnline, asleep, backoff, roomIds } = found
  const isKnown = found.isKnown || (roomIds.length > 0 && (await isInOneOf(context, caller, roomIds)))
  return { isBlocked, isReachable, isOnline, asleep, isKnown, retryAt: backoff?.retryAt ?? 0 }
}

/** The same for a call that may be for one device only: then that device is reachable, online or asleep. */
export async function readTargetRelation(
  context: Context,
  caller: string,
  { user, device }: { readonly user: string; readonly device: string | null }
): Promise<CalleeRelation> {
  const relation = await readCalleeRelation(context, caller, user)
  if (device === null) return relation
  const devices = await context.store.mailboxes.devices(user, context.clock.now())
  const found = devices.find(each => each.device === device)
  const asleep = relation.asleep.filter(each => each === device)
  return { ...relation, isReachable: found !== undefined, isOnline: found?.online === true, asleep }
}

async function isInOneOf(context: Context, user: string, roomIds: readonly string[]): Promise<boolean> {
  return haveCommonRoom(new Set(roomIds), await roomIdsOf(context, user))
}

type Pair = { readonly caller: string; readonly callee: string }

/**
 * The charges of one ring attempt. A blocked caller takes nothing of the `incoming` budget, but is refused like others when
 * it is spent: otherwise a difference between two accounts would show which one is blocked.
 */
export function ringAttemptCharges(
  { budgets }: Context,
  { caller, callee }: Pair,
  { isBlocked, isKnown }: CalleeRelation
): BudgetCharge[] {
  const attempt = budgets.chargeOf(joinIds(caller, callee), 'attempts', { isTaken: true })
  return isKnown ? [attempt] : [attempt, budgets.chargeOf(callee, 'incoming', { isTaken: !isBlocked })]
}

/**
 * The same charges before the commit, of which nothing is taken: of several callees, one whose budget is spent must not keep the others from
 * being rung. @throws AppError rate_limited
 */
export async function checkRingBudgets(
  { budgets }: Context,
  { caller, callee }: Pair,
  { isKnown }: CalleeRelation
): Promise<void> {
  await budgets.check(joinIds(caller, callee), 'attempts')
  if (!isKnown) await budgets.check(callee, 'incoming')
}

/** @throws AppError rate_limited during the back-off, with the time until its end */
export function refuseDuringBackoff({ clock }: Context, { retryAt }: CalleeRelation): void {
  const waitMs = retryAt - clock.now()
  if (waitMs <= 0) return
  const detail = 'Your last attempts were declined or not answered'
  throw new AppError('rate_limited', { detail, retryAfterMs: waitMs })
}

/** Charges a ring attempt that has no commit of a call. @throws AppError rate_limited */
export async function chargeRingAttempt(context: Context, pair: Pair, relation: CalleeRelation): Promise<void> {
  refuseDuringBackoff(context, relation)
  for (const { user, name, isTaken } of ringAttemptCharges(context, pair, relation)) {
    await context.budgets[isTaken ? 'spend' : 'check'](user, name)
  }
}

type RingOutcome = ContactUpdate['outcome']

function newContactUpdate({ config }: Context, peer: string, outcome: RingOutcome): ContactUpdate {
  return { peer, outcome, keepMs: config.retentionMs, backoffMs: config.callBackoffMs }
}

/** Records the outcome of a ring attempt. Never throws: the record only limits later ones. */
export async function recordRingAttempt(
  context: Context,
  { caller, callee }: { caller: string; callee: string },
  outcome: RingOutcome
): Promise<void> {
  const { store, clock, log } = context
  await store.contacts
    .record(callee, newContactUpdate(context, caller, outcome), clock.now())
    .catch(error => log.debug({ err: error }, 'outcome of a ring attempt not recorded'))
}

/** What a commit of a call records about the caller and those who are called. */
export function contactUpdatesOf(context: Context, before: CallState | null, after: CallState): UserContactUpdate[] {
  const caller = after.caller.user
  // The first user of a call that an operator starts answers no user.
  if (isStarting(before ?? after)) return []
  if (before === null) {
    const called = after.called.filter(({ state }) => state !== 'ended')
    return called.map(({ user }) => ({ user: caller, contact: newContactUpdate(context, user, 'called') }))
  }
  const transferred = transferContact(context, before, after)
  if (transferred) {
    const { user, peer, outcome } = transferred
    return [{ user, contact: newContactUpdate(context, peer, outcome) }]
  }
  return after.called.flatMap(({ user }) => {
    const outcome = ringsFor(before, user) ? ringOutcomeOf(after, user) : null
    return outcome === null ? [] : [{ user, contact: newContactUpdate(context, caller, outcome) }]
  })
}

/** Of a called user who rang. */
function ringOutcomeOf(call: CallState, user: string): RingOutcome | null {
  const called = calledUser(call, user)
  if (called === undefined || ringsFor(call, user)) return null
  if (called.state === 'answered') return call.phase === 'connecting' ? 'answered' : null
  const reason = called.reason ?? call.reason
  return reason === 'declined' || reason === 'no_answer' ? 'failed' : null
}

/** The same of a transfer: for its target it is a call of the transferor. */
function transferContact({ clock }: Context, before: CallState | null, after: CallState) {
  const [was, is] = [before?.transfer ?? null, after.transfer]
  if (is && !was) return { user: is.by.user, peer: is.target.user, outcome: 'called' } as const
  if (!was) return null
  const outcome = transferOutcome(before, after, clock.now())
  const [user, peer] = [was.target.user, was.by.user]
  if (outcome === 'transferred') return { user, peer, outcome: 'answered' } as const
  return outcome === 'declined' || outcome === 'no_answer' ? ({ user, peer, outcome: 'failed' } as const) : null
}

/** @throws AppError too_many_blocks, invalid_request for oneself */
export async function blockUser({ store, clock }: Context, actor: Actor, user: string): Promise<void> {
  if (user === actor.user) throw new AppError('invalid_request', { detail: 'A user cannot block themselves' })
  const isBlocked = await store.contacts.block(actor.user, user, { now: clock.now(), max: BLOCKS_MAX })
  if (!isBlocked) throw new AppError('too_many_blocks')
}

export function unblockUser({ store }: Context, actor: Actor, user: string): Promise<void> {
  return store.contacts.unblock(actor.user, user)
}

export function listBlocks({ store, clock }: Context, actor: Actor): Promise<readonly string[]> {
  return store.contacts.blocks(actor.user, clock.now())
}
