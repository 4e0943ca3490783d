// Who may ring whom, and how often (DESIGN 5a): blocks, back-off, and the budgets of a pair and of a callee over all callers.
import type { CallState } from '../../domain/call/state.js'
import { AppError } from '../../errors.js'
import type { Actor } from '../../schemas/claims.js'
import type { ContactUpdate } from '../../store/contacts.js'
import type { UserNote } from '../aggregate-kind.js'
import type { BudgetCharge } from '../budgets.js'
import type { Context } from '../context.js'
import { haveCommonRoom, roomIdsOf } from '../room/memberships.js'

const BLOCKS_MAX = 1000

/** How a callee stands to a caller. */
export interface CallerStanding {
  readonly isBlocked: boolean
  /** A device of theirs is registered. */
  readonly isReachable: boolean
  /** The callee has called or answered them within the retention, or shares a room with them. */
  readonly isKnown: boolean
  /** When the next attempt may ring; 0: now. */
  readonly retryAt: number
}

export async function readStanding(context: Context, caller: string, callee: string): Promise<CallerStanding> {
  const found = await context.store.contacts.readCallee(callee, caller, context.clock.now())
  const { isBlocked, isReachable, backoff, roomIds } = found
  const isKnown = found.isKnown || (roomIds.length > 0 && (await isInOneOf(context, caller, roomIds)))
  return { isBlocked, isReachable, isKnown, retryAt: backoff?.retryAt ?? 0 }
}

async function isInOneOf(context: Context, user: string, roomIds: readonly string[]): Promise<boolean> {
  return haveCommonRoom(new Set(roomIds), await roomIdsOf(context, user))
}

type Pair = { readonly caller: string; readonly callee: string }

/**
 * What one attempt to ring the callee costs. A blocked caller does not use up what others may, but is refused with them: else an account
 * that is refused would show that another one is blocked.
 */
export function chargesOf(
  { budgets }: Context,
  { caller, callee }: Pair,
  { isBlocked, isKnown }: CallerStanding
): BudgetCharge[] {
  const attempt = budgets.chargeOf(`${caller}/${callee}`, 'attempts', { isTaken: true })
  return isKnown ? [attempt] : [attempt, budgets.chargeOf(callee, 'incoming', { isTaken: !isBlocked })]
}

/** @throws AppError rate_limited while the caller has to wait after attempts that came to nothing */
export function mustNotWait({ clock }: Context, { retryAt }: CallerStanding): void {
  const waitMs = retryAt - clock.now()
  if (waitMs <= 0) return
  const detail = 'Your last attempts were declined or not answered'
  throw new AppError('rate_limited', { detail, retryAfterMs: waitMs })
}

/** One attempt that no commit of a call follows. @throws AppError rate_limited */
export async function chargeAttempt(context: Context, pair: Pair, standing: CallerStanding): Promise<void> {
  mustNotWait(context, standing)
  for (const { user, name, isTaken } of chargesOf(context, pair, standing)) {
    await context.budgets[isTaken ? 'spend' : 'check'](user, name)
  }
}

type Outcome = ContactUpdate['outcome']

export function noteOf({ config }: Context, peer: string, outcome: Outcome): ContactUpdate {
  return { peer, outcome, keepMs: config.retentionMs, backoffMs: config.callBackoffMs }
}

/** What an attempt came to. Not kept when the store fails: it only sets limits. */
export async function noteAttempt(
  context: Context,
  { caller, callee }: { caller: string; callee: string },
  outcome: Outcome
): Promise<void> {
  const { store, clock, log } = context
  await store.contacts
    .record(callee, noteOf(context, caller, outcome), clock.now())
    .catch(error => log.debug({ err: error }, 'an attempt was not noted'))
}

/** What a commit of a call says of its two users: the user it is kept for, and what. */
export function progressOf(context: Context, before: CallState | null, after: CallState): UserNote | null {
  const [caller, callee] = [after.caller.user, after.callee?.user]
  if (callee === undefined || before?.phase === after.phase) return null
  if (before === null) return { user: caller, contact: noteOf(context, callee, 'called') }
  if (before.phase !== 'ringing') return null
  if (after.phase === 'connecting') return { user: callee, contact: noteOf(context, caller, 'answered') }
  const isFailed = after.reason === 'declined' || after.reason === 'no_answer'
  return isFailed ? { user: callee, contact: noteOf(context, caller, 'failed') } : null
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
