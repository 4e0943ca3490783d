// Who may ring whom, and how often (DESIGN 5a): blocks, back-off, and the budgets of a pair and of a callee over all callers.
import type { CallState } from '../domain/state.js'
import { AppError } from '../errors.js'
import type { Actor } from '../schemas/claims.js'
import type { Context } from './context.js'
import { haveCommonRoom, roomIdsOf } from './memberships.js'

const BACKOFF_MAX_MS = 300_000
const BLOCKS_MAX = 1000

/** How a callee stands to a caller. */
export interface CallerStanding {
  readonly isBlocked: boolean
  /** The callee has called or answered them within the retention, or shares a room with them. */
  readonly isKnown: boolean
  /** When the next attempt may ring; 0: now. */
  readonly retryAt: number
}

export async function readStanding(context: Context, caller: string, callee: string): Promise<CallerStanding> {
  const { contacts } = context.store
  const [{ isBlocked, isKnown, backoff }, shares] = await Promise.all([
    contacts.read(callee, caller, context.clock.now()),
    shareRoom(context, caller, callee)
  ])
  return { isBlocked, isKnown: isKnown || shares, retryAt: backoff?.retryAt ?? 0 }
}

async function shareRoom(context: Context, one: string, other: string): Promise<boolean> {
  const [mine, theirs] = await Promise.all([roomIdsOf(context, one), roomIdsOf(context, other)])
  return haveCommonRoom(mine, theirs)
}

/**
 * One attempt to ring the callee. A blocked caller does not use up what others may, but is refused with them: else an account that is
 * refused would show that another one is blocked. @throws AppError rate_limited
 */
export async function chargeAttempt(
  { clock, budgets }: Context,
  { caller, callee }: { caller: string; callee: string },
  { isBlocked, isKnown, retryAt }: CallerStanding
): Promise<void> {
  const waitMs = retryAt - clock.now()
  if (waitMs > 0) {
    throw new AppError('rate_limited', {
      detail: 'Your last attempts were declined or not answered',
      retryAfterMs: waitMs
    })
  }
  await budgets.spend(`${caller}/${callee}`, 'attempts')
  if (isKnown) return
  if (isBlocked) await budgets.check(callee, 'incoming')
  else await budgets.spend(callee, 'incoming')
}

type Pair = { readonly caller: string; readonly callee: string }
type AttemptOutcome = 'answered' | 'failed'

/**
 * What an attempt came to: an answer makes the caller known, a decline or no answer makes them wait, twice as long each time. Not
 * kept when the store fails: it only sets limits.
 */
export async function noteAttempt(context: Context, pair: Pair, outcome: AttemptOutcome): Promise<void> {
  await keepAttempt(context, pair, outcome).catch(error =>
    context.log.debug({ err: error }, 'an attempt was not noted')
  )
}

async function keepAttempt(
  { store, config, clock }: Context,
  { caller, callee }: Pair,
  outcome: AttemptOutcome
): Promise<void> {
  const { contacts } = store
  if (outcome === 'answered') {
    await Promise.all([contacts.know(callee, caller, config.retentionMs), contacts.setBackoff(callee, caller, null)])
    return
  }
  if (config.callBackoffMs === 0) return
  const { backoff } = await contacts.read(callee, caller, clock.now())
  const failures = (backoff?.failures ?? 0) + 1
  const waitMs = Math.min(BACKOFF_MAX_MS, config.callBackoffMs * 2 ** Math.min(failures - 1, 20))
  const ttlMs = waitMs + config.retentionMs
  await contacts.setBackoff(callee, caller, { failures, retryAt: clock.now() + waitMs, ttlMs })
}

/** What a commit of a call says about its two users. Not kept when the store fails: it only sets limits. */
export async function noteProgress(context: Context, before: CallState | null, after: CallState): Promise<void> {
  const callee = after.callee?.user
  if (callee === undefined || before?.phase === after.phase) return
  const pair = { caller: after.caller.user, callee }
  const isFailed = before?.phase === 'ringing' && (after.reason === 'declined' || after.reason === 'no_answer')
  const noted =
    before === null
      ? context.store.contacts.know(pair.caller, callee, context.config.retentionMs)
      : before.phase === 'ringing' && after.phase === 'connecting'
        ? noteAttempt(context, pair, 'answered')
        : isFailed
          ? noteAttempt(context, pair, 'failed')
          : null
  await noted?.catch(error => context.log.debug({ err: error, callId: after.callId }, 'an attempt was not noted'))
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
