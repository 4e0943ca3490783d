// Who may call whom, and how often: blocks, back-off, and the budgets of a caller with one callee and of a callee
// (docs/decisions/0009-ringing.md).
import type { CallState } from '../../domain/call/state.js'
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

/** What a commit of a call records about caller and callee; null: nothing. */
export function contactUpdateOf(
  context: Context,
  before: CallState | null,
  after: CallState
): UserContactUpdate | null {
  const [caller, callee] = [after.caller.user, after.called[0]?.user]
  if (callee === undefined || before?.phase === after.phase) return null
  if (before === null) return { user: caller, contact: newContactUpdate(context, callee, 'called') }
  if (before.phase !== 'ringing') return null
  if (after.phase === 'connecting') return { user: callee, contact: newContactUpdate(context, caller, 'answered') }
  const isFailed = after.reason === 'declined' || after.reason === 'no_answer'
  return isFailed ? { user: callee, contact: newContactUpdate(context, caller, 'failed') } : null
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
